"""What no answer, however strange, can do."""

import json
from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bridge.core.ladder import State
from bridge.core.looking import Batch, Get, Listing, Look, Observation, Reading, Seen
from bridge.core.ports import Provider
from bridge.core.text.jsontext import raw_text
from tests.providers.describing import PLAIN, mapped
from tests.providers.talking import FIXTURES, NAMES, answer, provider, talk

DESCRIBED = tuple(f"{name}, described" for name in PLAIN)
"""The same APIs, as YAML describes them."""

# Where each has its state, its words for completed and for failed: so that a terminal rung
# can be traced to its word. A provider without a row is not believed.
_LUMA = (["state"], ["completed"], ["failed"])
_TASK = (["data.status"], ["success"], ["failure"])
_SUCCEEDED = (["succeeded"], ["failed", "canceled"])
TERMINAL: dict[str, tuple[list[str], list[str], list[str]]] = {
    "aimlapi-luma": (["state", "data.state", "status", "data.status"], *_LUMA[1:]),
    "aimlapi-suno": (["status"], ["complete", "completed"], ["error"]),
    "aimlapi-video": (["status"], ["completed"], ["error"]),
    "dream-machine": _LUMA,
    "fal": (["status"], ["completed"], ["completed"]),
    "flux": (
        ["status"],
        ["ready"],
        ["request_moderated", "content_moderated", "error"],
    ),
    "heygen": (["data.status"], ["completed"], ["failed"]),
    "ideogram": (["status"], ["completed"], ["failed"]),
    "kling": (
        ["data.task_status", "task_status", "status"],
        ["succeed", "completed"],
        ["failed"],
    ),
    "luma-agents": _LUMA,
    "minimax": (["status"], ["success"], ["fail"]),
    "minimax-v2": (["task.status"], ["succeeded"], ["failed", "canceled", "expired"]),
    "openai-batch": (["status"], ["completed"], ["failed", "canceled", "expired"]),
    "openai-videos": (["status"], ["completed"], ["failed"]),
    "pika": (["status"], ["finished"], ["failed"]),
    "relay-luma": _LUMA,
    "relay-luma-own": (["state"], ["completed", "success"], ["failed", "failure"]),
    "relay-midjourney": (["status"], ["success"], ["failure", "cancel"]),
    "relay-runway": (["task.status"], *_SUCCEEDED),
    "relay-suno": _TASK,
    "relay-udio": _TASK,
    "replicate": (["status"], ["succeeded"], ["failed", "canceled", "aborted"]),
    "runway": (["status"], *_SUCCEEDED),
    # The HTTP status is the state: see JUDGES.
    "stability": ([], [], []),
    "veo": (["done"], ["true"], ["true"]),
}

# Where one of many has its state, if elsewhere.
AMONG_MANY = {
    "minimax-v2": ["task.status", "status"],
    "relay-luma-own": ["data.state", "status"],
    "relay-suno": ["status"],
}

_PLACES = [
    *(place for places, _, _ in TERMINAL.values() for place in places),
    *(place for places in AMONG_MANY.values() for place in places),
]
KEYS = sorted(
    {key for place in _PLACES for key in place.split(".")}
    | {"id", "task_id", "generation_id", "name", "data", "generations", "results", "task"}
    | {"output", "assets", "video", "url", "images", "videos", "songs", "task_result"}
    | {"response", "generateVideoResponse", "generatedSamples", "uri", "sample"}
    | {"failure_reason", "failure_code", "fail_reason", "finish_reason", "error_type"}
    | {
        "code",
        "statusCode",
        "message",
        "detail",
        "error",
        "errors",
        "base_resp",
        "http_code",
    }
    | {
        "created_at",
        "submit_time",
        "progress",
        "logs",
        "request_counts",
        "has_more",
        "next",
    }
    | {"response_url", "file_id", "output_file_id", "retry_after", "download_url"}
    | {"type", "content_type", "object_type", "g-1", "g-2"}
)
WORDS = sorted(
    {word for _, *rungs in TERMINAL.values() for words in rungs for word in words}
    | {"Completed ", "FAILED", "queued", "dreaming", "pending", "processing", "done"}
    | {"Task not found", "not-a-word", "", " ", "task_not_exist", "CONTENT_FILTERED"}
)
ODD = [
    *(0, 1, -1, 10**30, 10**400, 1e308, float("nan"), float("inf"), "0", "404"),
    *("https://x/y.mp4", "http://[", "https://x/\ud800", "/x", "{id}", "%", "../.."),
    *(
        "\ud800",
        "\udfff\ud800",
        "a\0b",
        "9" * 5_000,
        "-1%",
        "1e999%",
        "0001-01-01T00:00:00Z",
    ),
]
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
LOOKS: list[Look] = [Get(id="g-1"), Batch(ids=("g-1", "g-2")), Listing()]
looks = pytest.mark.parametrize("look", LOOKS, ids=["get", "batch", "list"])
statuses = st.sampled_from(
    [200, 200, 200, 202, 204, 301, 400, 404, 408, 422, 429, 500, 503, 999]
)


