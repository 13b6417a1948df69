"""Any API that one GET or POST asks, described in YAML: `docs/providers/http.md` tells how."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from bridge.core.misfit import Misfit, refuse
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider(Described):
    """Asks the API that its options describe."""

    base_url: str
    api_key: str = field(default="", repr=False)
    headers: Mapping[str, str] | None = about(
        "Headers of every question; default: authorization: Bearer {key}.", repr=False
    )
    hosts: tuple[str, ...] = about(
        "Further hosts that may get the key when an id is a URL.", default=()
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
    hint: str = about("A header with the time to the next look.", default="")
    floor: Pause = about(
        "The least time between two looks.", default=Pause(timedelta(seconds=5))
    )
    api: Api = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compile it; raises Misfits with the place of every mistake."""
        refuse(self._flaws())
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

    def _flaws(self) -> Iterator[Misfit]:
        yield from header_flaws(self._headers(), ALWAYS)
        for number, host in enumerate(self.hosts):
            if not _HOST.fullmatch(host):
                hint = "such as api.acme.example or *.acme.example"
                yield Misfit("expected a host", path=("hosts", number), hint=hint)
        if self.hint and not _HEADER.fullmatch(self.hint):
            yield Misfit("expected the name of a header", path=("hint",))
        yield from self._mismatches()

    def _mismatches(self) -> Iterator[Misfit]:
        """Yield what is wrong only in view of another key."""
        get, links = self.get, self.links
        if not self.api_key and "key" in named(self._templates()):
            yield Misfit("missing", path=("api_key",), hint="{key} is what it says")
        if links and links.names_asked and "key" in named((get.url, get.query)):
            said = "{asked} holds the key here, and links go to receivers"
            yield Misfit(said, path=("links", "template"))
        if self.batch and "until" in named(self.batch.query) and not self.hold:
            yield Misfit("{until} needs a `hold`", path=("batch", "query"))

    def _templates(self) -> tuple[Any, ...]:
        """Return every template of a question."""
        hold, batch, result = self.hold, self.batch, self.result
        return (
            self.headers or {},
            (self.get.url, self.get.query, self.get.json),
            (hold.query, hold.headers) if hold else (),
            (batch.url, batch.query, batch.json) if batch else (),
            (self.list.url, self.list.query) if self.list else (),
            (result.url, result.query) if result else (),
        )
