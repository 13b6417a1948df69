"""What commands say to the daemon, and what they make of its answers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer

from bridge.cli.client import Client, Place, Refused, place
from bridge.cli.status import table, timeline, troubles
from bridge.cli.watch import metadata_of, sentence
from bridge.errors import ConfigError, NoDaemon
from tests.cli.calling import genbridge

HERE = Place(url="http://127.0.0.1:8383", token="CANARY")


def client(
    answer: Callable[[httpx.Request], httpx.Response], where: Place = HERE
) -> Client:
    return Client(where, transport=httpx.MockTransport(answer))


def watch(**changes: Any) -> dict[str, Any]:
    return {
        "source": "luma",
        "id": "g1",
        "state": None,
        "native_state": None,
        "active": True,
        "ended": None,
        "until": "completed",
        "webhooks": ["studio"],
        "callbacks": [],
        "metadata": {},
        "created_at": "2026-11-21T08:30:00Z",
        "deadline_at": "2026-11-22T08:30:00Z",
        "state_at": None,
        "ended_at": None,
    } | changes


def test_the_token_is_sent_and_the_id_is_percent_encoded_whole() -> None:
    seen = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append((request.headers["authorization"], request.url.raw_path))
        return httpx.Response(200, json=watch())

    with client(answer) as one:
        one.watch("luma", "a/b:c?d#e ü")
    path = b"/v1/watches/luma/a%2Fb%3Ac%3Fd%23e%20%C3%BC"
    assert seen == [("Bearer CANARY", path)]


def test_pages_are_followed_to_the_last() -> None:
    pages = {None: ([watch(id="2")], "2"), "2": ([], "1"), "1": ([watch(id="1")], None)}

    def answer(request: httpx.Request) -> httpx.Response:
        found, next_ = pages[request.url.params.get("cursor")]
        assert request.url.params["active"] == "true"
        return httpx.Response(200, json={"watches": found, "next": next_})

    with client(answer) as one:
        assert [found["id"] for found in one.watches(active="true")] == ["2", "1"]


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, 2), (401, 2), (403, 2), (422, 2), (404, 1), (409, 1), (503, 1)],
)
def test_a_refusal_is_told_in_the_daemons_words_with_an_exit_code(
    status: int, code: int
) -> None:
    document = {"detail": "it says why", "status": status}

    def answer(_request: httpx.Request) -> httpx.Response:
        kind = {"content-type": "application/problem+json"}
        return httpx.Response(status, json=document, headers=kind)

    with client(answer) as one, pytest.raises(Refused) as refused:
        one.watch("luma", "g1")
    assert refused.value.exit_code == code
    assert (
        "token" in str(refused.value) if status == 401 else "says why" in str(refused.value)
    )


@pytest.mark.parametrize(
    ("places", "said"),
    [
        (["?status"], "status: no"),
        (["$.until"], "until: no"),
        (["{id}"], "id: no"),
        (["$.watches[1].id", "$"], "2 mistakes\n  watches[1].id: no\n  $: no"),
    ],
)
def test_mistakes_are_told_without_the_places_of_http(places: list[str], said: str) -> None:
    errors = [{"path": place, "message": "no"} for place in places]
    kind = {"content-type": "application/problem+json"}
    document = {"detail": f"{len(places)} mistakes", "errors": errors}
    answer = httpx.Response(422, json=document, headers=kind)
    with client(lambda _: answer) as one, pytest.raises(Refused) as refused:
        one.watch("luma", "g1")
    assert str(refused.value) == said


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404, text="<html>"),
        httpx.Response(500, headers={"content-type": "application/problem+json"}, text="{"),
        httpx.Response(302, headers={"location": "http://evil.example/"}),
    ],
)
def test_what_answers_in_another_language_is_no_daemon(answer: httpx.Response) -> None:
    with client(lambda _: answer) as one, pytest.raises(NoDaemon) as error:
        one.watch("luma", "g1")
    assert error.value.exit_code == 3


@pytest.mark.parametrize(
    "error",
    [httpx.ConnectError("x"), httpx.ReadTimeout("x"), httpx.RemoteProtocolError("x")],
)
def test_a_daemon_that_does_not_answer_cannot_be_reached(error: httpx.HTTPError) -> None:
    def answer(_request: httpx.Request) -> httpx.Response:
        raise error

    with client(answer) as one, pytest.raises(NoDaemon, match="cannot be reached"):
        one.call_off("luma", "g1")


def test_the_place_is_that_of_the_configuration(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text('server: {listen: "[::1]:99", token: in-the-file}\n')
    assert place(config, url=None, token=None) == Place(
        url="http://[::1]:99", token="in-the-file"
    )
    assert place(config, url=None, token="given").token == "given"
    elsewhere = place(config, url="HTTPS://Example.com/", token=None)
    assert elsewhere == Place(url="https://example.com", token=None)


def test_a_daemon_that_listens_at_every_address_is_asked_at_loopback(
    tmp_path: Path,
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text('server: {listen: "0.0.0.0:99", token: x}\n')
    assert place(config, url=None, token=None).url == "http://127.0.0.1:99"


def test_a_missing_file_matters_only_where_it_was_named(tmp_path: Path) -> None:
    config = tmp_path / "none.yaml"
    found = place(config, url=None, token=None, chosen=False)
    assert found == Place(url="http://127.0.0.1:8383", token=None)
    with pytest.raises(ConfigError):
        place(config, url=None, token=None)


def test_a_daemon_without_an_api_cannot_be_reached(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text('server: {listen: "off"}\n')
    with pytest.raises(NoDaemon, match=r"server\.listen"):
        place(config, url=None, token=None)


def test_a_wrong_url_is_a_mistake_of_the_command_line() -> None:
    with pytest.raises(ConfigError, match="--url"):
        place(Path("x"), url="localhost:8383", token=None)


def test_the_token_is_not_shown() -> None:
    assert "CANARY" not in repr(HERE)


@pytest.mark.parametrize(
    ("texts", "meant"),
    [
        ([], None),
        (["order=1042"], {"order": 1042}),
        (["a=x=y", "b=true", 'c="1"', "d="], {"a": "x=y", "b": True, "c": "1", "d": ""}),
        (['{"a": {"b": 1}}'], {"a": {"b": 1}}),
        (["a=NaN"], {"a": "NaN"}),
    ],
)
def test_metadata_is_taken_as_json_where_it_is(texts: list[str], meant: object) -> None:
    assert metadata_of(texts) == meant


@pytest.mark.parametrize("texts", [["order"], ["=1"], ["{"], ["{}", "a=1"], ["a=1", "{}"]])
def test_metadata_of_another_form_is_usage(texts: list[str]) -> None:
    with pytest.raises(typer.BadParameter):
        metadata_of(texts)


def test_an_order_is_told_in_a_sentence() -> None:
    assert sentence(watch(), begun=True) == "watching until completed; told: studio"
    over = watch(active=False, ended="failed", callbacks=["https://x/…"])
    assert sentence(over, begun=False) == "over already (failed); told: studio, https://x/…"


def test_a_table_holds_a_line_for_each_watch() -> None:
    lines = list(table([watch(), watch(id="longer", active=False, ended="unwatched")]))
    assert lines[0].split() == ["source", "id", "state", "until", "since", "told"]
    assert "not seen yet (unwatched)" in lines[2]
    assert lines[-1] == "2 watches"
    assert list(table([])) == ["0 watches"]


def test_no_running_watch_says_how_to_see_the_others() -> None:
    assert list(table([], everything=False)) == [
        "0 watches now; --all shows those that are over"
    ]
    assert list(table([])) == ["0 watches"]


def test_a_terminal_is_told_nothing_by_strangers() -> None:
    hostile = "\x1b[31mred\nnew line\x07"
    shown = watch(native_state=hostile, id=hostile, events=[])
    for line in (*table([shown]), *timeline(shown)):
        assert line.isprintable()


def test_a_timeline_tells_outputs_failures_and_deliveries() -> None:
    event = {
        "timestamp": "2026-11-21T08:31:00Z",
        "type": "generation.failed",
        "data": {
            "outputs": [{"type": "video", "url": "https://example.com/v.mp4"}],
            "failure": {"code": "moderated", "reason": "no"},
        },
        "deliveries": [
            {
                "webhook": "studio",
                "status": "pending",
                "attempts": 2,
                "due_at": "2026-11-21T08:36:00Z",
                "reason": "503",
            }
        ],
    }
    lines = list(timeline(watch(events=[event], metadata={"order": 1})))
    assert '  metadata  {"order": 1}' in lines
    assert "    video https://example.com/v.mp4" in lines
    assert "    failed: moderated: no" in lines
    assert "    studio: pending after 2 attempts, next 2026-11-21T08:36:00Z (503)" in lines


def test_a_watch_says_why_the_last_look_taught_nothing() -> None:
    failed = {"reason": "HTTP 500: no\x1b[2J", "in_a_row": 12}
    first = {"reason": "no answer in time", "in_a_row": 1}

    several = list(timeline(watch(events=[], in_vain=failed)))
    one = list(timeline(watch(events=[], in_vain=first)))

    (line,) = [line for line in several if "last look" in line]
    assert line.startswith("  last look taught nothing: HTTP 500: no")
    assert line.endswith(", 12 in a row")
    assert "\x1b" not in line
    assert "  last look taught nothing: no answer in time" in one


@pytest.mark.parametrize("nothing", [{}, {"in_vain": None}])
def test_a_watch_whose_looks_teach_says_nothing_of_them(nothing: dict[str, None]) -> None:
    assert not any("last look" in line for line in timeline(watch(events=[], **nothing)))


def test_without_a_daemon_a_command_ends_with_3(tmp_path: Path) -> None:
    for arguments in (["status"], ["watch", "luma", "g1"], ["unwatch", "luma", "g1"]):
        done = genbridge(*arguments, "--url", "http://127.0.0.1:9", folder=tmp_path)
        assert done.returncode == 3
        assert done.stderr.startswith("genbridge: the daemon cannot be reached at")
        assert done.stdout == ""


def test_a_command_reads_the_token_from_the_environment_and_no_other_secret(
    tmp_path: Path,
) -> None:
    (tmp_path / "config.yaml").write_text(
        'server: {listen: "127.0.0.1:9", token: "${GENBRIDGE_TOKEN}"}\n'
        "sources: {luma: {provider: luma-agents, api_key: '${NOT_HERE}'}}\n"
    )
    assert genbridge("status", folder=tmp_path).returncode == 2
    assert genbridge("status", folder=tmp_path, GENBRIDGE_TOKEN="x").returncode == 3


def standing(**changes: Any) -> dict[str, Any]:
    return {
        "name": "luma",
        "standing": "working",
        "since": None,
        "why": "",
        "saturation": None,
    } | changes


def test_a_source_is_named_only_where_there_is_something_to_do() -> None:
    since = "2026-11-21T08:30:00Z"
    saturation = "aiml needs 17.1 looks/s, may make 10: 7.1 more, or 2 keys"
    found = [
        standing(since=since),
        standing(standing="refused", since=since, why="401 bad\x1b[2Jkey"),
        standing(name="aiml", standing="busy", since=since, saturation=saturation),
        standing(name="kling", standing="away", since=since, why="no answer in time"),
    ]
    lines = list(troubles(found))
    assert [line.partition(" since ")[0] for line in lines] == [
        "luma refuses the key",
        "aiml throttles us",
        saturation,
        "kling does not answer",
    ]
    assert lines[3].endswith(": no answer in time")
    assert not any("\x1b" in line for line in lines)