def _asking(name: str) -> Provider:
    return mapped(_api(name)) if name in DESCRIBED else provider(name)


def _api(name: str) -> str:
    return name.removesuffix(", described")


def _at(value: Any, path: str) -> Any:
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _form(word: Any) -> str:
    text = json.dumps(word) if isinstance(word, bool) else str(word)
    text = text.strip().lower().replace(" ", "_").replace("-", "_")
    return text.replace("cancelled", "canceled")


def _fal(seen: Observation) -> bool:
    return bool(_at(seen.raw, "error")) == (seen.state is State.FAILED)


def _stability(seen: Observation) -> bool:
    filtered = _form(_at(seen.raw, "finish_reason")) == "content_filtered"
    return filtered == (seen.state is State.FAILED)


def _veo(seen: Observation) -> bool:
    samples = _at(seen.raw, "response.generateVideoResponse.generatedSamples")
    failed = bool(_at(seen.raw, "error")) or not samples
    return _at(seen.raw, "done") is True and failed == (seen.state is State.FAILED)


JUDGES: dict[str, Callable[[Observation], bool]] = {
    "fal": _fal,
    "stability": _stability,
    "veo": _veo,
}
"""Whose words do not tell completed from failed."""


def _justified(name: str, look: Look, seen: Observation) -> bool:
    if seen.state is None or not seen.state.terminal:
        return True
    if name in JUDGES and not JUDGES[name](seen):
        return False
    places, completed, failed = TERMINAL[name]
    if not isinstance(look, Get):
        places = AMONG_MANY.get(name, places)
    if not places:
        return True
    words = (_at(seen.raw, path) for path in places)
    first = next(w for w in words if w is True or (isinstance(w, str) and w.strip()))
    return _form(first) in (completed if seen.state is State.COMPLETED else failed)


def _fit(name: str, look: Look, reading: Reading, status: int = 200) -> None:
    """Whatever was seen can be traced, kept and told."""
    name = _api(name)
    if not isinstance(reading, Seen):
        return
    assert 200 <= status <= 299
    for seen in reading.observations:
        assert _justified(name, look, seen), seen.raw
        json.loads(raw_text(seen.raw, seen.raw_text))
        assert seen.progress is None or 0 <= seen.progress <= 1
        assert (seen.failure is not None) == (seen.state is State.FAILED)
        assert not seen.outputs or seen.state is State.COMPLETED
        told = [seen.native_state, seen.model, *(o.url for o in seen.outputs)]
        if seen.failure is not None:
            told += [seen.failure.code, seen.failure.reason]
        for text in (text for text in told if text is not None):
            assert "\0" not in text
            text.encode()


@pytest.mark.parametrize("name", [*NAMES, *DESCRIBED])
@looks
@given(document=documents, status=statuses)
@example(document={"state": "completed", "output": {"url": "http://["}}, status=200)
@example(document={"status": "completed", "error": float("nan"), "id": 10**400}, status=200)
@example(document={"done": True, "error": {"code": 10**400}, "name": "\ud800"}, status=200)
@settings(max_examples=60)
def test_no_document_raises_or_ends_a_generation_without_the_word_at_its_place(
    name: str, look: Look, document: Any, status: int
) -> None:
    reading = talk(_asking(name), look, answer(document, status)).reading

    _fit(name, look, reading, status)


