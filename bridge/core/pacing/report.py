"""What the poller of one source tells people of it: `GET /v1/sources`, metrics, dashboard."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Standing(StrEnum):
    """How the API stands towards our key."""

    WORKING = "working"
    BUSY = "busy"
    """It throttles us: the key pauses, or asks more slowly than it may."""
    REFUSED = "refused"
    """It refuses the key, its rights or its credit: one probe from time to time."""
    AWAY = "away"
    """It does not answer, or not sensibly: one probe from time to time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """What is known of how long one state of one model lasts.

    `state` is `queued`, `dreaming` or `*` (from the creation to the end). `changes` is the weight
    of what was learnt, in changes; `p50` and `p90` are seconds from entering the state. `looks` a
    rung costs at the price of now, `delay` is the mean of seconds until a change is found. `drifts`
    counts how often the past was found out of date. `histogram` has (up to so many seconds, how
    many changes), what has faded counted less.
    """

    model: str
    state: str
    changes: float
    p50: float
    p90: float
    looks: float
    delay: float
    drifts: int = 0
    histogram: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InVain:
    """Looks at one generation that taught nothing: how many in a row, and why the last did not."""

    reason: str
    in_a_row: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceReport:
    """One source at one moment. Rates are requests a second, `price` is in √seconds.

    `rate` is what may be asked now: the configured `limit`, a replica's share of it, less while
    the API throttles. `mode` is how it is looked (`hold all`, `hold some`, `batch`, `list`,
    `plain`), `reason` says why. `holds` are open now, of `open` requests. `standing` holds since
    `since`, for the reason `why`. `unknown` counts the words that are no known state, `malformed`
    the answers that could not be read. `saturation` is the sentence for people where the rate
    does not suffice, `lacking` the looks a second that are missing. `batch_waits` is for whom
    a batch waits that is asked to: none, any, all, or unknown.
    """

    source: str
    provider: str
    mode: str
    reason: str
    rate: float
    limit: float
    price: float
    watching: int
    holds: int
    open: int
    standing: Standing
    since: datetime | None = None
    why: str = ""
    unknown: Mapping[str, int] = field(default_factory=dict)
    malformed: int = 0
    tables: tuple[TableRow, ...] = ()
    saturation: str | None = None
    lacking: float = 0.0
    batch_waits: str = "unknown"
