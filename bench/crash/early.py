"""A broken genbridge, as a control: it settles a delivery before it has sent it."""

from datetime import timedelta
from typing import Any

import anyio

from bridge import __main__, daemon
from bridge.core.delivering.delivery import Attempt, Delivery, Settlement, Status
from bridge.core.network.exchange import Timings
from bridge.core.ports import Form
from bridge.core.settings import Webhook
from bridge.engine.attempts import Courier
from bridge.engine.courier import Brought
from bridge.engine.sender import Sender
from bridge.engine.starting import Settler


class Early(Sender):
    """Believes that what is about to be sent has arrived."""

    committed = timedelta(milliseconds=50)
    """Longer than a settlement waits for company."""

    def __init__(
        self,
        *,
        settler: Settler,
        courier: Courier,
        **wiring: Any,
    ) -> None:
        hasty = Rash(courier, settler, self.committed)
        super().__init__(settler=settler, courier=hasty, **wiring)


class Rash:
    """A courier that settles, waits until that is committed, and only then sends."""

    def __init__(self, courier: Courier, settler: Settler, committed: timedelta) -> None:
        self._courier = courier
        self._settler = settler
        self._committed = committed

    async def bring(
        self, webhook: Webhook, delivery: Delivery, *, form: Form = Form.FULL
    ) -> Brought:
        """Settle, and send."""
        attempt = Attempt(
            number=delivery.attempt,
            code=200,
            why=None,
            timings=Timings(wait=0.0, total=0.0),
        )
        self._settler.settle(
            Settlement(delivery=delivery, status=Status.DELIVERED, attempt=attempt)
        )
        await anyio.sleep(self._committed.total_seconds())
        return await self._courier.bring(webhook, delivery, form=form)


def main() -> None:
    """Run the broken build as if it were the command."""
    setattr(daemon, "Sender", Early)  # noqa: B010  (where the parts are chosen)
    __main__.main()


if __name__ == "__main__":
    main()
