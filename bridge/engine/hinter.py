"""The hinter: a callback of a provider reaches the poller that watches what it is about.

On several replicas a callback comes to any of them. What nobody watches here is passed on to all
the others, who look for it among their own; that may get lost, as any hint may.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeAlias

import anyio

from bridge.core.hints import Named
from bridge.core.pacing.hinting import SHARE
from bridge.core.ports import Clock, Log
from bridge.core.settings import Source
from bridge.core.sharing.gate import Gate
from bridge.core.watch import Generation
from bridge.engine.bell import Bell
from bridge.errors import StoreError

GATHERED = 0.05
"""Seconds in which hints gather that are passed on together: each commit takes a global lock."""

MOST = 500
"""Ids that wait to be passed on, about; what is beyond is forgotten."""

PASSED = 4
"""Of one callback, that many texts are passed on, the likeliest ids."""

BURST = 1.0
"""Seconds' worth of hints that may be passed on at once."""

Hint: TypeAlias = Callable[[Generation], bool]
"""Looks at a generation now; says whether it is watched here."""


class Others(Protocol):
    """The other replicas."""

    async def pass_on(self, generations: Sequence[Generation]) -> None:
        """Tell the others that these generations may have changed."""
        ...

    def listen_for_hints(self, heard: Callable[[Sequence[Generation]], None]) -> None:
        """Call `heard` with what any replica has passed on, this one too."""
        ...


class Hinter:
    """Takes hints; what it passes on is bounded by the share of a source's rate that hints have."""

    def __init__(
        self, hint: Hint, *, clock: Clock, log: Log, others: Others | None = None
    ) -> None:
        self._hint = hint
        self._clock = clock
        self._log = log
        self._others = others
        self._waiting: dict[Generation, None] = {}
        self._gates: dict[str, Gate] = {}
        self._bell = Bell()
        if others is not None:
            others.listen_for_hints(self._passed)

    def heard(self, source: Source, found: Named) -> None:
        """Look at what a callback names; nothing of it is believed."""
        generations = [Generation(source.name, id_) for id_ in found]
        watched = [self._hint(one) for one in generations]
        if self._others is None or any(watched):
            return
        likely = (found.keyed or found.others)[:PASSED]
        if likely and len(self._waiting) < MOST and self._lets_through(source):
            self._waiting |= dict.fromkeys(Generation(source.name, id_) for id_ in likely)
            self._bell.ring()

    def _lets_through(self, source: Source) -> bool:
        now, rate = self._clock.monotonic(), SHARE * source.rate.per_second
        gate = self._gates.get(source.name)
        if gate is None or gate.rate != rate:
            gate = self._gates[source.name] = Gate(rate=rate, burst=BURST)
        free = gate.opens(now) <= now
        if free:
            gate.take(now)
        return free

    def _passed(self, generations: Iterable[Generation]) -> None:
        for one in generations:
            self._hint(one)

    async def run(self) -> None:
        """Pass on what others may watch, for ever."""
        while self._others is not None:
            while not self._waiting:
                await self._bell.wait()
            await anyio.sleep(GATHERED)
            some, self._waiting = list(self._waiting), {}
            try:
                await self._others.pass_on(some)
            except StoreError as error:
                self._log.debug("hints were not passed on", reason=str(error))
