"""Luma's own platforms, and the relay on Luma's path."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from bridge.core.ladder import State
from bridge.core.looking import (
    Batch,
    Busy,
    Failure,
    Get,
    Hold,
    Listing,
    Missing,
    Refused,
    Rejected,
    Seen,
    Trouble,
)
from tests.providers.talking import NOW, Talk, answer, provider, talk

LINK = "https://cdn.example.net/v.mp4"


def get(name: str, document: Any, status: int = 200, **headers: str) -> Talk:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return talk(provider(name), Get(id="g-1"), answer(document, status, named))


def page(document: Any, cursor: str | None = None, status: int = 200) -> Talk:
    look = Listing(cursor=cursor)
    return talk(provider("dream-machine"), look, answer(document, status))


def test_a_queued_generation_with_a_failure_and_an_output_filled_in_is_queued() -> None:
    sample = {
        "id": "g-1", "state": "queued", "failure_code": "content_moderated",
        "failure_reason": "x", "output": [{"type": "image", "url": LINK}],
    }  # fmt: skip

    seen = get("luma-agents", sample).observation

    assert (seen.state, seen.failure, seen.outputs) == (State.QUEUED, None, ())


@pytest.mark.parametrize(
    ("document", "failure"),
    [
        ({"failure_code": "budget_exhausted"}, Failure(code="budget_exhausted")),
        ({"failure_code": "brand_new"}, Failure(code="brand_new")),
        ({"failure_code": 0}, Failure(code="failed")),
        ({"failure_code": ""}, Failure(code="failed")),
        ({"failure_code": 7}, Failure(code="7")),
        ({"failure_reason": ""}, Failure(code="failed")),
        ({"failure_reason": {"message": "m"}}, Failure(code="failed", reason="m")),
        ({"failure_reason": {"detail": "d"}}, Failure(code="failed", reason="d")),
        ({"failure_reason": {"x": 1}}, Failure(code="failed", reason='{"x":1}')),
        ({"failure_reason": ["a", "b"]}, Failure(code="failed", reason='["a","b"]')),
        ({"failure_reason": "a\0\ud800"}, Failure(code="failed", reason="a\ufffd")),
    ],
)
def test_a_failure_is_told_in_the_words_of_the_api(document: Any, failure: Failure) -> None:
    assert (
        get("luma-agents", {"state": "failed", **document}).observation.failure == failure
    )


@pytest.mark.parametrize("name", ["luma-agents", "relay-luma"])
def test_a_link_without_an_end_lives_for_an_hour(name: str) -> None:
    document = {"state": "completed", "output": [{"url": LINK}], "video": {"url": LINK}}

    (output,) = get(name, document).observation.outputs

    assert (output.type, output.expires_at) == ("video", NOW + timedelta(hours=1))


def test_layers_are_all_told_and_each_link_once() -> None:
    entries = [
        {"type": "image", "url": LINK, "layer": 1},
        {"type": "image", "url": LINK + "2"},
        {"url": LINK},
        {"type": "image", "url": None},
        {"url": "s3://bucket/x"},
        {"url": "data:image/png;base64,AAAA"},
        "https://cdn.example.net/plain",
        None,
    ]

    seen = get("luma-agents", {"state": "completed", "output": entries}).observation

    assert [(o.type, o.url) for o in seen.outputs] == [
        ("image", LINK),
        ("image", LINK + "2"),
        ("file", "https://cdn.example.net/plain"),
    ]


def test_the_progress_video_is_no_output() -> None:
    assets = {"progress_video": LINK, "image": LINK + "i"}

    dreaming = get("dream-machine", {"state": "dreaming", "assets": assets})
    completed = get("dream-machine", {"state": "completed", "assets": assets})

    assert dreaming.observation.outputs == ()
    assert [o.url for o in completed.observation.outputs] == [LINK + "i"]


@pytest.mark.parametrize("name", ["luma-agents", "dream-machine", "relay-luma"])
def test_an_empty_object_is_trouble_and_not_a_generation(name: str) -> None:
    reading = get(name, {}).reading

    assert isinstance(reading, Trouble)
    assert reading.malformed


@pytest.mark.parametrize("name", ["luma-agents", "dream-machine", "relay-luma"])
def test_a_hold_is_a_plain_look_where_nobody_holds(name: str) -> None:
    look = Hold(id="g-1", until=State.DREAMING)

    held = talk(provider(name), look, answer({"state": "queued"}))

    assert held.request == get(name, {}).request
    assert held.observation.state is State.QUEUED


@pytest.mark.parametrize("name", ["luma-agents", "dream-machine", "relay-luma"])
def test_a_batch_is_refused_without_a_request(name: str) -> None:
    asked = talk(provider(name), Batch(ids=("a", "b")), answer([]))

    assert not asked.requests
    assert isinstance(asked.reading, Rejected)


@pytest.mark.parametrize(
    ("video", "raw", "link"),
    [
        (
            {"url": "https://x/w", "download_url": "https://x/d"},
            {"url": "https://x/r"},
            "d",
        ),
        ({"url": "https://x/w", "download_url": ""}, {"url": "https://x/r"}, "r"),
        ({"url": "https://x/w"}, {"url": ""}, "w"),
        ({"url": "https://x/w"}, None, "w"),
        ({"url": "https://x/w", "download_url": None}, "", "w"),
        (None, {"url": "https://x/r"}, "r"),
    ],
)
def test_the_relay_gives_its_cleanest_link_alone(video: Any, raw: Any, link: str) -> None:
    document = {
        "state": "completed",
        "video": video,
        "video_raw": raw,
        "thumbnail": {"url": LINK},
    }

    outputs = get("relay-luma", document).observation.outputs

    assert [output.url for output in outputs] == [f"https://x/{link}"]


def test_the_relay_without_any_link_has_completed_without_outputs() -> None:
    document = {"state": "completed", "video": {"url": "", "download_url": ""}}

    assert get("relay-luma", document).observation.outputs == ()


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("pending", State.QUEUED),
        ("queued", State.QUEUED),
        ("processing", State.DREAMING),
        ("Dreaming", State.DREAMING),
        ("completed", State.COMPLETED),
        ("failed", State.FAILED),
        ("UNKNOWN", None),
        ("succeeded", None),
    ],
)
def test_the_words_of_the_relay(word: str, state: State | None) -> None:
    seen = get("relay-luma", {"state": word}).observation

    assert (seen.native_state, seen.state) == (word, state)


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("code", ["task_not_exist", "TASK_NOT_EXIST", "task not exist"])
def test_the_relays_envelope_may_say_missing(status: int, code: str) -> None:
    reading = get(
        "relay-luma", {"code": code, "message": "m", "data": None}, status
    ).reading

    assert isinstance(reading, Missing)


@pytest.mark.parametrize(
    "document",
    [
        {"code": "success", "message": "", "data": None},
        {"code": "upstream_error", "message": "failed", "data": None},
        {"code": "failed"},
        {"error": {"message": "completed"}},
    ],
)
def test_the_relays_envelope_never_ends_a_generation(document: Any) -> None:
    assert isinstance(get("relay-luma", document).reading, Trouble)


@pytest.mark.parametrize(
    ("status", "headers", "document", "wait"),
    [
        (429, {}, {"detail": "slow down"}, None),
        (429, {"retry_after": "7"}, {}, 7),
        (429, {"retry_after": "0"}, {"retry_after": 9}, 0),
        (429, {"retry_after": "soon"}, {"retry_after": "9.5"}, 9.5),
        (429, {"retry_after_ms": "1500", "retry_after": "7"}, {}, 1.5),
        (429, {"retry_after": "Mon, 02 Mar 2026 10:02:30 GMT"}, {}, 30),
        (429, {}, {"retry_after": 2}, 2),
        (429, {}, {"detail": "Too many. Limit resets in ~30s."}, 30),
        (503, {"retry_after": "7"}, {}, 7),
        (503, {}, b"<html>busy</html>", None),
        (200, {"retry_after": "7"}, b"<html>busy</html>", None),
        (408, {"retry_after": "7"}, {}, None),
    ],
)
def test_the_wait_that_is_asked_for_counts_on_429_and_5xx(
    status: int, headers: dict[str, str], document: Any, wait: float | None
) -> None:
    reading = get("luma-agents", document, status, **headers).reading

    assert isinstance(reading, Busy if status == 429 else Trouble)
    after = reading.after
    assert after == (None if wait is None else timedelta(seconds=wait))


def test_validation_errors_with_a_list_as_detail_are_rejected() -> None:
    reading = get("luma-agents", {"detail": [{"loc": ["path"], "msg": "bad"}]}, 422).reading

    assert isinstance(reading, Rejected)


def test_keys_of_the_other_platform_are_refused() -> None:
    assert isinstance(get("dream-machine", {"detail": "Forbidden"}, 403).reading, Refused)


def test_the_pages_of_a_listing_follow_each_other_by_their_offset() -> None:
    entries = [{"id": str(n), "state": "queued"} for n in range(3)]
    first = page({"generations": entries, "has_more": True})
    assert isinstance(first.reading, Seen)

    last = page({"generations": entries, "has_more": False}, first.reading.next)

    assert _query(first) == {"limit": "100", "offset": "0"}
    assert _query(last) == {"limit": "100", "offset": "3"}
    assert isinstance(last.reading, Seen)
    assert last.reading.next is None
    assert [seen.id for seen in last.reading.observations] == ["0", "1", "2"]


def _query(asked: Talk) -> dict[str, str]:
    url = urlsplit(asked.request.url)
    assert url.path == "/dream-machine/v1/generations"
    return dict(parse_qsl(url.query))


def test_an_empty_page_is_the_last_whatever_it_says() -> None:
    assert page({"generations": [], "has_more": True}).reading == Seen(observations=())


@pytest.mark.parametrize(
    "entry",
    [None, 5, {}, {"state": "queued"}, {"id": "x"}, {"id": "..", "state": "queued"}],
)
def test_entries_that_cannot_be_watched_are_passed_over(entry: Any) -> None:
    reading = page({"generations": [entry, {"id": "g", "state": "queued"}]}).reading

    assert isinstance(reading, Seen)
    assert [seen.id for seen in reading.observations] == ["g"]


@pytest.mark.parametrize(
    ("document", "status", "kind"),
    [
        ({}, 200, Trouble),
        ({"generations": None}, 200, Trouble),
        ({"generations": {}}, 200, Trouble),
        ({}, 404, Rejected),
        ({}, 429, Busy),
    ],
)
def test_a_listing_that_is_not_answered(document: Any, status: int, kind: type) -> None:
    assert type(page(document, None, status).reading) is kind


@pytest.mark.parametrize("cursor", ["x", "-1", "1&limit=9", "٣", "9" * 11])
def test_a_cursor_that_is_no_offset_is_refused(cursor: str) -> None:
    assert not page({}, cursor).requests
