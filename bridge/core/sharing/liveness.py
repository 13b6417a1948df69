"""Who is alive: when a replica may act, and when another one counts as dead (STORE, section 4).

A false death costs duplicates and a missed one costs time, so a verdict wants two sightings.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

Fit: TypeAlias = Callable[[], bool]
"""Says whether anything may begin now: a replica that cannot show that it lives begins nothing."""


def always() -> bool:
    """Say that it may: there is nobody who could have taken over."""
    return True


LOOK = 0.5
"""Seconds between two looks at the other replicas."""

BLIND = 3.0
"""Seconds without a look after which what was seen before proves nothing: the observer slept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How a replica keeps in touch; times are in seconds.

    It beats every `beat`; after `silent` without a beat it counts as frozen. `gone` lies between
    the two sightings of a lost session, `settled` is the least age of the observer's own.
    `hints`: it tells the others at once what they may take; without that they look by themselves.
    """

    beat: float = 5.0
    silent: float = 30.0
    gone: float = 1.0
    settled: float = 3.0
    hints: bool = True

    @property
    def fresh(self) -> float:
        """How old the last confirmed beat may be while a look or a POST may begin.

        It ends well before the others may take over: what was begun has time to be done.
        """
        return 0.6 * self.silent

    @property
    def again(self) -> float:
        """How long lies between the two sightings of a silent replica."""
        return 0.2 * self.silent


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What one look says of another replica: its session is lost, or its beats are overdue."""

    id: int
    gone: bool
    silent: bool


@dataclass(slots=True)
class Witness:
    """Weighs what is seen of the others on one unbroken session; moments are steady seconds."""

    pace: Pace
    since: float = 0.0
    _last: float = field(default=float("-inf"))
    _gone: dict[int, float] = field(default_factory=dict)
    _silent: dict[int, float] = field(default_factory=dict)

    def begin(self, now: float) -> None:
        """Start anew: the session is new, so nothing that was seen before counts."""
        self.since = now
        self._gone, self._silent = {}, {}

    def weigh(self, sightings: Iterable[Sighting], now: float) -> list[int]:
        """Return who is dead: seen so twice, far enough apart, and never alive in between."""
        if now - self._last > BLIND:
            self._gone, self._silent = {}, {}
        self._last = now
        seen = list(sightings)
        self._gone = {s.id: self._gone.get(s.id, now) for s in seen if s.gone}
        self._silent = {s.id: self._silent.get(s.id, now) for s in seen if s.silent}
        if now - self.since < self.pace.settled:
            return []
        dead = {id_ for id_, at in self._gone.items() if now - at >= self.pace.gone}
        dead |= {id_ for id_, at in self._silent.items() if now - at >= self.pace.again}
        return sorted(dead)
