"""A timeline: which state a simulated generation is in at which age."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self, TypeAlias

from bridge.core.ladder import State
from bridge.simulator.words import LADDER, Words

Script: TypeAlias = Sequence[tuple[str, float | None]]
"""States and the seconds each lasts; the last one lasts for ever, whatever stands beside it.

A state is a rung (queued, dreaming, completed, failed), an end (cancelled, expired, moderated),
both of which every API shows in its own words; or a word that is shown as it is.
"""

DEFAULT_SCRIPT: Script = (("queued", 2.0), ("dreaming", 6.0), ("completed", None))


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A state and the age in seconds at which it begins.

    `word` is the API's, `scripted` the script's. A word that neither of them knows keeps the
    rank of the step before it.
    """

    word: str
    scripted: str
    rank: int
    starts: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The steps of one generation, the first of them at age 0."""

    steps: tuple[Step, ...]

    @classmethod
    def of(cls, script: Script, words: Words = LADDER) -> Self:
        """Return the timeline of a script; raises ValueError where it cannot be walked through."""
        if not script:
            raise ValueError("a script has at least one state")
        steps: list[Step] = []
        starts, rank = 0.0, 0
        for word, seconds in script:
            known = words.rank(word)
            rank = rank if known is None else known
            steps.append(
                Step(word=words.shown(word), scripted=word, rank=rank, starts=starts)
            )
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

    def progress(self, age: float) -> float:
        """Return the share of the dreaming that is over; half where it never ends."""
        begins, ends = self.reaches(State.DREAMING), self.reaches(State.COMPLETED)
        if age < begins:
            return 0.0
        if age >= ends:
            return 1.0
        return (age - begins) / (ends - begins) if math.isfinite(ends) else 0.5

    def seen(self) -> Sequence[Step]:
        """Return the steps that have a length."""
        return [step for step in self.steps if self.at(step.starts) is step]

    def with_word(self, word: str) -> Self:
        """Return the timeline with another word for the second half of the last but one step."""
        if len(self.steps) == 1:
            return self
        *early, last_but_one, last = self.steps
        middle = (last_but_one.starts + last.starts) / 2
        odd = replace(last_but_one, word=word, scripted=word, starts=middle)
        return replace(self, steps=(*early, last_but_one, odd, last))

    def stuck(self, word: str) -> Self:
        """Return the timeline with a word that stands for ever where the end would come."""
        going = [step for step in self.steps if step.rank < State.COMPLETED]
        if len(going) == len(self.steps):
            return self
        starts = self.reaches(State.COMPLETED)
        rank = going[-1].rank if going else int(State.DREAMING)
        for_ever = Step(word=word, scripted=word, rank=rank, starts=starts)
        return replace(self, steps=(*going, for_ever))


def failing(script: Script) -> Script:
    """Return the script of a generation that fails where this one would have been completed."""
    return (*script[:-1], ("failed", None))


def _checked(seconds: float) -> float:
    if not seconds >= 0:
        raise ValueError(f"a state lasts 0 seconds or more, not {seconds!r}")
    return seconds
