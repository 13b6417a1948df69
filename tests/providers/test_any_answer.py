"""What no answer, however strange, can do."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bridge.core.ladder import State
from bridge.core.looking import Batch, Get, Listing, Look, Observation, Seen
from bridge.core.text.jsontext import raw_text
from tests.providers.talking import NAMES, answer, provider, talk

WORDS = [
    *(
        "completed",
        "failed",
        "Completed ",
        "FAILED",
        "queued",
        "dreaming",
        "pending",
        "error",
    ),
    *("processing", "success", "succeeded", "not-a-word", "", " ", "task_not_exist"),
]
KEYS = [
    *("id", "state", "status", "data", "generations", "output", "assets", "video", "url"),
    *(
        "failure_reason",
        "failure_code",
        "created_at",
        "code",
        "statusCode",
        "message",
        "detail",
    ),
    *(
        "error",
        "has_more",
        "retry_after",
        "download_url",
        "type",
        "content_type",
        "g-1",
        "g-2",
    ),
]
ODD = [0, 1, -1, 10**30, 1e308, "https://x/y.mp4", "http://[", "0", "404", "\ud800", "a\0b"]
leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8),
    st.sampled_from([*WORDS, *ODD, "g-1", "g-2"]),
)  # fmt: skip
documents = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=4), inner, max_size=6),
    ),
    max_leaves=24,
)
looks: list[Look] = [Get(id="g-1"), Batch(ids=("g-1", "g-2")), Listing()]
statuses = st.sampled_from(
    [200, 200, 200, 202, 204, 301, 400, 404, 408, 429, 500, 503, 999]
)

# Where each of the four has its state, so that a terminal rung can be traced to its word.
PLACES: dict[str, list[tuple[str, ...]]] = {
    "aimlapi-luma": [("state",), ("data", "state"), ("status",), ("data", "status")],
    "luma-agents": [("state",)],
    "dream-machine": [("state",)],
    "relay-luma": [("state",)],
}
TERMINAL = {State.COMPLETED: "completed", State.FAILED: "failed"}


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _justified(name: str, seen: Observation) -> bool:
    if seen.state is None or not seen.state.terminal:
        return True
    words = (_at(seen.raw, path) for path in PLACES[name])
    first = next(w for w in words if isinstance(w, str) and w.strip())
    return bool(first.strip().lower() == TERMINAL[seen.state])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("look", looks, ids=["get", "batch", "list"])
@given(document=documents, status=statuses)
@example(document={"state": "completed", "output": {"url": "http://["}}, status=200)
def test_no_document_raises_or_ends_a_generation_without_the_word_at_its_place(
    name: str, look: Look, document: Any, status: int
) -> None:
    reading = talk(provider(name), look, answer(document, status)).reading

    if isinstance(reading, Seen):
        assert 200 <= status <= 299
        assert all(_justified(name, seen) for seen in reading.observations)
        for seen in reading.observations:
            json.loads(raw_text(seen.raw, seen.raw_text))
            for text in (seen.native_state, *(o.url for o in seen.outputs)):
                assert text is None or "\0" not in text
                (text or "").encode()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("look", looks, ids=["get", "batch", "list"])
@given(body=st.binary(max_size=200), status=statuses)
def test_no_bytes_raise(name: str, look: Look, body: bytes, status: int) -> None:
    reading = talk(provider(name), look, answer(body, status)).reading

    assert not isinstance(reading, Seen) or 200 <= status <= 299


@pytest.mark.parametrize("name", NAMES)
@given(whole=documents.filter(lambda d: isinstance(d, dict)), data=st.data())
def test_an_answer_that_was_cut_says_nothing(
    name: str, whole: dict[str, Any], data: st.DataObject
) -> None:
    text = json.dumps({**whole, "state": "completed"}).encode()
    cut = text[: data.draw(st.integers(0, len(text) - 1))]

    assert not isinstance(talk(provider(name), Get(id="g-1"), answer(cut)).reading, Seen)
