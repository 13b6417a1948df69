"""Attempts: each looks for fresh links, is made by the courier, and is judged.

Where the progress of a generation is one message, it also looks for what names that message.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol, TypeAlias

import anyio

from bridge.core.delivering import outcome
from bridge.core.delivering.delivery import Delivery, Settlement
from bridge.core.delivering.receipt import Receipt
from bridge.core.live import Progress, is_progress
from bridge.core.message import Message
from bridge.core.network.exchange import Phase, Unanswered
from bridge.core.ports import Clock, Form
from bridge.core.settings import Webhook
from bridge.engine.concluding import Conclusions, Tried
from bridge.engine.courier import Brought
from bridge.engine.lane import RENEWAL, Claimed, Lane
from bridge.errors import StoreBroken, StoreError


class Courier(Protocol):
    """Makes attempts."""

    async def bring(
        self, webhook: Webhook, delivery: Delivery, *, form: Form = Form.FULL
    ) -> Brought:
        """Make one attempt; never raises for what a network or a format does."""
        ...


class Renewer(Protocol):
    """Knows fresh links for messages whose links have run out."""

    async def fresh(self, delivery: Delivery) -> Message | None:
        """Return the message with fresh links; None: it goes out as it is."""
        ...


class Receipts(Protocol):
    """The part of the store that knows what has been posted."""

    async def receipt(self, watch: int, webhook: int) -> Receipt | None:
        """Return what names the message that tells of a watch's progress; None: there is none."""
        ...


Grant: TypeAlias = Callable[[Lane, float], None]
"""Keeps to the rate that a receiver has consented to."""


class Attempts:
    """Makes attempts, many at a time."""

    def __init__(
        self,
        *,
        courier: Courier,
        renewer: Renewer | None,
        receipts: Receipts,
        conclusions: Conclusions,
        grant: Grant,
        clock: Clock,
    ) -> None:
        self._courier = courier
        self._renewer = renewer
        self._receipts = receipts
        self._conclusions = conclusions
        self._grant = grant
        self._clock = clock

    async def make(self, lane: Lane, claimed: Claimed) -> Settlement:
        """Make an attempt; return what the store is to be told of it."""
        probe = lane.circuit.open
        delivery = claimed.delivery
        if self._renewer is not None:
            delivery = await self._renewed(self._renewer, delivery)
        progress = await self._progress(lane, claimed) if lane.place else None
        began = self._clock.monotonic()
        if isinstance(progress, Unanswered):
            brought, progress = Brought(answer=progress), None
        else:
            if progress is not None:
                delivery = replace(delivery, receipt=progress.receipt)
            brought = await self._courier.bring(
                lane.webhook, delivery, form=lane.degree.at(began)
            )
        if brought.granted is not None:
            self._grant(lane, brought.granted)
        if brought.answer is None and brought.unrendered is None:
            return outcome.nothing_to_say(claimed.delivery)
        tried = Tried(
            delivery=claimed.delivery,
            brought=brought,
            began=began,
            queue=(began - claimed.at) * 1000.0,
            probe=probe,
            progress=progress,
        )
        return self._conclusions.conclude(lane, tried)

    async def _progress(self, lane: Lane, claimed: Claimed) -> Progress | Unanswered | None:
        """Return what is known of the message that is edited; None: it is told in another one.

        What the delivery before has left is on the disk, for in strict order it is settled.
        """
        delivery, place = claimed.delivery, lane.place
        if place is None or delivery.watch is None or not is_progress(delivery):
            return None
        # Fresh links may have been looked for before, in the same margin of the claim.
        until = min(self._clock.monotonic(), claimed.until) + RENEWAL
        with anyio.CancelScope(deadline=until):
            try:
                known = await self._receipts.receipt(delivery.watch, lane.id)
            except StoreBroken:
                raise
            except StoreError:
                return _UNKNOWN
            # After a reload meanwhile it goes elsewhere: what was found names nothing there.
            return Progress.begun(place, known) if lane.place == place else None
        return _UNKNOWN

    async def _renewed(self, renewer: Renewer, delivery: Delivery) -> Delivery:
        if _LINKS not in delivery.message.body:
            return delivery
        message = None
        with anyio.move_on_after(RENEWAL):
            try:
                message = await renewer.fresh(delivery)
            except Exception:  # noqa: BLE001  (old links are better than no delivery)
                return delivery
        return delivery if message is None else replace(delivery, message=message)


_LINKS = b'"expires_at":"'
"""Without this in its text a message has no links that could run out."""

_UNKNOWN = Unanswered(
    phase=Phase.LOCAL, reason="the store did not say which message is to be edited"
)
"""Posted instead, it would stand there twice."""
