"""Callbacks: the webhooks that callers bring along, each with a lane before it is needed.

A delivery is only made for webhooks that have a lane, so the lane must be there before the
watch is: when it is ordered, after a restart, and when another replica hands it over.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol, TypeAlias

from bridge.core.delivering.callback import Callback
from bridge.core.delivering.delivery import Condition, WebhookState
from bridge.core.listing import ListedWebhook
from bridge.core.ports import Clock
from bridge.core.settings import Webhook

AGAIN = 3600.0
"""Seconds after which the store is asked anew for a webhook that somebody brings along again."""

Make: TypeAlias = Callable[[Callback, WebhookState], Webhook]
"""Returns how a caller's webhook is sent to; raises ValueError for a secret of no use."""


class Keeper(Protocol):
    """The part of the store that keeps webhooks."""

    async def adopt(self, callbacks: Sequence[Callback]) -> Mapping[str, WebhookState]:
        """Make callers' webhooks known and return their states by their keys."""
        ...

    async def webhooks_by_id(self, webhooks: Sequence[int]) -> Sequence[ListedWebhook]:
        """Return webhooks by their ids."""
        ...

    async def resume_webhook(self, webhook: int) -> int:
        """Open a webhook that was switched off, its health as new; return what waits."""
        ...


class Lanes(Protocol):
    """The part of the sender that has lanes."""

    def add_lane(self, webhook: Webhook, state: WebhookState) -> None:
        """Send to this webhook too from now on."""
        ...

    def sends_to(self, webhook: int) -> bool:
        """Return whether a webhook has a lane that is not switched off."""
        ...

    def drop_lane(self, webhook: int) -> None:
        """Send nothing to this webhook any more."""
        ...


class Callbacks:
    """Knows every webhook that a watch of ours names, and opens lanes for those of callers."""

    def __init__(self, keeper: Keeper, lanes: Lanes, make: Make, *, clock: Clock) -> None:
        self._keeper = keeper
        self._lanes = lanes
        self._make = make
        self._clock = clock
        self._known: dict[int, ListedWebhook] = {}
        self._ids: dict[str, int] = {}
        self._adopted: dict[str, float] = {}

    async def adopt(self, callbacks: Iterable[Callback]) -> Mapping[str, int]:
        """Return the ids of callers' webhooks by their keys; each is in the store and has a lane.

        One that was switched off gets another chance: somebody has asked for it again.
        """
        wanted = {one.key: one for one in callbacks}
        missing = [one for one in wanted.values() if not self._open(one)]
        if missing:
            states = await self._keeper.adopt(missing)
            for one in missing:
                state = await self._revived(states[one.key])
                self._note(ListedWebhook(state=state, callback=one))
                self._adopted[one.key] = self._clock.monotonic()
        return {key: self._ids[key] for key in wanted}

    async def _revived(self, state: WebhookState) -> WebhookState:
        if state.condition is not Condition.DISABLED:
            return state
        await self._keeper.resume_webhook(state.id)
        return WebhookState(id=state.id, key=state.key)

    def _open(self, callback: Callback) -> bool:
        id_ = self._ids.get(callback.key)
        if id_ is None or not self._lanes.sends_to(id_):
            return False
        # The store forgets what nobody has asked for in a long time.
        adopted = self._adopted.get(callback.key, -math.inf)
        return self._clock.monotonic() - adopted < AGAIN

    async def meet(self, webhooks: Iterable[int]) -> None:
        """Get to know webhooks by their ids; those of callers get their lanes."""
        strange = sorted(set(webhooks) - self._known.keys())
        if strange:
            for listed in await self._keeper.webhooks_by_id(strange):
                self._note(listed)

    async def refresh(self) -> None:
        """Learn how callers' webhooks stand in the store now, and forget what it has forgotten."""
        asked = dict(self._ids)
        found = await self._keeper.webhooks_by_id(list(asked.values()))
        there = {one.callback.key: one for one in found if one.callback is not None}
        self._known |= {listed.state.id: listed for listed in there.values()}
        taken = {listed.state.id for listed in there.values()}
        for key, id_ in asked.items():
            if key not in there and self._ids.get(key) == id_:
                del self._ids[key]
                self._adopted.pop(key, None)
                if id_ not in taken:
                    self._known.pop(id_, None)
                    self._lanes.drop_lane(id_)

    def lanes(self) -> Sequence[tuple[Webhook, WebhookState]]:
        """Return the lanes of callers' webhooks anew, as they were last known to stand."""
        known = [self._known[id_] for id_ in self._ids.values()]
        return [
            (self._make(listed.callback, listed.state), listed.state)
            for listed in known
            if listed.callback is not None
        ]

    def known(self, webhook: int) -> ListedWebhook | None:
        """Return a webhook that was met; its state is that of then."""
        return self._known.get(webhook)

    def _note(self, listed: ListedWebhook) -> None:
        self._known[listed.state.id] = listed
        if listed.callback is not None:
            self._ids[listed.callback.key] = listed.state.id
            webhook = self._make(listed.callback, listed.state)
            self._lanes.add_lane(webhook, listed.state)
