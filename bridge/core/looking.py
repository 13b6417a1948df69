"""A look at generations: what is asked, what was seen, and what else a provider may answer."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from bridge.core.ladder import State
from bridge.core.network.exchange import Answer, Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Get:
    """A plain look at one generation."""

    id: str
    at: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A long poll: the provider answers once the generation's rank is at least that of `until`."""

    id: str
    until: State
    at: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One request about many generations, at most `Abilities.batch` of them.

    `until`: the answer shall wait for that state, if the provider knows how; of which of the ids
    it then waits for, nothing is promised (`pacing.waiting` finds out). `known` are ranks: of an
    id that still has the rank it has there, no more needs to be said (`Seen.still`).
    """

    ids: tuple[str, ...]
    until: State | None = None
    known: Mapping[str, int] = field(default_factory=dict, compare=False, repr=False)
    at: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A page of all generations of the account; `cursor` is what the page before gave."""

    cursor: str | None = None
    at: datetime | None = field(default=None, compare=False)


Look: TypeAlias = Get | Hold | Batch | Listing
"""`at` is when it is asked: some keys are made into tokens that know the time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A link to something that was made."""

    type: str
    url: str = field(repr=False)
    role: str = "result"
    needs_key: bool = False
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a generation failed, in the provider's words."""

    code: str
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What one look said of one generation.

    `state` is None where the provider's word is unknown: such an observation has no rank and is
    never news. `raw` is the provider's document, decoded; `raw_text` its own text where the whole
    answer is about this one generation.
    """

    id: str
    native_state: str | None
    state: State | None
    observed_at: datetime
    outputs: tuple[Output, ...] = ()
    failure: Failure | None = None
    progress: float | None = None
    created_at: datetime | None = None
    model: str = ""
    raw: Any = field(default=None, repr=False)
    raw_text: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Observations, and the asked ids that the answer did not speak of; `next` pages a listing.

    `again`: how long the API asks us to wait before the next look. `still` are the ids of which
    the answer says, as of `observed_at`, no more than `Batch.known` did.
    """

    observations: tuple[Observation, ...]
    unseen: tuple[str, ...] = ()
    still: tuple[str, ...] = ()
    observed_at: datetime | None = None
    next: str | None = None
    again: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """The provider does not know the generation (now)."""

    why: str = "not found"


@dataclass(frozen=True, slots=True, kw_only=True)
class Busy:
    """This key is asked too often; `after` is how long to wait, if the provider said."""

    after: timedelta | None = None
    why: str = "too many requests"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Key, rights or credit: concerns the source, never the generation."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """The request is wrong in the provider's eyes.

    `unasked`: in ours, so it was not sent, and says nothing of the source.
    """

    why: str
    unasked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Nothing was learnt; ask again later. `malformed` marks a body that could not be read.

    `shape`: how the document looks that was there all the same (see `reading/shape.py`). `seen` is
    what the first call had said where only the second one, for the outputs, failed: after the grace
    of rule 12 it is announced without them.
    """

    why: str
    after: timedelta | None = None
    malformed: bool = False
    shape: str = ""
    seen: Observation | None = None


Reading: TypeAlias = Seen | Missing | Busy | Refused | Rejected | Trouble
Asking: TypeAlias = Generator[Request, Answer, Reading]
"""A provider's conversation: it yields requests, is sent the answers, and returns its reading.

An answer that did not come is sent too: after a first call something may be known already.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """What a provider can do, and what it asks of us.

    `floor` is the least time between two looks at one generation, `rate` the default number of
    requests a second for one key. `promises_outputs`: completed without outputs is looked at
    again before it is announced (PROVIDERS.md, rule 12). `gone_is_final`: the second `missing` in
    a row ends a generation that was seen before (rule 13). A page of a listing has `page`
    generations. `makes` (video, image, music, batch) says what to expect of a rung's length while
    nothing is learnt, `priors` the medians of (model, state) that are known better.
    """

    rate: float
    floor: timedelta
    hold: timedelta | None = None
    batch: int | None = None
    listing: bool = False
    page: int = 100
    promises_outputs: bool = False
    renews_links: bool = False
    gone_is_final: bool = False
    makes: str = "video"
    priors: Mapping[tuple[str, str], timedelta] = field(default_factory=dict)


def asked(look: Look) -> Sequence[str]:
    """Return the ids that a look asks about."""
    match look:
        case Get(id=one) | Hold(id=one):
            return (one,)
        case Batch(ids=ids):
            return ids
        case Listing():
            return ()
