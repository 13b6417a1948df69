"""Events to dress: an example, and whatever a provider and a user can put into one."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from bridge.core.event import Event, envelope
from bridge.core.ladder import State
from bridge.core.looking import Failure, Output
from bridge.core.message import Message

NOW = datetime(2026, 11, 21, 8, 30, 0, 123000, tzinfo=UTC)
ID = UUID("9f0c3c9e-6f0f-5d3e-8a6b-0c1d2e3f4a5b")

COMPLETED = Event(
    tag="completed",
    occurred_at=NOW,
    source="luma",
    provider="luma-agents",
    generation_id="182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e",
    state=State.COMPLETED,
    native_state="completed",
    previous_state=State.DREAMING,
    observed_at=NOW - timedelta(milliseconds=133),
    created_at=NOW - timedelta(seconds=59, milliseconds=123),
    progress=1.0,
    outputs=(
        Output(
            type="video",
            url="https://cdn.example/video.mp4?a=1&b=2",
            expires_at=NOW + timedelta(hours=1),
        ),
        Output(type="image", url="https://cdn.example/preview.png", role="preview"),
    ),
    metadata={"order": 1042},
    sequence=2,
)


def message(event: Event, raw: bytes | None = None) -> Message:
    """Return an event as it is stored."""
    return Message(id=ID, body=envelope(event), raw=raw)


NASTY_TEXTS = (
    "<!channel> <!here> <@U123> <!subteam^S1|x>",
    "@everyone @here <users/all>",
    "[x](http://e.example) <http://e.example|click>",
    "\0\x01\x7f NUL",
    "\u202egnp.exe\u2066 مرحبا בְּרֵאשִׁית",
    "👩‍👩‍👧‍👦 🎬" * 40,
    "& < > &amp; | * _ ~ `",
    "\n\r\n\t\u2028",
    "",
    " ",
    "x" * 100_000,
    "<" * 100_000,
    "🎬" * 50_000,
    "\ud800 half a pair",
)
NASTY = st.sampled_from(NASTY_TEXTS)
TEXTS = NASTY | st.text(max_size=60)
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  (the zone is given beside)
URLS = st.one_of(
    TEXTS.map("https://cdn.example/{}".format),
    st.just("https://cdn.example/" + "x" * 2980 + ".png"),
    st.just("https://cdn.example/" + "x|" * 1000 + ".png"),
    st.just("https://cdn.example/@everyone|<!channel>"),
    st.sampled_from(
        ["javascript:alert(1)", "http://[", "https://", "/a", "https://h.example/a.webp"]
    ),
    st.integers(0, 10**6).map("https://cdn.example/{}.png".format),
    TEXTS,
)
OUTPUTS = st.builds(
    Output,
    type=st.sampled_from(["video", "image"]) | TEXTS,
    url=URLS,
    role=st.sampled_from(["result", "preview", "thumbnail"]),
    needs_key=st.booleans(),
    expires_at=st.none() | MOMENTS,
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
)
METADATA: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    TEXTS,
    SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(TEXTS, SCALARS, max_size=3),
    max_size=9,
)
STATES = st.none() | st.sampled_from(State)
EVENTS = st.builds(
    Event,
    tag=st.sampled_from(
        ["queued", "dreaming", "completed", "failed", "stalled", "stalled:1", "lost"]
    ),
    occurred_at=MOMENTS,
    source=TEXTS,
    provider=TEXTS,
    generation_id=TEXTS | st.uuids().map(str),
    state=STATES,
    native_state=st.none() | TEXTS,
    previous_state=STATES,
    skipped_states=st.lists(st.sampled_from(State), max_size=3).map(tuple),
    observed_at=st.none() | MOMENTS,
    created_at=st.none() | MOMENTS,
    progress=st.none() | st.floats(0, 1) | st.floats(allow_nan=False, allow_infinity=False),
    outputs=st.lists(OUTPUTS, max_size=12).map(tuple),
    failure=st.none() | st.builds(Failure, code=TEXTS, reason=st.none() | TEXTS),
    metadata=METADATA,
    sequence=st.integers(0, 2**31),
)
FOREIGN = st.sampled_from(
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b'{"type":1}',
        b'{"type":""}',
        b'{"type":"webhook.disabled","timestamp":"2026-11-21T08:30:00Z","data":{"webhook":"a"}}',
        b'{"type":"webhook.<!channel>' + b"x" * 90_000 + b'","data":{}}',
        b"[" * 100_000,
    ]
).map(lambda body: Message(id=ID, body=body))
MESSAGES = EVENTS.map(message) | FOREIGN