def _recorded(name: str) -> list[tuple[Look, Any]]:
    """What the manifest has of a provider: the documents of first answers."""
    cases = json.loads((FIXTURES / "MANIFEST.json").read_bytes())["answers"]
    looks = {"get": Get, "batch": Batch, "list": Listing}
    return [
        (
            _look(looks[c["look"]], c["asked"]),
            json.loads((FIXTURES / c["file"]).read_bytes()),
        )
        for c in cases
        if c["provider"] == name and 200 <= c["http_status"] <= 299
    ]


def _look(kind: type, asked: list[str]) -> Look:
    if kind is Get:
        return Get(id=asked[0])
    return Batch(ids=tuple(asked)) if kind is Batch else Listing()


RECORDED = {name: _recorded(name) for name in NAMES}


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict | list):
        inner = value.items() if isinstance(value, dict) else enumerate(value)
    return [path] * bool(path) + [p for k, v in inner for p in _places(v, (*path, k))]


def _bent(whole: Any, path: tuple[Any, ...], odd: Any) -> Any:
    value = whole = deepcopy(whole)
    for key in path[:-1]:
        value = value[key]
    value[path[-1]] = odd
    return whole


@pytest.mark.parametrize("name", [*NAMES, *DESCRIBED])
@given(data=st.data())
@settings(max_examples=100)
def test_a_recorded_answer_with_anything_at_any_place_raises_nothing(
    name: str, data: st.DataObject
) -> None:
    look, whole = data.draw(st.sampled_from(RECORDED[_api(name)]))
    place = data.draw(st.sampled_from(_places(whole)))

    bent = _bent(whole, place, data.draw(documents))

    asked = talk(_asking(name), look, answer(bent), answer(data.draw(documents)))
    _fit(name, look, asked.reading)


DEEP = b'{"status":"failed","state":"failed","done":true,"data":'
MONSTERS = [
    b"[" * 50_000,
    b"[" * 50_000 + b"]" * 50_000,
    b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    DEEP + b"[" * 190 + b"]" * 190 + b"}",
    DEEP + b"[" * 5_000 + b"]" * 5_000 + b"}",
    b'{"id":' + b"9" * 5_000 + b',"status":"failed","state":"failed"}',
    b'{"status":' + b"9" * 5_000 + b"}",
    b'{"status":NaN,"state":-Infinity,"done":1e999,"data":{"status":1e999}}',
    b'{"status":"\\ud800","state":"\\udfff","data":{"status":"\\ud800x"}}',
    b'{"status":"queued","status":"running","status":null}',
    b'\xef\xbb\xbf{"status":"queued"}',
    '{"state":"queued"}'.encode("utf-16"),
    b'{"state":"que\xffued","status":"\xc3\x28"}',
    b"null", b"true", b'"completed"', b"404", b"", b" \n", b"<html>completed</html>",
]  # fmt: skip


@pytest.mark.parametrize("name", [*NAMES, *DESCRIBED])
@looks
@pytest.mark.parametrize("body", MONSTERS, ids=range(len(MONSTERS)))
def test_no_monster_raises(name: str, look: Look, body: bytes) -> None:
    reading = talk(_asking(name), look, answer(body)).reading

    if name != "stability":
        _fit(name, look, reading)


@pytest.mark.parametrize("name", [*NAMES, *DESCRIBED])
@looks
@given(body=st.binary(max_size=200), status=statuses)
@settings(max_examples=40)
def test_no_bytes_raise(name: str, look: Look, body: bytes, status: int) -> None:
    reading = talk(_asking(name), look, answer(body, status)).reading

    assert not isinstance(reading, Seen) or 200 <= status <= 299


@pytest.mark.parametrize("name", sorted({*NAMES} - {"stability"}))
@given(data=st.data())
@settings(max_examples=60)
def test_an_answer_that_was_cut_says_nothing(name: str, data: st.DataObject) -> None:
    # Of Stability's the HTTP status is the state: what is cut there may be a file.
    look, whole = data.draw(st.sampled_from(RECORDED[_api(name)]))
    text = json.dumps(whole).encode()
    cut = text[: data.draw(st.integers(0, len(text) - 1))]

    assert not isinstance(talk(_asking(name), look, answer(cut)).reading, Seen)
