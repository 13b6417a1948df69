"""One API in words: what it is asked, how it answers, and what it asks of us."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from bridge.core.ladder import State
from bridge.core.looking import Abilities
from bridge.core.reading.dialect import Dialect
from bridge.core.reading.places import Find, first, nothing

Pairs: TypeAlias = tuple[tuple[str, str], ...]
"""Names and templates, in order; a name may stand there twice."""

Mint: TypeAlias = Callable[[str, datetime], str]
"""Makes of the source's key and of the present moment what `{key}` stands for."""

BEARER: Pairs = (("authorization", "Bearer {key}"),)
"""The headers that most APIs want."""


_REASON = first("detail", "error", "message")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A question, in templates (see `templates.py`).

    `url` follows the source's `base_url`, or is a function that gives the template for an
    id. `query` comes after what `url` has of one. `json` is any value whose texts are
    templates; None: no body. `headers` go besides the API's own, or in their place.
    """

    url: str | Callable[[str], str]
    method: str = "GET"
    query: Pairs = ()
    json: Any = None
    headers: Pairs = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A long poll: the plain question, more `query` or `headers`, an answer after `limit` at most.

    `words` are what `{until}` is, per rung; where a rung is absent, the rung's own word.
    """

    query: Pairs
    limit: timedelta
    headers: Pairs = ()
    words: Mapping[State, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batching:
    """One question about up to `most` generations, `{ids}`.

    `items` narrows where they are looked for; where it finds nothing, all of the document
    is searched. `dialect`: how one of them speaks, if not as a single answer does.
    """

    call: Call
    most: int
    items: Find = nothing
    dialect: Dialect | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """Pages of all generations, `size` on each.

    The next page is asked with one of `{seen}` (so many came before), `{page}` (from 1),
    `{last}` (the id that came last) or `{next}` (what `next` found), or at the link that
    `next` found. `more` tells whether there is one; where nothing tells it, a page that is
    not full is the last. `items` finds the list; where it is not given, the first list of
    objects is it.
    """

    call: Call
    size: int = 100
    items: Find | None = None
    more: Find | None = None
    next: Find = nothing
    dialect: Dialect | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondCall:
    """The second call, about a generation that was seen completed.

    It is asked at the link that `link` finds in the first document, if that is the API's
    own; else by `call`, which knows `{id}` and whatever `values` find there. `outputs` and
    `reason` look into its answer. `judges`: a 4xx is the failure of the generation itself,
    where it is none of the statuses that have a meaning for us.
    """

    call: Call
    outputs: Find
    values: Mapping[str, Find] = field(default_factory=dict)
    link: Find = nothing
    judges: bool = False
    reason: Find = _REASON


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkTemplate:
    """A link that follows from the id: `{base_url}`, `{id}`, `{asked}` (the asked URL).

    `values` finds more for the template; without one of them there is no link.
    """

    template: str
    type: str
    values: Mapping[str, Find] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """Everything that a provider has to know of its API.

    `rate` and `floor` are as in `Abilities`, and so are `promises_outputs`, `renews_links`,
    `gone_is_final`, `makes` and `priors`. `hosts` may get the key besides `base_url`'s
    origin. `hint` is a header with the time to the next look: milliseconds where its name
    ends with `-ms`, else seconds.
    """

    dialect: Dialect
    get: Call
    rate: float
    floor: timedelta
    headers: Pairs = BEARER
    mint: Mint | None = None
    hosts: tuple[str, ...] = ()
    hold: Holding | None = None
    batch: Batching | None = None
    listing: Paging | None = None
    result: SecondCall | None = None
    link: LinkTemplate | None = None
    hint: str = ""
    promises_outputs: bool = False
    renews_links: bool = False
    gone_is_final: bool = False
    makes: str = "video"
    priors: Mapping[tuple[str, str], timedelta] = field(default_factory=dict)

    @property
    def abilities(self) -> Abilities:
        """What this API can do."""
        return Abilities(
            rate=self.rate,
            floor=self.floor,
            hold=self.hold.limit if self.hold else None,
            batch=self.batch.most if self.batch else None,
            listing=self.listing is not None,
            page=self.listing.size if self.listing else 100,
            promises_outputs=self.promises_outputs,
            renews_links=self.renews_links,
            gone_is_final=self.gone_is_final,
            makes=self.makes,
            priors=self.priors,
        )
