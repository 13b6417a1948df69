"""Any API that one GET or POST asks, described in YAML: `docs/providers/http.md` tells how."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import timedelta
from typing import Any

from bridge.core.misfit import Misfit, refuse, unfit
from bridge.core.reading.api import BEARER, Api
from bridge.core.reading.declared import tracing
from bridge.core.reading.declared.answers import (
    Complaining,
    Gone,
    Linking,
    Result,
    WholeReading,
    about,
    needed,
)
from bridge.core.reading.declared.asking import Batching, Getting, Holding, Listing
from bridge.core.reading.declared.compiling import Description, compiled
from bridge.core.reading.declared.holes import ALWAYS, header_flaws, named
from bridge.core.reading.declared.values import Pause
from bridge.core.reading.described import Described

_HOST = re.compile(r"(\*\.)?[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+", re.ASCII)
_HEADER = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)


_QUESTIONS = ("get", "hold", "batch", "list", "result")
"""Keys whose values say what is asked, in templates."""

_TEMPLATES = ("url", "query", "json", "headers")


def _strange_headers(headers: Mapping[str, str]) -> Iterator[Misfit]:
    yield from header_flaws(headers or {}, ALWAYS, ())


def _strange_hosts(hosts: Sequence[str]) -> Iterator[Misfit]:
    for number, host in enumerate(hosts):
        if not _HOST.fullmatch(host):
            hint = "such as api.acme.example or *.acme.example"
            yield Misfit("expected a host", path=(number,), hint=hint)


def _strange_hint(hint: str) -> Iterator[Misfit]:
    if hint and not _HEADER.fullmatch(hint):
        yield Misfit("expected the name of a header")


def _part(written: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return the keys under a key; none where something else stands there."""
    part = written.get(key)
    return part if isinstance(part, Mapping) else {}


def _templates(written: Mapping[str, Any]) -> Iterator[Any]:
    """Yield every template of a question, whatever it was given as."""
    yield written.get("headers")
    for key in _QUESTIONS:
        yield from (_part(written, key).get(name) for name in _TEMPLATES)


def _keyed(option: object) -> object:
    if isinstance(option, type) or not is_dataclass(option):
        return option
    return {one.name: getattr(option, one.name) for one in fields(option)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider(Described):
    """Asks the API that its options describe."""

    base_url: str
    api_key: str = field(default="", repr=False)
    headers: Mapping[str, str] | None = about(
        "Headers of every question; default: authorization: Bearer {key}.",
        check=_strange_headers,
        repr=False,
    )
    hosts: tuple[str, ...] = about(
        "Further hosts that may get the key when an id is a URL.",
        check=_strange_hosts,
        default=(),
    )
    get: Getting = needed("What is asked about one generation.")
    hold: Holding | None = about("How to be answered when something changes.")
    batch: Batching | None = about("What is asked about many at once.")
    list: Listing | None = about("What is asked about all of them.")
    read: WholeReading = needed("Where an answer holds what.")
    trouble: Complaining | None = about("How an answer says that there is none.")
    result: Result | None = about("A second call, once it is completed.")
    links: Linking | None = about("What is to be known of links.")
    gone: Gone | None = about("final: what was seen and is gone does not come back.")
    hint: str = about(
        "A header with the time to the next look.", check=_strange_hint, default=""
    )
    floor: Pause = about(
        "The least time between two looks.", default=Pause(timedelta(seconds=5))
    )
    api: Api = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compile it; raises Misfits with the place of every mistake."""
        refuse([*unfit(self), *self.mismatches(self._written())])
        object.__setattr__(self, "api", compiled(self._described()))

    def trace(self, documents: Sequence[Any]) -> Iterator[tracing.Found]:
        """Yield what each expression finds: in the first answer's document, and in the second's."""
        first = documents[0] if documents else None
        if isinstance(first, Sequence) and len(first) == 1:
            first = first[0]
        yield from tracing.of_reading(self.read, first)
        if self.trouble is not None:
            yield from tracing.of_trouble(self.trouble, first)
        if self.result is not None:
            yield from tracing.of_names(self.result, first)
        if self.result is not None and len(documents) > 1:
            yield from tracing.of_result(self.result, documents[1])

    def _described(self) -> Description:
        return Description(
            get=self.get,
            read=self.read,
            headers=self._headers(),
            hosts=self.hosts,
            hold=self.hold,
            batch=self.batch,
            list=self.list,
            trouble=self.trouble,
            result=self.result,
            links=self.links,
            gone=self.gone == "final",
            hint=self.hint,
            floor=self.floor.span,
        )

    def _headers(self) -> Mapping[str, str]:
        if self.headers is not None:
            return self.headers
        return dict(BEARER) if self.api_key else {}

    @classmethod
    def mismatches(cls, written: Mapping[str, Any]) -> Iterator[Misfit]:
        """Yield what is wrong only in view of another key."""
        if "api_key" not in written and "key" in named(list(_templates(written))):
            yield Misfit("missing", path=("api_key",), hint="{key} is what it says")
        get, links = _part(written, "get"), _part(written, "links")
        if "asked" in named(links.get("template")) and "key" in named(
            [get.get("url"), get.get("query")]
        ):
            said = "{asked} holds the key here, and links go to receivers"
            yield Misfit(said, path=("links", "template"))
        batch = _part(written, "batch")
        if "until" in named(batch.get("query")) and "hold" not in written:
            yield Misfit("{until} needs a `hold`", path=("batch", "query"))

    @classmethod
    def unlisted(cls, written: Mapping[str, Any]) -> str | None:
        """Return that there is no `list`, where there is none."""
        return None if "list" in written else "there is no `list` to discover from"

    def _written(self) -> Mapping[str, Any]:
        """Return the options as `mismatches` takes them."""
        keys = ("api_key", "headers", "links", *_QUESTIONS)
        given = ((key, getattr(self, key)) for key in keys)
        return {key: _keyed(option) for key, option in given if option}
