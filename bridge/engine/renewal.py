"""Renewal: fresh links for what is sent after its links have run out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

import anyio

from bridge.core.delivering.delivery import Delivery
from bridge.core.ladder import State
from bridge.core.looking import Observation, Output
from bridge.core.message import Message
from bridge.core.ports import Clock
from bridge.core.renewing import renewed, stale
from bridge.core.watch import Generation

PATIENCE = 10.0
"""Seconds that a delivery waits for fresh links: then it goes out with the old ones."""

UNSAID = timedelta(minutes=15)
"""How long links are taken for alive whose provider does not say."""

AGAIN = timedelta(minutes=1)
"""How long a look that brought nothing is not repeated."""

MOST = 10_000
"""Generations whose links are remembered."""


class Observer(Protocol):
    """Looks at generations out of turn."""

    def renews(self, source: str) -> bool:
        """Return whether a source is there and its provider renews links."""
        ...

    async def observe(self, generation: Generation) -> Observation | None:
        """Look once, within the rate of the source; None: nothing was learnt."""
        ...


@dataclass(slots=True)
class _Links:
    """What the last look at a generation brought; `until` is on the monotonic clock."""

    outputs: Sequence[Output] = ()
    until: float = float("-inf")
    looking: anyio.Lock = field(default_factory=anyio.Lock)


class Renewal:
    """Renews links. One look serves all deliveries of a generation while its links live."""

    def __init__(self, observer: Observer, *, clock: Clock) -> None:
        self._observer = observer
        self._clock = clock
        self._links: dict[Generation, _Links] = {}

    async def fresh(self, delivery: Delivery) -> Message | None:
        """Return the message with fresh links, after at most 10 s.

        None: it needs none, or there are none to be had (the provider does not renew links, the
        source is gone, the look failed).
        """
        found = stale(delivery.message, self._clock.now())
        if found is None or not self._observer.renews(found[0].source):
            return None
        generation, told = found
        with anyio.CancelScope(deadline=self._clock.monotonic() + PATIENCE):
            seen = await self._seen(generation)
            return renewed(delivery.message, told, seen, self._clock.now())
        return None

    async def _seen(self, generation: Generation) -> Sequence[Output]:
        links = self._links.get(generation)
        if links is None:
            self._forget()
            links = self._links[generation] = _Links()
        async with links.looking:
            if self._clock.monotonic() >= links.until:
                # Said first, for a look that is cut off is not to be repeated at once either.
                self._keep(links, (), AGAIN)
                observation = await self._observer.observe(generation)
                if observation is not None and observation.state is State.COMPLETED:
                    self._keep(links, observation.outputs, self._life(observation.outputs))
            return links.outputs

    def _keep(self, links: _Links, outputs: Sequence[Output], life: timedelta) -> None:
        links.outputs = outputs
        links.until = self._clock.monotonic() + life.total_seconds()

    def _life(self, outputs: Sequence[Output]) -> timedelta:
        """Return how long outputs are good for: as long as the first of their links."""
        ends = [output.expires_at for output in outputs if output.expires_at is not None]
        if not ends:
            return UNSAID if outputs else AGAIN
        # An answer whose links are over already is not asked for again at once.
        return max(AGAIN, min(ends) - self._clock.now())

    def _forget(self) -> None:
        """Make room: the oldest go first."""
        while len(self._links) >= MOST:
            del self._links[next(iter(self._links))]
