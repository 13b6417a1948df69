"""Keys of an `http` source that say what the API is asked."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from bridge.core.misfit import Misfit, refuse
from bridge.core.reading.declared.answers import Reading, about, needed
from bridge.core.reading.declared.expression import Expression
from bridge.core.reading.declared.holes import (
    ALWAYS,
    body_flaws,
    header_flaws,
    named,
    place_flaws,
    query_flaws,
)

Method = Literal["GET", "POST"]

_LONGEST_HOLD = timedelta(minutes=10)
_MOST_IDS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Getting:
    """The question about one generation."""

    url: str = needed("A path after base_url, such as /jobs/{id}.")
    method: Method = about("GET or POST.", default="GET")
    query: Mapping[str, str] = about("Parameters.", default_factory=dict, repr=False)
    json: Any = about("The body of a POST.", repr=False)

    def __post_init__(self) -> None:
        """Refuse a question that cannot be asked, or is the same for every generation."""
        refuse(self._flaws())

    def _flaws(self) -> Iterator[Misfit]:
        known = ("id", *ALWAYS)
        yield from place_flaws(self.url, known)
        yield from query_flaws(self.query, known)
        yield from body_flaws(self.json, known)
        yield from bodiless(self.method, self.json)
        if "id" not in named((self.url, self.query, self.json)):
            yield Misfit(
                "{id} stands nowhere: every generation would be asked about alike",
                path=("url",),
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Awaited:
    """The API's words to wait for, per rung; default: the rung's own."""

    queued: str | None = about("Waited for until it is queued.")
    dreaming: str | None = about("Waited for until it is being made.")
    completed: str | None = about("Waited for until it is there.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What makes the question a long poll; {until} is the rung in the API's word."""

    query: Mapping[str, str] = about("Parameters.", default_factory=dict, repr=False)
    headers: Mapping[str, str] = about("Headers.", default_factory=dict, repr=False)
    limit: timedelta = about(
        "When the API answers at the latest.", default=timedelta(seconds=30)
    )
    words: Awaited = about("What {until} is.", default_factory=Awaited)

    def __post_init__(self) -> None:
        """Refuse a long poll that is none."""
        refuse(self._flaws())

    def _flaws(self) -> Iterator[Misfit]:
        known = ("id", "until", *ALWAYS)
        yield from query_flaws(self.query, known)
        yield from header_flaws(self.headers, known)
        if not self.query and not self.headers:
            yield Misfit("a hold adds something to the question: `query` or `headers`")
        if not timedelta(seconds=1) <= self.limit <= _LONGEST_HOLD:
            yield Misfit("expected a limit from 1s to 10m", path=("limit",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Batching:
    """The question about many generations at once."""

    url: str = needed("A path after base_url.")
    method: Method = about("GET or POST.", default="GET")
    query: Mapping[str, str] = about("Parameters.", default_factory=dict, repr=False)
    json: Any = about("The body of a POST.", repr=False)
    limit: int = about("Ids in one question at most.", default=50)
    items: Expression | None = about("Where the generations are; default: all is searched.")
    read: Reading | None = about("Where one of many says it differently.")

    def __post_init__(self) -> None:
        """Refuse a question that cannot be asked."""
        refuse(self._flaws())

    def _flaws(self) -> Iterator[Misfit]:
        yield from place_flaws(self.url, ALWAYS)
        yield from query_flaws(self.query, ("ids", "until", *ALWAYS))
        yield from body_flaws(self.json, ("ids", *ALWAYS))
        yield from bodiless(self.method, self.json)
        if "ids" not in named((self.query, self.json)):
            yield Misfit("{ids} stands neither in `query` nor in `json`", path=("url",))
        if not 1 <= self.limit <= _MOST_IDS:
            yield Misfit(f"expected a number from 1 to {_MOST_IDS}", path=("limit",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Pages of all generations of the account, newest first."""

    url: str = needed("A path after base_url.")
    query: Mapping[str, str] = about(
        "Parameters, with {seen}, {page}, {last} or {next}.",
        default_factory=dict,
        repr=False,
    )
    items: Expression | None = about("Where the list is; default: the first of objects.")
    more: Expression | None = about("True where another page follows.")
    next: Expression | None = about("A link to the next page, or what {next} is.")
    read: Reading | None = about("Where one of many says it differently.")

    def __post_init__(self) -> None:
        """Refuse a question that cannot be asked."""
        refuse(self._flaws())

    def _flaws(self) -> Iterator[Misfit]:
        yield from place_flaws(self.url, ("seen", "page", *ALWAYS))
        yield from query_flaws(self.query, ("seen", "page", "last", "next", *ALWAYS))
        if "next" in named(self.query) and self.next is None:
            yield Misfit("missing", path=("next",), hint="{next} is what it finds")


def bodiless(method: str, json: object) -> Iterator[Misfit]:
    """Yield a misfit for a body where none is sent."""
    if method == "GET" and json:
        yield Misfit("a GET has no body", path=("json",), hint="write method: POST")
