"""Mistakes: what is wrong, where it stands, and what may have been meant."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from typing import TypeAlias

from bridge.errors import ConfigError

MOST_SHOWN = 50
"""Mistakes that one run shows; the rest are counted (OPERATIONS, section 5, rule 7)."""

MOST_COUNTED = 20_000
"""Where counting ends: a file with more mistakes than that is not read further."""

Path: TypeAlias = tuple[str | int, ...]
"""Where a value belongs: `("watches", 0, "id")`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A mistake as it was found: `index` is its place in the text, counted in characters.

    `word` was written where one of `words` would do; which of them is near is only asked
    for the findings that are shown.
    """

    index: int
    path: Path
    message: str
    hint: str = ""
    word: str = ""
    words: Collection[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """A mistake as people and programs read it; lines and columns count from 1."""

    file: str
    line: int
    column: int
    path: str
    message: str
    hint: str = ""
    excerpt: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the place, the sentence, and under it the line with a caret."""
        said = f"{self.path}: {self.message}" if self.path else self.message
        said = f"{said}; {self.hint}" if self.hint else said
        head = f"{self.file}:{self.line}:{self.column}: {said}"
        return "\n".join((head, *(f"    {line}".rstrip() for line in self.excerpt)))


class Wrong(ConfigError):
    """The configuration is wrong: its first mistakes in order of place, and how many."""

    def __init__(self, message: str, mistakes: Sequence[Mistake], total: int) -> None:
        super().__init__(message)
        self.mistakes = tuple(mistakes)
        self.total = total


class Enough(Exception):
    """So many mistakes were found that it is no use to go on."""


class Findings:
    """Collects findings in bounded memory, whatever the file holds."""

    def __init__(self) -> None:
        self._found: list[Finding] = []
        self.total = 0

    def __bool__(self) -> bool:
        return self.total > 0

    def add(self, finding: Finding) -> None:
        """Keep a finding; raises Enough at the last one that is counted."""
        self._found.append(finding)
        self.total += 1
        if len(self._found) >= 20 * MOST_SHOWN:
            self._found = self.first()
        if self.total >= MOST_COUNTED:
            raise Enough

    def first(self) -> list[Finding]:
        """Return the findings to show, in order of place."""
        return nsmallest(MOST_SHOWN, self._found, key=lambda finding: finding.index)
