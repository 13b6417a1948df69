"""Where a listing goes on (PROVIDERS, section 6)."""

from dataclasses import dataclass
from typing import Any

from bridge.core.reading.api import Paging
from bridge.core.reading.places import Find, as_text, nothing, present
from bridge.core.reading.templates import Value, names

_COUNTED = ("seen", "page")
_MOST_DIGITS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a listing.

    A cursor is a link, or the value of the one name that the question wants to know.
    """

    paging: Paging
    turns_by: str
    cursor: str | None

    @property
    def link(self) -> str | None:
        """The link that the page before gave; None: the question itself asks for it."""
        return self.cursor if self.turns_by == "link" else None

    @property
    def values(self) -> dict[str, Value]:
        """What the question may name."""
        if self.turns_by in _COUNTED:
            return {self.turns_by: self._count()}
        return {self.turns_by: self.cursor} if self.cursor and self.turns_by else {}

    def following(self, document: Any, entries: list[Any], one: Find) -> str | None:  # noqa: ANN401  (any document)
        """Return the cursor of the next page, None: this is the last.

        `entries` are those of this page, `one` finds the id of an entry.
        """
        paging = self.paging
        onward = as_text(paging.next(document))
        if self.turns_by in ("link", "next"):
            return onward or None
        if not self.turns_by or not self._more(document, len(entries)):
            return None
        if self.turns_by in _COUNTED:
            step = len(entries) if self.turns_by == "seen" else 1
            return str(self._count() + step)
        return as_text(one(entries[-1])) or None

    def _more(self, document: Any, entries: int) -> bool:  # noqa: ANN401  (any document)
        if self.paging.more is None:
            return entries >= self.paging.size
        return present(self.paging.more(document))

    def _count(self) -> int:
        return int(self.cursor) if self.cursor else int(self.turns_by == "page")


def page_of(paging: Paging, cursor: str | None) -> Page | None:
    """Return the page that a cursor means (None: the first), None where it means nothing."""
    turns_by = _turns_by(paging)
    if cursor is not None and turns_by in _COUNTED and not _counts(cursor):
        return None
    return Page(paging=paging, turns_by=turns_by, cursor=cursor)


def _turns_by(paging: Paging) -> str:
    call = paging.call
    wanted = names(call.url) if isinstance(call.url, str) else frozenset[str]()
    for _, template in call.query:
        wanted |= names(template)
    wanted |= names(repr(call.json))
    for name in (*_COUNTED, "last", "next"):
        if name in wanted:
            return name
    return "link" if paging.next is not nothing else ""


def _counts(cursor: str) -> bool:
    return cursor.isascii() and cursor.isdigit() and len(cursor) <= _MOST_DIGITS
