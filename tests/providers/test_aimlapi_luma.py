"""AI/ML API's Luma: holds, batches of unknown shape, bodies of unknown shape."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from bridge.core.ladder import State
from bridge.core.looking import (
    Batch,
    Busy,
    Get,
    Hold,
    Listing,
    Missing,
    Refused,
    Rejected,
    Seen,
    Trouble,
)
from tests.providers.talking import Talk, answer, provider, talk

AIML = provider("aimlapi-luma")
LINK = "https://cdn.example.net/v.mp4"


def get(document: Any, status: int = 200) -> Talk:
    return talk(AIML, Get(id="g-1"), answer(document, status))


def batch(document: Any, *ids: str, status: int = 200) -> Talk:
    return talk(AIML, Batch(ids=ids or ("g-1", "g-2")), answer(document, status))


@pytest.mark.parametrize(
    ("until", "word"),
    [
        (State.QUEUED, "queued"),
        (State.DREAMING, "dreaming"),
        (State.COMPLETED, "completed"),
        (State.FAILED, "completed"),
    ],
)
def test_a_hold_sends_both_names_and_never_waits_for_failed(
    until: State, word: str
) -> None:
    asked = talk(AIML, Hold(id="g-1", until=until), answer({"state": "queued"}))

    query = parse_qsl(urlsplit(asked.request.url).query)
    assert query == [("generation_id", "g-1"), ("state", word), ("status", word)]
    assert asked.observation.state is State.QUEUED


@pytest.mark.parametrize("query", ["", "?generation_id=g-1"])
def test_a_link_as_an_id_is_held_too(query: str) -> None:
    link = f"https://api.aimlapi.com/x{query}"

    asked = talk(AIML, Hold(id=link, until=State.DREAMING), answer({"state": "queued"}))

    assert asked.request.url.startswith(link)
    assert parse_qsl(urlsplit(asked.request.url).query)[-2:] == [
        ("state", "dreaming"),
        ("status", "dreaming"),
    ]


def test_a_plain_look_sends_no_wait_word() -> None:
    assert parse_qsl(urlsplit(get({}).request.url).query) == [("generation_id", "g-1")]


@pytest.mark.parametrize(
    ("document", "links"),
    [
        ({"state": "completed", "assets": {"video": LINK}}, [LINK]),
        ({"state": "completed", "video": {"url": LINK}}, [LINK]),
        ({"state": "completed", "video_url": LINK}, [LINK]),
        ({"status": "ok", "data": {"state": "completed", "videoUrl": LINK}}, [LINK]),
        ({"state": "completed", "assets": {"video": ""}, "video_url": LINK}, [LINK]),
        (
            {"state": "completed", "assets": {"video": LINK}, "video_url": "http://x/y"},
            [LINK],
        ),
        ({"state": "completed", "assets": {"video": None, "image": LINK}}, [LINK]),
        ({"state": "completed", "assets": None}, []),
        ({"state": "completed", "assets": "later"}, []),
        ({"state": "dreaming", "assets": {"video": LINK}}, []),
        ({"state": "failed", "assets": {"video": LINK}}, []),
    ],
)
def test_the_link_is_found_in_each_shape_and_told_only_when_completed(
    document: Any, links: list[str]
) -> None:
    assert [output.url for output in get(document).observation.outputs] == links


@pytest.mark.parametrize(
    ("document", "native", "state"),
    [
        ({"state": "dreaming"}, "dreaming", State.DREAMING),
        ({"state": " COMPLETED "}, " COMPLETED ", State.COMPLETED),
        ({"status": "queued"}, "queued", State.QUEUED),
        (
            {"status": "x", "data": {"state": "failed", "jobId": "j"}},
            "failed",
            State.FAILED,
        ),
        ({"state": "queued", "status": "completed"}, "queued", State.QUEUED),
        ({"state": None, "status": "queued"}, "queued", State.QUEUED),
        ({"state": {"a": 1}, "status": "queued"}, "queued", State.QUEUED),
        ({"state": "streaming"}, "streaming", None),
        ({"state": 3}, "3", None),
        ([{"id": "other", "state": "queued"}], "queued", State.QUEUED),
        (
            [{"id": "x", "state": "failed"}, {"id": "g-1", "state": "queued"}],
            "queued",
            State.QUEUED,
        ),
    ],
)
def test_the_state_is_the_first_word_there_is(
    document: Any, native: str, state: State | None
) -> None:
    seen = get(document).observation

    assert (seen.id, seen.native_state, seen.state) == ("g-1", native, state)


def error(status: Any, message: Any = "No such thing") -> dict[str, Any]:
    return {"message": message, "path": "/v2", "requestId": "r", "statusCode": status}


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        (error(404), Missing),
        (error("404"), Missing),
        (error(" 410 "), Missing),
        (error("429"), Busy),
        (error(403), Refused),
        (error("401", ["bad", "key"]), Refused),
        (error(400), Rejected),
        (error(400, "invalid task_id: x"), Missing),
        (error(502), Trouble),
        (error(200), Trouble),
        (error("forty"), Trouble),
        ({"error": "boom"}, Trouble),
        ({}, Trouble),
        ([], Trouble),
        ({"state": None}, Trouble),
        ({"state": ""}, Trouble),
        ({"state": {"value": "completed"}}, Trouble),
        ({"state": ["completed"]}, Trouble),
        ({"assets": {"state": "completed"}}, Trouble),
    ],
)
def test_an_error_document_inside_a_200_is_no_failed_generation(
    document: Any, kind: type
) -> None:
    assert type(get(document).reading) is kind


def test_with_a_word_to_read_the_error_document_is_ignored() -> None:
    assert get({**error(404), "state": "dreaming"}).observation.state is State.DREAMING


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (404, Missing), (410, Missing), (429, Busy), (401, Refused), (402, Refused),
        (403, Refused), (408, Trouble), (425, Trouble), (301, Trouble), (304, Trouble),
        (500, Trouble), (503, Trouble), (524, Trouble), (100, Trouble), (700, Trouble),
        (400, Rejected), (409, Rejected), (422, Rejected),
    ],
)  # fmt: skip
def test_the_status_speaks_before_the_body(status: int, kind: type) -> None:
    assert type(get({"state": "completed", "id": "g-1"}, status).reading) is kind


ONE = {"id": "g-1", "state": "dreaming"}
TWO = {"id": "g-2", "state": "completed", "assets": {"video": LINK}}


@pytest.mark.parametrize(
    "document",
    [
        [ONE, TWO],
        [TWO, ONE, {"id": "g-3", "state": "failed"}],
        [None, 7, "x", ONE, [], {"id": "g-1"}, TWO, {"state": "queued"}],
        {"generations": [ONE, TWO]},
        {"data": [ONE, TWO]},
        {"status": "ok", "data": {"page": {"items": [ONE, TWO]}}},
        {"errors": [], "done": [TWO], "running": [ONE]},
        {"g-1": {"state": "dreaming"}, "g-2": {"state": "completed"}},
        {
            "data": {
                "g-1": {"state": "dreaming"},
                "g-2": {"id": "other", "state": "completed"},
            }
        },
        [ONE, TWO, {"id": "g-2", "state": "queued"}, {"id": "g-1", "state": "mystery"}],
        [[ONE], [TWO]],
        [ONE, {"status": "ok", "data": {"jobId": "g-2", "state": "completed"}}],
    ],
    ids=range(12),
)
def test_the_items_of_a_batch_are_found_in_any_container(document: Any) -> None:
    reading = batch(document).reading

    assert isinstance(reading, Seen)
    assert [(seen.id, seen.state) for seen in reading.observations] == [
        ("g-1", State.DREAMING),
        ("g-2", State.COMPLETED),
    ]
    assert reading.unseen == ()


@pytest.mark.parametrize(
    ("document", "unseen"),
    [
        ([], ("g-1", "g-2")),
        ({"generations": []}, ("g-1", "g-2")),
        ([{"id": "g-9", "state": "failed"}], ("g-1", "g-2")),
        ([ONE], ("g-2",)),
        (TWO, ("g-1",)),
        ({"data": TWO}, ("g-1",)),
        ([{**ONE, "clips": [TWO]}], ("g-2",)),
        ([ONE, {"id": "g-2", "state": None}], ("g-2",)),
    ],
)
def test_an_asked_id_that_is_not_spoken_of_is_unseen(
    document: Any, unseen: tuple[str, ...]
) -> None:
    reading = batch(document).reading

    assert isinstance(reading, Seen)
    assert reading.unseen == unseen


def test_ids_are_compared_as_text() -> None:
    reading = batch([{"id": 17, "state": "queued"}], "17").reading

    assert isinstance(reading, Seen)
    assert reading.observations[0].id == "17"


@pytest.mark.parametrize(
    ("document", "status", "kind"),
    [
        ({}, 200, Trouble),
        (error("404", ["no such ids"]), 200, Rejected),
        (error(429), 200, Busy),
        (error(500), 200, Trouble),
        ([ONE], 404, Rejected),
        ([ONE], 410, Rejected),
        ([ONE], 429, Busy),
        ([ONE], 503, Trouble),
    ],
)
def test_a_batch_that_is_not_answered_says_nothing_of_its_generations(
    document: Any, status: int, kind: type
) -> None:
    assert type(batch(document, status=status).reading) is kind


def test_a_bad_id_does_not_spoil_its_batch() -> None:
    asked = batch([ONE], "g-1", "..", "g-1")

    query = parse_qsl(urlsplit(asked.request.url).query)
    assert query == [("generation_ids[]", "g-1"), ("generation_ids[]", "g-1")]
    assert isinstance(asked.reading, Seen)
    assert asked.reading.unseen == ("..",)


def test_a_batch_has_at_most_fifty_ids() -> None:
    assert batch([], *map(str, range(50))).requests
    assert isinstance(batch([], *map(str, range(51))).reading, Rejected)
    assert isinstance(talk(AIML, Batch(ids=()), answer([])).reading, Rejected)


def test_there_is_no_list() -> None:
    asked = talk(AIML, Listing(), answer([]))

    assert not asked.requests
    assert isinstance(asked.reading, Rejected)


def test_the_text_of_a_single_answer_is_kept_and_that_of_an_item_is_not() -> None:
    text = b'{"state": "queued", "big": 1.10}'

    assert get(text).observation.raw_text == text
    assert get(b"[" + text + b"]").observation.raw_text is None
    assert get(b'{"state": "queued", "odd": "\\ud800"}').observation.raw_text is None
