"""Discovering: how far the rounds through the lists of sources have come."""

import msgspec
from sqlalchemy import Text, select
from sqlalchemy.dialects.postgresql import insert

from bridge.core.discovery import Discovery
from bridge.core.text.jsontext import encode
from bridge.store.listing import instant
from bridge.store.searching import moment
from bridge.store.sql import Now, Query, Statement, Transaction, given
from bridge.store.tables import discoveries

c = discoveries.c

READ = Statement(
    "read how far discovery has come",
    select(c.since, c.anchor, c.updated_at).where(c.source == given("source", Text())),
)
_round = insert(discoveries).values(
    source=given("source", Text()),
    since=given("since"),
    anchor=given("anchor", Text()),
    updated_at=Now(),
)
SET = Statement(
    "set how far discovery has come",
    _round.on_conflict_do_update(
        index_elements=[c.source],
        set_={name: _round.excluded[name] for name in ("since", "anchor", "updated_at")},
    ),
)


def read(source: str) -> Transaction[Discovery | None]:
    """Return how far the rounds of a source have come; None: there was none yet."""
    rows = yield Query(READ, {"source": source})
    if not rows:
        return None
    since, anchor, updated_at = rows[0]
    return Discovery(
        source=source,
        since=instant(since),
        anchor=anchor_of(anchor),
        updated_at=instant(updated_at),
    )


def set_(discovery: Discovery) -> Transaction[None]:
    """Set how far the rounds of a source have come."""
    values = {
        "source": discovery.source,
        "since": moment(discovery.since),
        "anchor": anchor_text(discovery.anchor),
    }
    yield Query(SET, values)


def anchor_text(ids: tuple[str, ...]) -> str:
    """Return ids as ASCII JSON."""
    return encode(ids).decode("ascii")


def anchor_of(text: str) -> tuple[str, ...]:
    """Return ids from their text."""
    return _IDS.decode(text)


_IDS = msgspec.json.Decoder(tuple[str, ...])
