"""A broken genbridge, as a control: it settles a delivery before it has sent it."""

from datetime import timedelta

import anyio

from bridge import __main__, app
from bridge.core.delivering.acknowledgement import Acknowledgement
from bridge.core.delivering.delivery import Attempt, Delivery, Settlement, Status
from bridge.core.network.exchange import Answer, Timings
from bridge.core.settings import Webhook
from bridge.engine.sender import Sender

COMMITTED = timedelta(milliseconds=50)
"""Longer than a settlement waits for company."""


class Early(Sender):
    """Believes that what is about to be sent has arrived."""

    async def _post(
        self, webhook: Webhook, delivery: Delivery
    ) -> tuple[Answer | None, Acknowledgement]:
        attempt = Attempt(
            number=delivery.attempt,
            code=200,
            why=None,
            timings=Timings(wait=0.0, total=0.0),
        )
        self._settler.settle(
            Settlement(delivery=delivery, status=Status.DELIVERED, attempt=attempt)
        )
        await anyio.sleep(COMMITTED.total_seconds())
        return await super()._post(webhook, delivery)


def main() -> None:
    """Run the broken build as if it were the command."""
    setattr(app, "Sender", Early)  # noqa: B010  (where the parts are chosen)
    __main__.main()
