"""The shapes of what the API answers, for its description and for the tests that hold it to it."""

from datetime import datetime
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

StateWord: TypeAlias = Literal["queued", "dreaming", "completed", "failed"]
Cursor: TypeAlias = str | None


class Shape(BaseModel):
    """An answer, or a part of one; every key is always there unless its shape says otherwise."""

    model_config = ConfigDict(extra="forbid")


class Mistake(Shape):
    """One thing that is wrong with a request."""

    path: str = Field(description="Where, as a JSON path; `?name` is a query parameter.")
    message: str


class ProblemShape(Shape):
    """RFC 9457; sent as application/problem+json."""

    model_config = ConfigDict(extra="forbid", title="Problem")

    type: str
    title: str
    status: int
    detail: str
    errors: list[Mistake] = Field(default=[], description="Absent where there are none.")


class WatchShape(Shape):
    """A watch, running or over."""

    model_config = ConfigDict(extra="forbid", title="Watch")

    source: str
    id: str
    state: StateWord | None = Field(description="null before the first look.")
    native_state: str | None = Field(description="The provider's own word.")
    active: bool
    ended: str | None = Field(description="Why it is over: a state, lost, unwatched …")
    until: StateWord
    webhooks: list[str]
    callbacks: list[str] = Field(description="Webhooks of callers, as scheme://host/…")
    metadata: dict[str, Any]
    sequence: int = Field(description="That of the last event; -1 before the first.")
    origin: Literal["file", "api"]
    created_at: datetime
    deadline_at: datetime
    state_at: datetime | None
    ended_at: datetime | None


class WatchesShape(Shape):
    """A page of watches, newest first."""

    model_config = ConfigDict(extra="forbid", title="Watches")

    watches: list[WatchShape]
    next: Cursor = Field(description="`cursor` of the next page; null: there is none.")


class DeliveryShape(Shape):
    """An event on its way to a webhook."""

    model_config = ConfigDict(extra="forbid", title="Delivery")

    id: int
    webhook: str
    status: Literal["pending", "held", "delivered", "failed", "superseded", "cancelled"] = (
        Field(description="held: it waits until its webhook is resumed.")
    )
    attempts: int
    due_at: datetime | None = Field(
        description="When it is tried next; null: it is over, or held."
    )
    settled_at: datetime | None
    code: int | None = Field(description="The status of the last answer.")
    reason: str | None


class EventShape(Shape):
    """What happened, as webhooks are told it in format `standard`."""

    model_config = ConfigDict(extra="forbid", title="Event")

    id: str = Field(description="The `webhook-id`.")
    type: str
    sequence: int
    timestamp: datetime
    data: dict[str, Any]
    deliveries: list[DeliveryShape]


class InVainShape(Shape):
    """Looks that taught nothing."""

    model_config = ConfigDict(extra="forbid", title="LooksInVain")

    reason: str = Field(description="Of the last one.")
    in_a_row: int


class TimelineShape(WatchShape):
    """A watch with its events, oldest first."""

    model_config = ConfigDict(extra="forbid", title="WatchWithTimeline")

    in_vain: InVainShape | None = Field(
        description="How the last looks failed; null: they did not, or another replica looks."
    )
    events: list[EventShape]


class DoneShape(Shape):
    """What became of one order of a batch: `watch` with 200 and 201, else `errors`."""

    model_config = ConfigDict(extra="forbid", title="BatchResult")

    status: Literal[200, 201, 422]
    watch: WatchShape | None = None
    errors: list[Mistake] = []


class BatchShape(Shape):
    """What became of a batch, in its order."""

    model_config = ConfigDict(extra="forbid", title="Batch")

    begun: int
    changed: int
    refused: int
    results: list[DoneShape]


class ReplicaShape(Shape):
    """A process that shares the work."""

    model_config = ConfigDict(extra="forbid", title="Replica")

    id: int
    name: str
    version: str
    alive: bool
    watches: int
    started_at: datetime
    seen_at: datetime
    dead_at: datetime | None


class ReplicasShape(Shape):
    """Every replica."""

    model_config = ConfigDict(extra="forbid", title="Replicas")

    replicas: list[ReplicaShape]


class JobShape(Shape):
    """Something that recurs."""

    model_config = ConfigDict(extra="forbid", title="Job")

    name: str
    every_seconds: float
    next_run: datetime | None
    last_run: datetime | None
    last_result: str | None


class ScheduleShape(Shape):
    """What recurs."""

    model_config = ConfigDict(extra="forbid", title="Schedule")

    jobs: list[JobShape]


class ReloadShape(Shape):
    """A reload that was done."""

    model_config = ConfigDict(extra="forbid", title="Reload")

    sources: int
    webhooks: int
    watches: int
    warnings: list[str]


class AliveShape(Shape):
    """The daemon lives."""

    model_config = ConfigDict(extra="forbid", title="Alive")

    status: Literal["alive"]


class ReadyShape(Shape):
    """The daemon can work."""

    model_config = ConfigDict(extra="forbid", title="Ready")

    status: Literal["ready"]


class UnreadyShape(Shape):
    """No work is possible now."""

    model_config = ConfigDict(extra="forbid", title="Unready")

    reasons: list[str] = Field(description="Why, in sentences for people.")
