"""The ladder of states that every provider's words are mapped to."""

from enum import IntEnum
from typing import Self

UNSEEN = -1
"""The rank of a generation that no look has found yet."""


class State(IntEnum):
    """A rung; its value is its rank. A generation only ever climbs."""

    QUEUED = 0
    DREAMING = 1
    COMPLETED = 2
    FAILED = 3

    @property
    def word(self) -> str:
        """The rung as users write and read it."""
        return _WORDS[self]

    @property
    def terminal(self) -> bool:
        """Whether no later answer about the generation is news."""
        return self >= State.COMPLETED

    @classmethod
    def of(cls, word: str) -> Self:
        """Return the rung that a user's word means; `processing` is an alias of `dreaming`.

        Raises ValueError for any other word.
        """
        try:
            return cls[_ALIASES.get(word, word).upper()]
        except KeyError:
            raise ValueError(f"not a state: {word!r}") from None


_ALIASES = {"processing": "dreaming"}
_WORDS = tuple(state.name.lower() for state in State)


def word(rank: int) -> str | None:
    """Return the word of a rank, None for a generation that was never seen."""
    return None if rank == UNSEEN else State(rank).word


def skipped(known: int, reached: State) -> tuple[State, ...]:
    """Return the rungs that lie between the known rank and the rung reached.

    `failed` stands above `completed` in rank only: a generation that fails has not skipped its
    completion.
    """
    return tuple(s for s in State if known < s < reached and s is not State.COMPLETED)
