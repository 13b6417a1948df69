"""What each API is asked, where that is peculiar; every plain question is in the manifest."""

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from bridge.core.ladder import State
from bridge.core.looking import Batch, Get, Hold, Listing, Look, Rejected, Seen, Trouble
from bridge.core.network.exchange import Phase, Unanswered
from tests.providers.talking import KEY, Talk, answer, provider, talk

RELAY = "https://relay.example.net"


def ask(name: str, look: Look | str, *documents: Any, **options: str) -> Talk:
    look = Get(id=look) if isinstance(look, str) else look
    answers = [one if isinstance(one, Unanswered) else answer(one) for one in documents]
    return talk(provider(name, **options), look, *(answers or [answer({})]))


@pytest.mark.parametrize(
    ("name", "one", "url"),
    [
        (
            "aimlapi-video",
            "u:stable-audio",
            "https://api.aimlapi.com/v2/video/generations?generation_id=u%3Astable-audio",
        ),
        (
            "fal",
            "acme/a/requests/r",
            "https://queue.fal.run/acme/a/requests/r/status?logs=0",
        ),
        (
            "fal",
            "https://queue.fal.run/acme/a/requests/r/status",
            "https://queue.fal.run/acme/a/requests/r/status",
        ),
        ("flux", "a/b", "https://api.bfl.ai/v1/get_result?id=a%2Fb"),
        (
            "flux",
            "https://api.eu1.bfl.ai/v1/get_result?id=7",
            "https://api.eu1.bfl.ai/v1/get_result?id=7",
        ),
        ("heygen", "b1", "https://api.heygen.com/v1/video_status.get?video_id=b1"),
        (
            "heygen",
            "https://api.heygen.com/v2/videos/b1",
            "https://api.heygen.com/v2/videos/b1",
        ),
        ("ideogram", "Zm9v==", "https://api.ideogram.ai/v2/generations/Zm9v%3D%3D"),
        ("kling", "text2video/7", "https://api.klingai.com/v1/videos/text2video/7"),
        (
            "kling",
            "images/generations/7",
            "https://api.klingai.com/v1/images/generations/7",
        ),
        ("minimax-v2", "7", "https://api.minimax.io/v2/query/video_generation/7"),
        ("openai-batch", "batch_1", "https://api.openai.com/v1/batches/batch_1"),
        ("openai-videos", "video_1", "https://api.openai.com/v1/videos/video_1"),
        ("pika", "7", f"{RELAY}/videos/7"),
        ("relay-luma-own", "7", f"{RELAY}/luma/generations/7"),
        ("relay-runway", "7", f"{RELAY}/runway/tasks/7"),
        ("relay-suno", "7", f"{RELAY}/suno/fetch/7"),
        ("relay-udio", "7", f"{RELAY}/udio/fetch/7"),
        ("replicate", "ufaw", "https://api.replicate.com/v1/predictions/ufaw"),
        ("stability", "7", "https://api.stability.ai/v2beta/results/7"),
        (
            "stability",
            "image-to-video/result/7",
            "https://api.stability.ai/v2beta/image-to-video/result/7",
        ),
        (
            "veo",
            "models/m/operations/7",
            "https://generativelanguage.googleapis.com/v1beta/models/m/operations/7",
        ),
    ],
)
def test_a_look_is_asked_where_the_api_has_it(name: str, one: str, url: str) -> None:
    assert ask(name, one).requests[0].url == url


@pytest.mark.parametrize(
    ("name", "header", "value"),
    [
        ("fal", "authorization", f"Key {KEY}"),
        ("flux", "x-key", KEY),
        ("heygen", "x-api-key", KEY),
        ("ideogram", "api-key", KEY),
        ("kling", "authorization", f"Bearer {KEY}"),
        ("replicate", "authorization", f"Bearer {KEY}"),
        ("stability", "authorization", f"Bearer {KEY}"),
        ("veo", "x-goog-api-key", KEY),
    ],
)
def test_a_key_goes_where_the_api_wants_it(name: str, header: str, value: str) -> None:
    headers = dict(ask(name, "g-1").requests[0].headers)

    assert headers[header] == value
    assert headers["accept"] == "application/json"
    assert sum(KEY in text for text in headers.values()) == 1


def test_audio_has_a_path_of_its_own() -> None:
    (request, *_) = ask("aimlapi-video", "g-1", media="audio").requests

    assert urlsplit(request.url).path == "/v2/generate/audio"


@pytest.mark.parametrize(
    ("until", "word"),
    [
        (State.QUEUED, "queued"),
        (State.DREAMING, "streaming"),
        (State.COMPLETED, "completed"),
        (State.FAILED, "completed"),
    ],
)
def test_a_hold_for_suno_waits_in_its_own_words(until: State, word: str) -> None:
    (request,) = ask("aimlapi-suno", Hold(id="g-1", until=until)).requests

    assert parse_qsl(urlsplit(request.url).query) == [("clip_id", "g-1"), ("status", word)]


