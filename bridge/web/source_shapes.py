"""The shapes of what the API tells of sources."""

from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, Field

from bridge.web.shapes import Shape


class TableShape(Shape):
    """What was learnt of how long one state of one model lasts; spans are seconds."""

    model_config = ConfigDict(extra="forbid", title="LearnedTable")

    model: str = Field(description="As the provider names it; empty: it does not.")
    state: str = Field(description="`*` is all of it, from the creation to the end.")
    changes: float = Field(description="How many taught it; what is long ago counts less.")
    p50: float = Field(description="Half of them had left the state after so long.")
    p90: float
    looks: float = Field(description="What one state costs in looks, at the price of now.")
    delay: float = Field(description="From a change to the look that finds it, on average.")
    drifts: int = Field(description="How often the past turned out to be out of date.")
    histogram: list[tuple[float | None, float]] = Field(
        description="Up to so many seconds (null: or more), so many changes."
    )


class SourceShape(Shape):
    """A configured account, and how it stands in this process."""

    model_config = ConfigDict(extra="forbid", title="Source")

    name: str
    provider: str
    rate_per_second: float = Field(description="As configured.")
    rate_now: float = Field(description="This process's share, less while it is throttled.")
    max_connections: int
    looks: int
    interval_seconds: float
    watching: int
    mode: str = Field(description="plain, hold all, hold some, batch or list.")
    reason: str = Field(description="Why it is looked at that way.")
    price: float | None = Field(description="Of a look, in √seconds.")
    open: int = Field(description="Requests under way, holds among them.")
    holds: int
    standing: Literal["working", "busy", "refused", "away"]
    since: datetime | None = Field(description="Of the standing.")
    why: str = Field(description="Of the standing, in the API's words; empty: all is well.")
    saturation: str | None = Field(description="What is missing, in a sentence.")
    lacking_per_second: float = Field(description="Looks that are missing.")
    batch_waits: Literal["none", "any", "all", "unknown"] = Field(
        description="For whom of its generations a batch waits that is asked to."
    )
    unknown_words: dict[str, int] = Field(description="Words that are no known state.")
    malformed: int = Field(description="Answers that could not be read.")
    hints_path: str | None = Field(
        description="Where the provider may post its own callbacks; null: there is no key."
    )
    tables: list[TableShape]


class SourcesShape(Shape):
    """Every source."""

    model_config = ConfigDict(extra="forbid", title="Sources")

    sources: list[SourceShape]
