"""From a provider's answer to a reading (PROVIDERS, section 2)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from bridge.core.looking import Reading, Seen, Trouble
from bridge.core.network.exchange import Response
from bridge.core.reading.complaint import Complaint
from bridge.core.reading.dialect import Dialect
from bridge.core.reading.document import Document, document
from bridge.core.reading.items import NOTHING_KNOWN, first_list, items
from bridge.core.reading.observing import observation
from bridge.core.reading.places import Find, as_text, nothing
from bridge.core.reading.wordform import Spoken

Next: TypeAlias = Callable[[Any, list[Any]], str | None]
"""Returns the cursor after a page with these entries, None: it was the last."""


def read_one(
    response: Response, one: str, dialect: Dialect, *, secrets: Sequence[str] = ()
) -> Reading:
    """Return what the answer to a look at one generation says.

    A word in it speaks of the id that was asked, whatever id the document carries. None
    of `secrets` shows up in a reason.
    """
    if response.status in dialect.by_status:
        return _read_status(response, one, dialect)
    found = opened(response, dialect, secrets=secrets, single=True)
    if not isinstance(found, Document):
        return found
    value, text = _lone(found, one, dialect), None
    if value is found.value and found.plain:
        text = response.body
    seen = observation(value, one, dialect, response.received_at, text)
    if seen is not None:
        return Seen(observations=(seen,))
    return _complaint(response, value, dialect, secrets, single=True).by_document()


def read_many(
    response: Response,
    ids: Sequence[str],
    dialect: Dialect,
    *,
    known: Mapping[str, int] = NOTHING_KNOWN,
    within: Find = nothing,
    secrets: Sequence[str] = (),
) -> Reading:
    """Return what the answer to a batch says; ids that it does not speak of are unseen.

    `within` narrows where they are looked for, if it finds an array or an object. Of ids that
    still have the rank that is `known` nothing more is said.
    """
    found = opened(response, dialect, secrets=secrets, single=False)
    if not isinstance(found, Document):
        return found
    narrowed = within(found.value)
    listed = items(
        narrowed if isinstance(narrowed, dict | list) else found.value,
        dialect,
        response.received_at,
        asked=frozenset(ids),
        known=known,
    )
    if not listed.spoken:
        complaint = _complaint(response, found.value, dialect, secrets, single=False)
        if complaint.speaks or not listed.container:
            return complaint.by_document()
    # Mostly there are none of either: whoever waits is still what it was.
    still = listed.still
    rest = (
        [one for one in dict.fromkeys(ids) if one not in still]
        if len(still) < len(ids)
        else []
    )
    return Seen(
        observations=tuple(listed.seen[one] for one in rest if one in listed.seen),
        unseen=tuple(one for one in rest if one not in listed.seen),
        still=tuple(listed.still),
        observed_at=response.received_at,
    )


def read_page(
    response: Response,
    dialect: Dialect,
    *,
    entries: Find | None,
    following: Next,
    secrets: Sequence[str] = (),
) -> Reading:
    """Return what a page of a listing says; `entries` finds its list in the document.

    None: the first list of objects is it.
    """
    found = opened(response, dialect, secrets=secrets, single=False)
    if not isinstance(found, Document):
        return found
    page = first_list(found.value) if entries is None else entries(found.value)
    if not isinstance(page, list):
        return _complaint(
            response, found.value, dialect, secrets, single=False
        ).by_document()
    listed = items(page, dialect, response.received_at, asked=None)
    return Seen(
        observations=tuple(listed.seen.values()),
        # A page without entries is the last, or a listing that lies would never end.
        next=following(found.value, page) if page else None,
    )


def opened(
    response: Response, dialect: Dialect, *, secrets: Sequence[str], single: bool
) -> Document | Reading:
    """Return the document of a 2xx, of any other answer what it means."""
    found = document(response.body)
    if not 200 <= response.status <= 299:
        value = found.value if isinstance(found, Document) else None
        complaint = _complaint(response, value, dialect, secrets, single=single)
        return complaint.by_status(response.status)
    if isinstance(found, Document):
        return found
    return Trouble(why=found.why, malformed=True)


def _read_status(response: Response, one: str, dialect: Dialect) -> Reading:
    """Return what an answer says whose HTTP status is the state: the body may be a file."""
    if _is_page(response):
        return Trouble(why="the answer is HTML instead of a result", malformed=True)
    found = document(response.body)
    value = found.value if isinstance(found, Document) else None
    native = dialect.words.read(dialect.state(value))
    seen = observation(
        value,
        one,
        dialect,
        response.received_at,
        response.body if isinstance(found, Document) and found.plain else None,
        spoken=Spoken(
            f"HTTP {response.status}" if native is None else native.native,
            dialect.by_status[response.status],
        ),
    )
    return (
        Trouble(why="the answer says nothing")
        if seen is None
        else Seen(observations=(seen,))
    )


def _is_page(response: Response) -> bool:
    # A proxy's own page may come with any status: it must not end a generation.
    start = response.body[:200].lstrip().lower()
    return start.startswith((b"<!doctype html", b"<html"))


def _lone(found: Document, one: str, dialect: Dialect) -> Any:  # noqa: ANN401  (any document)
    """Return what speaks of the one that was asked, also out of a list."""
    if not isinstance(found.value, list):
        return found.value
    if len(found.value) == 1:
        return found.value[0]
    return next((v for v in found.value if as_text(dialect.id(v)) == one), None)


def _complaint(
    response: Response,
    value: object,
    dialect: Dialect,
    secrets: Sequence[str],
    *,
    single: bool,
) -> Complaint:
    return Complaint(
        response=response,
        document=value,
        single=single,
        complaints=dialect.complaints,
        secrets=secrets,
    )