@pytest.mark.parametrize(
    ("name", "options", "path", "body"),
    [
        ("relay-luma-own", {}, "/luma/tasks", {"ids": ["a", "b"]}),
        ("relay-suno", {}, "/suno/fetch", {"ids": ["a", "b"], "action": "MUSIC"}),
        (
            "relay-suno",
            {"action": "LYRICS"},
            "/suno/fetch",
            {"ids": ["a", "b"], "action": "LYRICS"},
        ),
    ],
)
def test_a_relay_is_asked_about_many_with_a_body(
    name: str, options: dict[str, str], path: str, body: Any
) -> None:
    (request,) = ask(name, Batch(ids=("a", "b")), [], **options).requests

    assert (request.method, request.url) == ("POST", RELAY + path)
    assert json.loads(request.body) == body
    assert dict(request.headers)["content-type"] == "application/json"


# ---------------------------------------------------------------- second calls

FAL = "https://queue.fal.run/acme/a/requests/r"


@pytest.mark.parametrize(
    ("one", "response_url", "asked"),
    [
        ("acme/a/requests/r", f"{FAL}/else", f"{FAL}/else"),
        ("acme/a/requests/r", None, FAL),
        ("acme/a/requests/r", "https://evil.example/x", FAL),
        (f"{FAL}/status?logs=1", None, FAL),
        (f"{FAL}/status", "http://queue.fal.run/x", FAL),
        (f"{FAL}/status", {"is": FAL}, FAL),
    ],
)
def test_fals_result_is_fetched_from_fal_alone(
    one: str, response_url: Any, asked: str
) -> None:
    done = {"status": "COMPLETED", "response_url": response_url}

    _, second = ask("fal", one, done, {}).requests

    assert second.url == asked


@pytest.mark.parametrize("brace", ["{x}", "{+id}", "{", "%7B"])
def test_a_status_url_with_braces_breaks_nothing(brace: str) -> None:
    asked = ask("fal", f"{FAL}{brace}/status", {"status": "COMPLETED"}, {})

    assert isinstance(asked.reading, Seen | Trouble | Rejected)
    assert all(urlsplit(r.url).hostname == "queue.fal.run" for r in asked.requests)


def test_a_second_call_that_gets_no_answer_forgets_nothing() -> None:
    lost = Unanswered(phase=Phase.ANSWER, reason="reset")

    asked = ask("fal", "a/b/requests/r", {"status": "COMPLETED"}, lost)

    assert isinstance(asked.reading, Trouble)
    assert asked.reading.seen is not None
    assert asked.reading.seen.state is State.COMPLETED


def test_minimax_fetches_the_file_by_its_id() -> None:
    _, second = ask("minimax", "7", {"status": "Success", "file_id": 17}, {}).requests

    assert second.url == "https://api.minimax.io/v1/files/retrieve?file_id=17"


# ---------------------------------------------------------------- lists


def turned(name: str, first: Any, second: Any = None) -> tuple[str, str | None]:
    """The URL of the second page, and the cursor that it gives."""
    page = ask(name, Listing(), first).reading
    assert isinstance(page, Seen)
    asked = ask(name, Listing(cursor=page.next), second if second is not None else first)
    assert isinstance(asked.reading, Seen)
    return asked.requests[0].url, asked.reading.next


def test_replicate_goes_on_at_the_link_that_it_gave() -> None:
    link = "https://api.replicate.com/v1/predictions?cursor=abc"
    entry = {"id": "p", "status": "starting"}

    url, onward = turned(
        "replicate", {"results": [entry], "next": link}, {"results": [entry], "next": None}
    )

    assert (url, onward) == (link, None)


def test_a_link_to_another_house_is_not_followed() -> None:
    look = Listing(cursor="https://evil.example/?cursor=abc")

    asked = ask("replicate", look, {"results": []})

    assert not asked.requests
    assert isinstance(asked.reading, Rejected)


@pytest.mark.parametrize("name", ["openai-videos", "openai-batch"])
def test_openai_goes_on_after_the_last_id(name: str) -> None:
    page = {"data": [{"id": "a", "status": "completed"}, {"id": "b", "status": "x"}]}

    url, onward = turned(name, {**page, "has_more": True}, {**page, "has_more": False})

    assert parse_qsl(urlsplit(url).query) == [("limit", "100"), ("after", "b")]
    assert onward is None


def test_a_file_of_a_batch_in_a_list_has_its_link() -> None:
    batch = {"id": "b", "status": "completed", "output_file_id": "file-1"}

    (seen,) = ask("openai-batch", Listing(), {"data": [batch]}).reading.observations  # type: ignore[union-attr]  # is Seen

    assert [o.url for o in seen.outputs] == [
        "https://api.openai.com/v1/files/file-1/content"
    ]


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("container", ["tasks", "data"])
def test_minimax_v2_turns_pages_whatever_they_are_held_in(
    container: str, *, wrapped: bool
) -> None:
    tasks: list[Any] = [{"id": str(n), "status": "running"} for n in range(100)]
    tasks = [{"task": task} for task in tasks] if wrapped else tasks

    url, onward = turned("minimax-v2", {container: tasks})

    assert parse_qsl(urlsplit(url).query) == [("page_num", "2"), ("page_size", "100")]
    assert onward == "3"
    assert len(ask("minimax-v2", Listing(), {container: tasks}).reading.observations) == 100  # type: ignore[union-attr]  # is Seen
