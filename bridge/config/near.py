"""Near words: what a misspelt word was most likely meant to be."""

from collections.abc import Iterable
from difflib import SequenceMatcher
from functools import lru_cache

_LONGEST = 64
"""Characters of a word that is compared at all; no key or name of ours is longer."""


def near(word: str, words: Iterable[str]) -> str | None:
    """Return the one of `words` that was probably meant; None: none is near.

    A slip of one finger (a letter too many, too few, wrong, or two swapped) always counts
    as near; case and the choice between `-` and `_` never count.
    """
    if len(word) > _LONGEST:
        return None
    given = _folded(word)
    best = min(((_far(given, _folded(c)), c) for c in words), default=None)
    if best is None:
        return None
    (slips, unlike), candidate = best
    return candidate if slips <= max(1, len(given) // 3) or unlike <= 0.3 else None


def _folded(word: str) -> str:
    return word.casefold().replace("-", "_")


@lru_cache(maxsize=4096)  # a file that is wrong ten thousand times is wrong in few ways
def _far(one: str, other: str) -> tuple[int, float]:
    return _slips(one, other), 1 - SequenceMatcher(None, one, other).ratio()


def _slips(one: str, other: str) -> int:
    """Return how many letters were added, lost, changed or swapped with their neighbour."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        before, above, row = row, before, [i]
        for j, wanted in enumerate(other, 1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (letter != wanted)))
            if i > 1 and j > 1 and one[i - 2 : i] == other[j - 1] + other[j - 2]:
                row[-1] = min(row[-1], above[j - 2] + 1)
    return row[-1]
