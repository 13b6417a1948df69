"""State words: which rung a provider's own word means (PROVIDERS, rule 3)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Self, TypeAlias

from bridge.core.ladder import State
from bridge.core.text.cleantext import clean

Listed: TypeAlias = str | bool | None
"""What may be listed as a state word; a boolean or null counts only where it is listed."""

_ALIKE = str.maketrans(" -", "__")

_OURS = {
    State.QUEUED: "queued",
    State.DREAMING: "running",
    State.COMPLETED: "done",
    State.FAILED: "failed",
}
"""What stands for the word of an API that has only a boolean (`done` at Veo)."""


class Spoken(NamedTuple):
    """A word as the provider wrote it, and its rung; None: a word that nobody knows."""

    native: str
    state: State | None


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one API."""

    known: Mapping[str, Spoken]

    @classmethod
    def of(cls, rungs: Mapping[State, Collection[Listed]]) -> Self:
        """Return the words of an API, given per rung."""
        return cls(
            {
                _form(word): Spoken(word if isinstance(word, str) else _OURS[state], state)
                for state, words in rungs.items()
                for word in words
            }
        )

    def read(self, value: object) -> Spoken | None:
        """Return what a value at the state's place says; None: it is no word.

        Case, outer spaces and the difference between space, `-` and `_` do not count, and
        cancelled is canceled. A number is a word without a rung; an object, an array, an
        empty text, null and booleans are words only where they are listed.
        """
        if isinstance(value, str):
            return self._text(value)
        if value is None or isinstance(value, bool):
            return self.known.get(_form(value))
        if isinstance(value, int | float):
            return Spoken(clean(repr(value)), None)
        return None

    def speaks(self, value: object) -> bool:
        """Return whether a value at the state's place is a word, known or not."""
        return (isinstance(value, str) and value in self.known) or (
            self.read(value) is not None
        )

    def rung(self, value: object) -> State | None:
        """Return the rung that a value means, None: it is no word, or one that nobody knows."""
        spoken = self.known.get(value) if isinstance(value, str) else None
        spoken = spoken or self.read(value)
        return None if spoken is None else spoken.state

    def _text(self, value: str) -> Spoken | None:
        spoken = self.known.get(value)
        if spoken is not None and spoken.native == value:
            return spoken
        spoken = self.known.get(_form(value))
        if spoken is not None:
            return Spoken(clean(value), spoken.state)
        return Spoken(clean(value), None) if value.strip() else None


def folded(word: str) -> str:
    """Return the form in which words are compared."""
    return snake(word).replace("cancelled", "canceled")


def snake(word: str) -> str:
    """Return the word in lower case with `_`, as it serves for a failure's code."""
    return word.strip().lower().translate(_ALIKE)


def _form(word: Listed) -> str:
    # No text folds to a form with a space in it, so "null" is never taken for null.
    return folded(word) if isinstance(word, str) else f"the value {word}"
