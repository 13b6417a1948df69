"""A timeline: which state a simulated generation is in at which age."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self, TypeAlias

Script: TypeAlias = Sequence[tuple[str, float | None]]
"""States and the seconds each lasts; the last one lasts for ever, whatever stands beside it."""

DEFAULT_SCRIPT: Script = (("queued", 2.0), ("dreaming", 6.0), ("completed", None))

RANKS = {
    "queued": 0,
    "pending": 0,
    "dreaming": 1,
    "processing": 1,
    "completed": 2,
    "failed": 3,
}
"""The rank of every word that a simulated API knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A state and the age in seconds at which it begins.

    A word that is no rung keeps the rank of the step before it.
    """

    word: str
    rank: int
    starts: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The steps of one generation, the first of them at age 0."""

    steps: tuple[Step, ...]

    @classmethod
    def of(cls, script: Script) -> Self:
        """Return the timeline of a script; raises ValueError where it cannot be walked through."""
        if not script:
            raise ValueError("a script has at least one state")
        steps, starts, rank = [], 0.0, 0
        for word, seconds in script:
            rank = RANKS.get(word, rank)
            steps.append(Step(word=word, rank=rank, starts=starts))
            starts += math.inf if seconds is None else _checked(seconds)
        if not math.isfinite(steps[-1].starts):
            raise ValueError("a state that lasts for ever can only be the last")
        return cls(steps=tuple(steps))

    def at(self, age: float) -> Step:
        """Return the step at an age; a step of no length is never seen."""
        return next((s for s in reversed(self.steps) if s.starts <= age), self.steps[0])

    def before(self, age: float) -> Step:
        """Return what a replica that missed the last transition would still say."""
        index = self.steps.index(self.at(age))
        return self.steps[max(0, index - 1)]

    def reaches(self, rank: int) -> float:
        """Return the age at which the rank is at least this; infinite: never."""
        return next((s.starts for s in self.steps if s.rank >= rank), math.inf)

    def with_word(self, word: str) -> Self:
        """Return the timeline with another word for the second half of the last but one step."""
        if len(self.steps) == 1:
            return self
        *early, last_but_one, last = self.steps
        middle = (last_but_one.starts + last.starts) / 2
        odd = Step(word=word, rank=last_but_one.rank, starts=middle)
        return replace(self, steps=(*early, last_but_one, odd, last))


def failing(script: Script) -> Script:
    """Return the script of a generation that fails where this one would have been completed."""
    return (*script[:-1], ("failed", None))


def _checked(seconds: float) -> float:
    if not seconds >= 0:
        raise ValueError(f"a state lasts 0 seconds or more, not {seconds!r}")
    return seconds
