"""The conversation with an API: from a look to its requests, from the answers to a reading."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from bridge.core.ladder import State
from bridge.core.looking import (
    Asking,
    Batch,
    Get,
    Hold,
    Listing,
    Look,
    Observation,
    Rejected,
    Seen,
    Trouble,
)
from bridge.core.network.exchange import Request, Unanswered
from bridge.core.network.masking import MASK
from bridge.core.reading.api import Api, SecondCall
from bridge.core.reading.ids import fit
from bridge.core.reading.linking import linked
from bridge.core.reading.minting import secrets_of
from bridge.core.reading.pages import Page, page_of
from bridge.core.reading.questions import Questions
from bridge.core.reading.reading import read_many, read_one, read_page
from bridge.core.reading.second import read_result
from bridge.core.reading.wait import hinted

_PLAIN: Mapping[str, str] = {}


def converse(
    api: Api, look: Look, *, base_url: str, key: str, also: Mapping[str, str] = _PLAIN
) -> Asking:
    """Ask what a look wants to know, and return what the API says.

    A look that the API does not know is rejected without a request; a hold without
    `Api.hold` is a plain look. `also` has further values for the templates.
    """
    shown = key
    if api.mint is not None:
        if look.at is None:
            return _rejected("the key is made into a token, which needs to know the time")
        shown = api.mint(key, look.at)
    home = base_url.rstrip("/")
    talk = _Talk(
        api=api,
        questions=Questions(
            api=api, home=home, known={**also, "key": shown, "base_url": home}
        ),
        secrets=secrets_of(key, shown),
    )
    return _veiled(_begun(talk, look), talk.secrets)


def _begun(talk: "_Talk", look: Look) -> Asking:
    match look:
        case Get(id=one):
            return talk.one(one)
        case Hold(id=one, until=until):
            return talk.one(one, until)
        case Batch():
            return talk.many(look)
        case Listing(cursor=cursor):
            return talk.page(cursor)


def _veiled(asking: Asking, secrets: Sequence[str]) -> Asking:
    """Return what a conversation says, without secrets that the API echoes in its words.

    State words and models go to the log and to people, as reasons do.
    """
    reading = yield from asking
    if isinstance(reading, Seen):
        shown = tuple(_without(one, secrets) for one in reading.observations)
        return replace(reading, observations=shown)
    if isinstance(reading, Trouble) and reading.seen is not None:
        return replace(reading, seen=_without(reading.seen, secrets))
    return reading


def _without(seen: Observation, secrets: Sequence[str]) -> Observation:
    said = (seen.native_state or "") + seen.model
    if not any(secret in said for secret in secrets):
        return seen
    word, model = seen.native_state, seen.model
    for secret in secrets:
        word = None if word is None else word.replace(secret, MASK)
        model = model.replace(secret, MASK)
    return replace(seen, native_state=word, model=model)


def _rejected(why: str) -> Asking:
    yield from ()
    return Rejected(why=why)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Talk:
    """One look at one API."""

    api: Api
    questions: Questions
    secrets: Sequence[str] = field(repr=False)

    def one(self, one: str, until: State | None = None) -> Asking:
        """Ask about one generation, and for its outputs where that takes a second call."""
        request = self.questions.about(one, until)
        if isinstance(request, Rejected):
            return request
        answer = yield request
        if isinstance(answer, Unanswered):
            return Trouble(why=answer.reason)
        reading = read_one(answer, one, self.api.dialect, secrets=self.secrets)
        if not isinstance(reading, Seen):
            return reading
        (seen,) = reading.observations
        if self.api.result is not None and seen.state is State.COMPLETED:
            return (yield from self._second(seen, self.api.result))
        again = hinted(answer.headers, self.api.hint)
        return Seen(observations=(self._linked(seen, request.url),), again=again)

    def _second(self, seen: Observation, call: SecondCall) -> Asking:
        request = self.questions.result(seen)
        if isinstance(request, Rejected):
            return Trouble(why=f"the second call: {request.why}", seen=seen)
        answer = yield request
        if isinstance(answer, Unanswered):
            return Trouble(why=answer.reason, seen=seen)
        return read_result(answer, seen, self.api, call, self.secrets)

    def many(self, look: Batch) -> Asking:
        """Ask about many generations at once; with `until`, ask to be answered later."""
        batch, ids = self.api.batch, look.ids
        if batch is None:
            return Rejected(why="this API answers for one generation at a time")
        # An id that cannot be asked about stays unseen; asked alone, it is told why.
        fitting = fit(ids)
        if not fitting or len(ids) > batch.most:
            return Rejected(why=f"a batch has 1 to {batch.most} ids")
        request = self.questions.together(batch.call, fitting, look.until)
        if isinstance(request, Rejected):
            return request
        answer = yield request
        if isinstance(answer, Unanswered):
            return Trouble(why=answer.reason)
        dialect = batch.dialect or self.api.dialect
        reading = read_many(
            answer,
            ids,
            dialect,
            known=look.known,
            within=batch.items,
            secrets=self.secrets,
        )
        return self._whole(reading) if isinstance(reading, Seen) else reading

    def _whole(self, seen: Seen) -> Seen:
        """Leave out what needs a second call: an unseen one is asked alone next."""
        half = {
            one.id
            for one in seen.observations
            if self.api.result is not None and one.state is State.COMPLETED
        }
        told = (self._linked(one) for one in seen.observations if one.id not in half)
        return replace(seen, observations=tuple(told), unseen=(*seen.unseen, *sorted(half)))

    def page(self, cursor: str | None) -> Asking:
        """Ask for a page of all generations."""
        paging = self.api.listing
        page = page_of(paging, cursor) if paging else None
        if paging is None or page is None:
            return Rejected(
                why="a cursor comes from the page before"
                if paging
                else "this API has no list"
            )
        request = self._turned(page)
        if isinstance(request, Rejected):
            return request
        answer = yield request
        if isinstance(answer, Unanswered):
            return Trouble(why=answer.reason)
        dialect = paging.dialect or self.api.dialect
        reading = read_page(
            answer,
            dialect,
            entries=paging.items,
            following=lambda found, entries: page.following(found, entries, dialect.id),
            secrets=self.secrets,
        )
        if not isinstance(reading, Seen):
            return reading
        told = tuple(map(self._linked, reading.observations))
        return replace(reading, observations=told)

    def _turned(self, page: Page) -> Request | Rejected:
        if page.link is not None:
            return self.questions.at(page.link)
        return self.questions.call(page.paging.call, page.values)

    def _linked(self, seen: Observation, asked: str | None = None) -> Observation:
        if self.api.link is None or seen.state is not State.COMPLETED:
            return seen
        return linked(seen, self.api.link, self.questions, self.api.dialect, asked)
