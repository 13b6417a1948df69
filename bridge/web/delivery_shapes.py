"""The shapes of what the API answers of deliveries, attempts and replays."""

from datetime import datetime
from typing import Any, Literal, TypeAlias

from pydantic import ConfigDict, Field

from bridge.web.shapes import Cursor, DeliveryShape, Shape

Result: TypeAlias = Literal["delivered", "again", "failed", "disabled", "skipped"]
ReplayedStatus: TypeAlias = Literal[
    "failed", "delivered", "superseded", "cancelled", "missing"
]


class ToldDeliveryShape(DeliveryShape):
    """A delivery beside the event that it carries."""

    model_config = ConfigDict(extra="forbid", title="DeliveryOfEvent")

    event: str = Field(description="The `webhook-id`.")
    type: str
    sequence: int
    source: str | None = Field(description="null for an operational event.")
    generation_id: str | None
    replayed: bool = Field(description="It was sent again last because somebody asked.")
    first_at: datetime


class DeliveriesShape(Shape):
    """A page of deliveries, newest first."""

    model_config = ConfigDict(extra="forbid", title="Deliveries")

    deliveries: list[ToldDeliveryShape]
    next: Cursor = Field(description="`cursor` of the next page; null: there is none.")


class TimingsShape(Shape):
    """Milliseconds of each phase; null: it did not happen."""

    model_config = ConfigDict(extra="forbid", title="Timings")

    queue: float | None
    dns: float | None
    connect: float | None
    tls: float | None
    send: float | None
    wait: float | None
    body: float | None
    total: float
    reused: bool


HeadersList: TypeAlias = list[list[str]]
"""Names and values; what is secret is masked."""


class AnswerShape(Shape):
    """What came back: at most 64 KiB of the body, as text or as base64."""

    code: int | None = Field(description="null: no answer came.")
    timings: TimingsShape
    address: str | None = Field(description="Who answered, as 192.0.2.7:443.")
    tls: str | None
    answer_headers: HeadersList
    answer: str | None
    answer_base64: str | None = Field(description="Where it is no text.")
    answer_cut: bool
    reason: str = Field(description="The reason of the verdict, in a word.")
    sentence: str


class AttemptShape(AnswerShape):
    """One POST and what came of it; what is kept no longer is null."""

    model_config = ConfigDict(extra="forbid", title="Attempt")

    number: int
    at: datetime
    replica: int
    purpose: Literal["live", "probe", "replay"] | None
    step: int | None = Field(description="Steps of the retry schedule used before.")
    form: str | None
    started_at: datetime | None
    request_headers: HeadersList
    result: Result | None
    next_at: datetime | None
    next_because: str | None = Field(description="`step 3`, `Retry-After 120 s` …")


class DiagnosisShape(Shape):
    """What an answer means in plain words, and the next step."""

    model_config = ConfigDict(extra="forbid", title="Diagnosis")

    means: str
    advice: str = Field(description="Empty: nothing needs to be done.")


class HistoryShape(ToldDeliveryShape):
    """A delivery with what it says and every attempt, oldest first."""

    model_config = ConfigDict(extra="forbid", title="DeliveryWithAttempts")

    format: str
    url: str = Field(description="scheme://host/… for the rest may be secret.")
    data: dict[str, Any]
    log: list[AttemptShape]
    diagnosis: DiagnosisShape | None = Field(description="Of the last attempt.")


class ReplayShape(Shape):
    """A replay: many deliveries sent once more, as a job that outlasts a crash."""

    model_config = ConfigDict(extra="forbid", title="Replay")

    id: int
    status: ReplayedStatus
    webhook: str | None
    since: datetime | None
    until: datetime | None
    done: int = Field(description="Deliveries that are due again by it.")
    over: bool
    begun_at: datetime


class ReplaysShape(Shape):
    """The latest replays, newest first."""

    model_config = ConfigDict(extra="forbid", title="Replays")

    replays: list[ReplayShape]


class PreviewShape(Shape):
    """What a replay would do."""

    model_config = ConfigDict(extra="forbid", title="ReplayPreview")

    count: int
    first: list[ToldDeliveryShape] = Field(description="The first of them, at most 10.")
    duration_seconds: float | None = Field(
        description="How long it takes at least, by the rates of the webhooks; null: "
        "no rate bounds it."
    )


class TrialRequestShape(Shape):
    """What was sent to a webhook; what is secret in it is masked."""

    model_config = ConfigDict(extra="forbid", title="TrialRequest")

    method: str
    url: str
    headers: HeadersList
    form: str
    body: str | None
    body_base64: str | None


class TrialShape(AnswerShape):
    """One attempt that was made to try a webhook, and what it means."""

    model_config = ConfigDict(extra="forbid", title="Trial")

    request: TrialRequestShape
    failed_at: str | None = Field(
        description="The phase in which it ended without an answer."
    )
    result: Result
    diagnosis: DiagnosisShape
