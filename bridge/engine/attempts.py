"""Attempts: each looks for fresh links, is made by the courier, and is judged."""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol, TypeAlias

import anyio

from bridge.core.delivering import outcome
from bridge.core.delivering.delivery import Delivery, Settlement
from bridge.core.message import Message
from bridge.core.ports import Clock, Form
from bridge.core.settings import Webhook
from bridge.engine.concluding import Conclusions, Tried
from bridge.engine.courier import Brought
from bridge.engine.lane import RENEWAL, Claimed, Lane


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


Grant: TypeAlias = Callable[[Lane, float], None]
"""Keeps to the rate that a receiver has consented to."""


class Attempts:
    """Makes attempts, many at a time."""

    def __init__(
        self,
        *,
        courier: Courier,
        renewer: Renewer | None,
        conclusions: Conclusions,
        grant: Grant,
        clock: Clock,
    ) -> None:
        self._courier = courier
        self._renewer = renewer
        self._conclusions = conclusions
        self._grant = grant
        self._clock = clock

    async def make(self, lane: Lane, claimed: Claimed) -> Settlement:
        """Make an attempt; return what the store is to be told of it."""
        probe = lane.circuit.open
        delivery = claimed.delivery
        if self._renewer is not None:
            delivery = await self._renewed(self._renewer, delivery)
        began = self._clock.monotonic()
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
        )
        return self._conclusions.conclude(lane, tried)

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
