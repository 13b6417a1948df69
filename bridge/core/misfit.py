"""Misfits: what is wrong with an option, and where inside of it."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import fields
from typing import Any, TypeAlias

Steps: TypeAlias = tuple[str | int, ...]


class Misfit(ValueError):
    """An option that does not fit; the message quotes nothing of it, for it may be secret.

    `path` leads from the option to the wrong value, `at` to the wrong character in that;
    `key`: the mistake is its key. The value is the near miss of one of `words`: `word` is
    compared with them and never shown.
    """

    def __init__(
        self,
        message: str,
        *,
        path: Steps = (),
        at: int = 0,
        key: bool = False,
        hint: str = "",
        word: str = "",
        words: Collection[str] = (),
    ) -> None:
        super().__init__(message)
        self.path = path
        self.at = at
        self.key = key
        self.hint = hint
        self.word = word
        self.words = words

    def below(self, *steps: str | int) -> "Misfit":
        """Return the same mistake, told from further out."""
        self.path = (*steps, *self.path)
        return self


class Misfits(ValueError):
    """Several of them, in any order."""

    def __init__(self, each: Collection[Misfit]) -> None:
        super().__init__("; ".join(map(str, each)))
        self.each = tuple(each)


def unfit(options: Any) -> Iterator[Misfit]:  # noqa: ANN401  (any dataclass)
    """Yield what the checks of a dataclass's fields find in their own values.

    The metadata `{"check": CHECK}` of a field has a function from its value to misfits, as they
    are told from the field inwards.
    """
    for option in fields(options):
        check = option.metadata.get("check")
        if check is not None:
            for misfit in check(getattr(options, option.name)):
                yield misfit.below(option.name)


def refuse(found: Iterable[Misfit]) -> None:
    """Raise what was found, if anything was."""
    each = tuple(found)
    if each:
        raise Misfits(each)


def told(error: ValueError) -> tuple[Misfit, ...]:
    """Return what a value error says: each mistake that it holds, none where it has no place."""
    if isinstance(error, Misfits):
        return error.each
    return (error,) if isinstance(error, Misfit) else ()
