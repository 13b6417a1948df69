"""The outbox as the watchdog sees it: whoever waits for the store is slow, not stuck."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta

from bridge.core.delivering.delivery import Delivery, WebhookState
from bridge.core.delivering.receipt import Receipt
from bridge.core.ports import Clock, Room
from bridge.engine.claiming import Outbox


class AwaitedOutbox:
    """An outbox that knows when it last answered."""

    def __init__(self, outbox: Outbox, *, clock: Clock) -> None:
        self._outbox = outbox
        self._clock = clock
        self._waiting = 0
        self._answered = clock.monotonic()

    @property
    def excused(self) -> float:
        """The last moment at which somebody waited for an answer: now, while somebody does."""
        return self._clock.monotonic() if self._waiting else self._answered

    async def claim_deliveries(self, rooms: Sequence[Room]) -> Sequence[Delivery]:
        """Claim what is due."""
        with self._asked():
            return await self._outbox.claim_deliveries(rooms)

    async def next_due(self) -> Mapping[int, timedelta]:
        """Return per webhook how long until something is due."""
        with self._asked():
            return await self._outbox.next_due()

    async def set_webhook(self, state: WebhookState) -> None:
        """Set how a webhook stands."""
        with self._asked():
            await self._outbox.set_webhook(state)

    async def receipt(self, watch: int, webhook: int) -> Receipt | None:
        """Return what names the message that tells of a watch's progress; None: there is none."""
        with self._asked():
            return await self._outbox.receipt(watch, webhook)

    @contextmanager
    def _asked(self) -> Iterator[None]:
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1
            self._answered = self._clock.monotonic()
