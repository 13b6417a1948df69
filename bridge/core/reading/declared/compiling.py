"""From the keys of an `http` source to the `Api` that is asked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from bridge.core.ladder import State
from bridge.core.reading import api, dialect
from bridge.core.reading.declared.answers import (
    Complaining,
    Failing,
    Linking,
    Reading,
    Result,
    Rungs,
)
from bridge.core.reading.declared.asking import Awaited, Batching, Getting, Holding, Listing
from bridge.core.reading.declared.expression import Expression
from bridge.core.reading.declared.values import Codes
from bridge.core.reading.places import Find, nothing, present
from bridge.core.reading.wordform import Words

RATE = 5.0
"""Requests a second, unless the source says `rate_limit`."""

_SIZE = re.compile(r"[1-9][0-9]{0,3}")
_SIZED = re.compile(r"limit|size|count|per|max|num", re.IGNORECASE)
_USUAL = dialect.Complaints()


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """The keys of a source, as they are compiled."""

    get: Getting
    read: Reading
    headers: Mapping[str, str] = field(repr=False)
    hosts: tuple[str, ...] = ()
    hold: Holding | None = None
    batch: Batching | None = None
    list: Listing | None = None
    trouble: Complaining | None = None
    result: Result | None = None
    links: Linking | None = None
    gone: bool = False
    hint: str = ""
    floor: timedelta = timedelta()


def compiled(told: Description) -> api.Api:
    """Return the API that is described."""
    links = told.links or Linking()
    speak = _Speaking(complaints=_complaints(told.trouble), links=links)
    return api.Api(
        dialect=speak.dialect(told.read),
        get=api.Call(
            url=told.get.url,
            method=told.get.method,
            query=_pairs(told.get.query),
            json=told.get.json if told.get.method != "GET" else None,
        ),
        rate=RATE,
        floor=told.floor,
        headers=_pairs(told.headers),
        hosts=told.hosts,
        hold=_hold(told.hold) if told.hold else None,
        batch=_batch(told.batch, told.read, speak) if told.batch else None,
        listing=_listing(told.list, told.read, speak) if told.list else None,
        result=_result(told.result) if told.result else None,
        link=_link(links),
        hint=told.hint,
        renews_links=links.renew,
        gone_is_final=told.gone,
    )


def _hold(hold: Holding) -> api.Holding:
    return api.Holding(
        query=_pairs(hold.query),
        headers=_pairs(hold.headers),
        limit=hold.limit,
        words=_awaited(hold.words),
    )


def _awaited(words: Awaited) -> dict[State, str]:
    said = {
        State.QUEUED: words.queued,
        State.DREAMING: words.dreaming,
        State.COMPLETED: words.completed,
    }
    return {state: word for state, word in said.items() if word is not None}


def _batch(batch: Batching, read: Reading, speak: "_Speaking") -> api.Batching:
    return api.Batching(
        call=api.Call(
            url=batch.url,
            method=batch.method,
            query=_pairs(batch.query),
            json=batch.json if batch.method != "GET" else None,
        ),
        most=batch.limit,
        items=_find(batch.items),
        dialect=speak.dialect(read.over(batch.read)),
    )


def _listing(listing: Listing, read: Reading, speak: "_Speaking") -> api.Paging:
    return api.Paging(
        call=api.Call(url=listing.url, query=_pairs(listing.query)),
        size=_size(listing.query),
        items=listing.items.find if listing.items else None,
        more=listing.more.find if listing.more else None,
        next=_find(listing.next),
        dialect=speak.dialect(read.over(listing.read)),
    )


def _size(query: Mapping[str, str]) -> int:
    """Return how many a page has at most; 1: unknown, then only an empty page is the last."""
    told = (v for name, v in query.items() if _SIZED.search(name) and _SIZE.fullmatch(v))
    return max(map(int, told), default=1)


def _result(result: Result) -> api.SecondCall:
    return api.SecondCall(
        call=api.Call(url=result.url, query=_pairs(result.query)),
        outputs=result.outputs.find,
        values=_finders(result.with_),
    )


def _link(links: Linking) -> api.LinkTemplate | None:
    if links.template is None:
        return None
    return api.LinkTemplate(
        template=links.template, type=links.type, values=_finders(links.with_)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Speaking:
    """What is the same wherever a generation is spoken of."""

    complaints: dialect.Complaints
    links: Linking

    def dialect(self, read: Reading) -> dialect.Dialect:
        """Return how documents speak that are read so."""
        failing = read.failure or Failing()
        more: dict[str, Find] = {}
        if read.id is not None:
            more["id"] = read.id.find
        if read.of is not None:
            more["full"] = read.of.find
        return dialect.Dialect(
            words=Words.of((read.states or Rungs()).listed),
            state=_find(read.state),
            by_status=read.by_status.rungs if read.by_status else {},
            failed_if=_find(read.failed_if),
            outputs=read.outputs.find if read.outputs else nothing,
            code=_find(failing.code),
            reason=_find(failing.reason),
            progress=_find(read.progress),
            created_at=_find(read.created_at),
            model=_find(read.model),
            life=self.links.live,
            needs_key=self.links.key,
            complaints=self.complaints,
            **more,
        )


def _complaints(told: Complaining | None) -> dialect.Complaints:
    """Return the complaints that are listed, besides those that all APIs share."""
    if told is None:
        return _USUAL
    return dialect.Complaints(
        status=told.status.find if told.status else _USUAL.status,
        code=told.code.find if told.code else _USUAL.code,
        missing=_USUAL.missing | _codes(told.missing),
        busy=_codes(told.busy),
        refused=_codes(told.refused),
        missing_if=_either(told.missing_if, _USUAL.missing_if),
        retry_after=told.retry_after.find if told.retry_after else _USUAL.retry_after,
        ok=told.ok.find if told.ok else None,
    )


def _either(one: Expression | None, usual: Find) -> Find:
    if one is None:
        return usual
    return lambda document: present(one.find(document)) or usual(document)


def _codes(codes: Codes | None) -> frozenset[str]:
    return codes.listed if codes else frozenset()


def _find(expression: Expression | None) -> Find:
    return expression.find if expression else nothing


def _finders(expressions: Mapping[str, Expression]) -> dict[str, Find]:
    return {name: expression.find for name, expression in expressions.items()}


def _pairs(texts: Mapping[str, str]) -> api.Pairs:
    return tuple(texts.items())
