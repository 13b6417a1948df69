"""`genbridge try` asks once and shows what was read, and nothing that is secret."""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from bridge.cli.configuration import settings
from bridge.cli.findings import findings, lines
from bridge.cli.mask import Mask, shortened
from bridge.cli.trial import tried as tried_once
from bridge.core.looking import Get, Rejected
from bridge.core.network.exchange import Request
from bridge.providers.kling import Provider as Kling
from bridge.providers.runway import Provider as Runway
from tests.cli.calling import genbridge

KEY = "key-4711-canary"
LINK = "https://cdn.acme.example/7.mp4?X-Amz-Signature=signed-canary"
JOBS: dict[str, tuple[int, Any]] = {
    "q": (200, {"status": "waiting", "echo": f"Bearer {KEY}", "log": ["x" * 900] * 90}),
    "c": (200, {"status": "done", "file": 7}),
    "f": (200, {"status": "error", "error": {"code": "nsfw", "message": "no"}}),
    "odd": (200, {"status": "resting"}),
    "none": (200, {"state": "waiting"}),
    "html": (200, None),
    "lost": (404, None),
    "away": (503, None),
    "door": (403, None),
    "barred": (401, {"message": f"wrong key {KEY}"}),
    "busy": (429, {"message": "slow down"}),
    "wrong": (422, {"message": "no such parameter"}),
}


