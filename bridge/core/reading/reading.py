"""From a provider's answer to a reading (PROVIDERS, section 2)."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from bridge.core.looking import Reading, Seen, Trouble
from bridge.core.network.exchange import Response
from bridge.core.reading.complaint import Complaint
from bridge.core.reading.dialect import Dialect
from bridge.core.reading.document import Document, document
from bridge.core.reading.items import items
from bridge.core.reading.observing import observation
from bridge.core.reading.places import Find, as_text

Next: TypeAlias = Callable[[Any, int], str | None]
"""Returns the cursor after a page with so many entries, None: it was the last."""


def read_one(
    response: Response, one: str, dialect: Dialect, *, secret: str = ""
) -> Reading:
    """Return what the answer to a look at one generation says.

    A word in it speaks of the id that was asked, whatever id the document carries. `secret`
    is the source's key, which shows up in no reason.
    """
    found = opened(response, dialect, secret=secret, single=True)
    if not isinstance(found, Document):
        return found
    value, text = _lone(found, one, dialect), None
    if value is found.value and found.plain:
        text = response.body
    seen = observation(value, one, dialect, response.received_at, text)
    if seen is not None:
        return Seen(observations=(seen,))
    return _complaint(response, value, dialect, secret, single=True).by_document()


def read_many(
    response: Response, ids: Sequence[str], dialect: Dialect, *, secret: str = ""
) -> Reading:
    """Return what the answer to a batch says; ids that it does not speak of are unseen."""
    found = opened(response, dialect, secret=secret, single=False)
    if not isinstance(found, Document):
        return found
    listed = items(found.value, dialect, response.received_at, asked=frozenset(ids))
    if not listed.spoken:
        complaint = _complaint(response, found.value, dialect, secret, single=False)
        if complaint.speaks or not listed.container:
            return complaint.by_document()
    asked = dict.fromkeys(ids)
    return Seen(
        observations=tuple(listed.seen[one] for one in asked if one in listed.seen),
        unseen=tuple(one for one in asked if one not in listed.seen),
    )


def read_page(
    response: Response,
    dialect: Dialect,
    *,
    entries: Find,
    following: Next,
    secret: str = "",
) -> Reading:
    """Return what a page of a listing says; `entries` finds its list in the document."""
    found = opened(response, dialect, secret=secret, single=False)
    if not isinstance(found, Document):
        return found
    page = entries(found.value)
    if not isinstance(page, list):
        return _complaint(
            response, found.value, dialect, secret, single=False
        ).by_document()
    listed = items(page, dialect, response.received_at, asked=None)
    return Seen(
        observations=tuple(listed.seen.values()),
        # A page without entries is the last, or a listing that lies would never end.
        next=following(found.value, len(page)) if page else None,
    )


def opened(
    response: Response, dialect: Dialect, *, secret: str, single: bool
) -> Document | Reading:
    """Return the document of a 2xx, of any other answer what it means."""
    found = document(response.body)
    if not 200 <= response.status <= 299:
        value = found.value if isinstance(found, Document) else None
        complaint = _complaint(response, value, dialect, secret, single=single)
        return complaint.by_status(response.status)
    if isinstance(found, Document):
        return found
    return Trouble(why=found.why, malformed=True)


def _lone(found: Document, one: str, dialect: Dialect) -> Any:  # noqa: ANN401  (any document)
    """Return what speaks of the one that was asked, also out of a list."""
    if not isinstance(found.value, list):
        return found.value
    if len(found.value) == 1:
        return found.value[0]
    return next((v for v in found.value if as_text(dialect.id(v)) == one), None)


def _complaint(
    response: Response, value: object, dialect: Dialect, secret: str, *, single: bool
) -> Complaint:
    return Complaint(
        response=response,
        document=value,
        single=single,
        complaints=dialect.complaints,
        secret=secret,
    )
