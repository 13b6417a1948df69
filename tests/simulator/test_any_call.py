"""Whatever a client sends, a simulated API has an answer: only its switches make it fail."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from bridge.simulator.apis import APIS, Apis
from bridge.simulator.exchange import Reply, call
from bridge.simulator.switches import Switches
from bridge.telemetry.clock import SystemClock
from tests.simulator.asking import OTHERS, PATHS

WALK = [("queued", 1.0), ("dreaming", 1.0)]
ENDS = ["completed", "failed", "cancelled", "expired", "moderated"]
CLOCK = SystemClock()
WORDS = st.sampled_from(
    ["v1", "v1beta", "v2", "videos", "tasks", "content", "requests", "status", "result"]
)
SEGMENTS = st.lists(
    WORDS | st.sampled_from(["%2F", "..", "%ff", "é", "a:b", ""]), max_size=6
)
QUERIES = st.sampled_from(
    ["", "limit=²", "limit=0", "after=x", "cursor=é", "cursor=%ff", "pageSize=-1", "logs=1"]
)
HEADERS = st.dictionaries(
    st.sampled_from(["content-type", "accept", "prefer", "authorization"]),
    st.sampled_from(
        ["multipart/form-data; boundary=x", "wait=999", "Key a", "Bearer a", "é"]
    ),
)
BODIES = st.sampled_from(
    [b"{}", b"[]", b"\xff", b'{"a":' * 5000, b'{"prompt":"x","model":3}']
)


def replied(
    apis: Apis, method: str, target: str, headers: dict[str, str], body: bytes
) -> Reply:
    keys = {"x-key": "k", "x-goog-api-key": "k", "x-api-key": "k", "api-key": "k"}
    at = CLOCK.monotonic()
    asked = call(method, target, at=at, headers={**keys, **headers}, body=body)
    answering = apis.answer(asked)
    try:
        moment = next(answering)
        while True:
            moment = answering.send(moment)
    except StopIteration as stop:
        reply: Reply = stop.value
        return reply


@given(
    name=st.sampled_from(list(APIS)),
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    segments=SEGMENTS,
    query=QUERIES,
    headers=HEADERS,
    body=BODIES,
)
def test_any_call_is_answered(
    *,
    name: str,
    method: str,
    segments: list[str],
    query: str,
    headers: dict[str, str],
    body: bytes,
) -> None:
    apis = Apis(clock=CLOCK, chance=Random(1), switches=Switches())
    target = f"/{name}{APIS[name].base}/{'/'.join(segments)}?{query}"
    assert 200 <= replied(apis, method, target, headers, body).status < 500


@given(
    st.sampled_from(list(APIS)),
    st.sampled_from(ENDS),
    st.floats(0, 1e7),
    QUERIES,
    HEADERS,
)
def test_a_look_at_any_age_is_answered(
    name: str, end: str, age: float, query: str, headers: dict[str, str]
) -> None:
    apis = Apis(clock=CLOCK, chance=Random(1), switches=Switches())
    id_ = apis.add(name, script=[*WALK, (end, None)], age=age)
    path = {**PATHS, **OTHERS}[name].format(id_)
    target = f"/{name}{APIS[name].base}{path}{'&' if '?' in path else '?'}{query}"
    assert 200 <= replied(apis, "GET", target, headers, b"").status < 500