class _Api(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        url = urlsplit(self.path)
        name = url.path.rpartition("/")[2]
        status, document = JOBS.get(name, (404, {"message": "no such job"}))
        if url.path.startswith("/files/"):
            status, document = 200, {"url": LINK}
        if "wait" in parse_qs(url.query):
            document = {"status": self.headers["x-until"]}
        body = b"<html>busy" if document is None else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def api() -> Iterator[str]:
    with (
        ThreadingHTTPServer(("127.0.0.1", 0), _Api) as server,
        _running(server),
    ):
        yield f"http://127.0.0.1:{server.server_port}"


@contextmanager
def _running(server: ThreadingHTTPServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield
    server.shutdown()
    thread.join()


@pytest.fixture(scope="module")
def config(api: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("try") / "config.yaml"
    path.write_text(f"""\
network: {{allow: [127.0.0.0/8]}}
sources:
  acme:
    provider: http
    api_key: {KEY}
    base_url: {api}
    get: {{url: "/jobs/{{id}}", query: {{token: "{{key}}"}}}}
    hold: {{query: {{wait: "25"}}, headers: {{x-until: "{{until}}"}}, words: {{completed: done}}}}
    read:
      state: status
      states: {{queued: [waiting], completed: [done], failed: [error]}}
      failure: {{code: error.code, reason: error.message}}
    result: {{url: "/files/{{file}}", with: {{file: file}}, outputs: "[url]"}}
  plain: {{provider: pika, api_key: {KEY}, base_url: {api}}}
""")
    return path


def tried(config: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    done = genbridge("try", *arguments, "-c", config)
    assert "canary" not in done.stdout + done.stderr
    return done


def reported(config: Path, job: str) -> dict[str, Any]:
    """What the command reports, without another process."""
    known = settings(config)
    trial = tried_once(known.sources["acme"].provider, Get(id=job), allow=known.allow)
    return findings(known.sources["acme"], job, trial)


def test_what_was_asked_answered_found_and_read_is_shown(config: Path) -> None:
    done = tried(config, "acme", "q")

    assert (done.returncode, done.stderr) == (0, "")
    first, *others = done.stdout.splitlines()
    assert first.startswith("GET http://127.0.0.1:")
    assert first.endswith("/jobs/q?token=…")
    assert "  authorization: …" in others
    assert '    "echo": "Bearer …",' in others
    assert '      "… +85 more"' in others
    assert any(line.split() == ["read.state", "status", '"waiting"'] for line in others)
    assert others[-1] == "state: waiting → queued"


def test_a_second_call_is_shown_with_what_it_found(config: Path) -> None:
    done = tried(config, "acme", "c")

    assert done.returncode == 0
    assert "/files/7" in done.stdout
    assert "  output: video https://cdn.acme.example/7.mp4?…" in done.stdout
    assert any(
        line.split()[:2] == ["result.with.file", "file"]
        for line in done.stdout.splitlines()
    )


def test_a_failure_was_read_too(config: Path) -> None:
    report = reported(config, "f")

    assert report["read"]
    assert "state: error → failed\n  failure: nsfw: no" in "\n".join(lines(report))


@pytest.mark.parametrize(
    ("job", "said", "advice"),
    [
        (
            "odd",
            "resting → a word that means nothing yet",
            "list the word under read.states",
        ),
        (
            "none",
            "trouble: the answer names no state",
            "check base_url, get.url and read.state",
        ),
        ("html", "it is HTML, a page for people", "check base_url and get.url: a page"),
        ("lost", "404 after", "check base_url and get.url: a page for people lies there"),
        ("away", "503 after", "try again later: the API, or a proxy before it"),
        ("door", "it is HTML, a page for people", "check api_key"),
        ("barred", "refused: HTTP 401: wrong key …", "check api_key"),
        ("busy", "busy: HTTP 429", "try again later"),
        ("wrong", "rejected: HTTP 422: no such parameter", "check the URL"),
        ("nope", "missing: HTTP 404", "check the id"),
        ("https://evil.example/canary", "rejected: a link as an id", "give the id as"),
        ("..", "rejected: the generation's id holds", "give the id as the API writes it"),
    ],
)
def test_what_was_not_read_is_told_with_what_to_do(
    config: Path, job: str, said: str, advice: str
) -> None:
    report = reported(config, job)

    text = "\n".join(lines(report))
    assert not report["read"]
    assert said in text
    assert f"What to do: {advice}" in text
    assert "canary" not in text


def test_a_long_poll_is_tried(config: Path) -> None:
    done = tried(config, "acme", "q", "--hold", "completed")

    assert done.returncode == 0
    assert "wait=25" in done.stdout
    assert "state: done → completed" in done.stdout


def test_programs_get_json(api: str, config: Path) -> None:
    done = genbridge("try", "acme", "c", "--json", "-c", config)

    report = json.loads(done.stdout)
    assert report["read"] is True
    assert [call["status"] for call in report["calls"]] == [200, 200]
    assert report["generation"]["state"] == "completed"
    # Programs want the link whole; the key stands nowhere.
    assert report["generation"]["outputs"][0]["url"] == LINK
    assert KEY not in done.stdout
    assert {found["key"] for found in report["found"]} >= {"read.state", "result.outputs"}


def test_every_provider_can_be_tried(config: Path) -> None:
    done = tried(config, "plain", "q")

    assert done.returncode == 1
    assert "expressions" not in done.stdout
    assert "/videos/q" in done.stdout


def test_what_nobody_may_watch_is_not_asked_about() -> None:
    known = Kling(api_key=KEY, base_url="http://127.0.0.1:9")

    trial = tried_once(known, Get(id="866168"), allow=())

    assert not trial.calls
    assert isinstance(trial.reading, Rejected)
    assert "FAMILY/TASK" in trial.reading.why


def test_a_page_for_people_of_an_api_that_is_not_described_is_told_as_such(
    config: Path,
) -> None:
    done = tried(config, "plain", "html")

    assert done.returncode == 1
    assert "200 after" in done.stdout
    assert "  it is HTML, a page for people, instead of JSON\n" in done.stdout
    assert "What to do: check base_url: a page for people lies there" in done.stdout
    assert "<html>" not in done.stdout


def test_a_private_address_is_not_contacted_unless_it_is_allowed(config: Path) -> None:
    known = settings(config)

    trial = tried_once(known.sources["acme"].provider, Get(id="q"), allow=())

    text = "\n".join(lines(findings(known.sources["acme"], "q", trial)))
    assert "no answer: " in text
    assert "127.0.0.1" in text


@pytest.mark.parametrize(
    "arguments",
    [
        ("nobody", "q"),
        ("acme", "q", "--hold", "failed"),
        ("plain", "q", "--hold", "completed"),
        ("acme",),
    ],
)
def test_a_wrong_command_line_is_2(config: Path, arguments: tuple[str, ...]) -> None:
    assert tried(config, *arguments).returncode == 2


def test_a_wrong_configuration_is_2_and_told_with_its_place(
    config: Path, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(config.read_text().replace("state: status", "state: a.."))

    done = genbridge("try", "acme", "q", "-c", wrong)

    assert done.returncode == 2
    assert "sources.acme.read.state: not expected here" in done.stderr


def test_a_mask_covers_a_key_however_it_is_written() -> None:
    request = Request(method="GET", url="https://a", headers=(("x-token", "minted-of-it"),))
    mask = Mask.of(Runway(api_key="key/with=signs"), [request])

    assert mask.url("https://a/key%2Fwith%3Dsigns?sig=1&b=2") == "https://a/…?sig=…&b=2"
    assert mask.value({"a": ["minted-of-it", 1]}) == {"a": ["…", 1]}
    assert "signs" not in repr(mask)


def test_what_is_shown_can_be_looked_over() -> None:
    assert shortened("https://a.example/b?c=d e") == "https://a.example/b?… e"
    assert shortened(list(range(9))) == [0, 1, 2, 3, 4, "… +4 more"]
    deep: Any = "x"
    for _ in range(100):
        deep = [deep]
    assert "…" in json.dumps(shortened(deep), ensure_ascii=False)
