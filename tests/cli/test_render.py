"""`genbridge render`: what would be sent, in every form, and no secret of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from bridge.core.examples import GENERATIONS, NOTICES
from bridge.plugins import Plugins
from tests.cli.calling import genbridge
from tests.config.given import SECRET

ROUTING_KEY = "R0UTINGKEYR0UTINGKEYR0UTINGKEY12"
CONFIG = f"""
sources:
  luma: {{provider: luma-agents, api_key: any}}
webhooks:
  studio:
    url: https://example.com/hooks/generations-4711
    secret: {SECRET}
    headers: {{X-Team: video-department}}
    raw: false
  pager:
    url: https://events.pagerduty.com/v2/enqueue
    format: pagerduty
    routing_key: {ROUTING_KEY}
  chat:
    url: https://api.telegram.org/bot4711:TOKEN
    format: telegram
    chat_id: -1001234567890
  talk:
    url: https://discord.com/api/webhooks/4711/TOKEN
    format: discord
    live: true
  phone:
    url: https://ntfy.example
    format: ntfy
    topic: t
"""


def rendered(*arguments: str | Path, folder: Path | None = None) -> list[dict[str, Any]]:
    done = genbridge("render", "--json", *arguments, folder=folder)
    assert (done.returncode, done.stderr) == (0, "")
    sheets: list[dict[str, Any]] = json.loads(done.stdout)
    return sheets


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.yaml").write_text(CONFIG)
    return tmp_path


def test_each_form_is_shown_with_its_size_and_the_limit() -> None:
    sheets = rendered("--format", "google-chat")
    assert [sheet["form"] for sheet in sheets] == ["full", "compact", "text"]
    sizes = [sheet["bytes"] for sheet in sheets]
    assert sizes == sorted(sizes, reverse=True)
    for sheet in sheets:
        assert sheet["limit"] == 32_000
        assert sheet["bytes"] == len(json.dumps(sheet["body"], separators=(",", ":")))
        assert sheet["event"] == "generation.completed"


def test_people_get_the_request_as_it_goes_out() -> None:
    done = genbridge("render", "--format", "telegram", "--form", "text")
    assert done.returncode == 0
    head, address, *rest = done.stdout.splitlines()
    assert head == "telegram, generation.completed, text"
    assert address == "POST https://…/sendMessage"
    assert "content-type: application/json" in rest
    assert '  "chat_id": "-1001234567890",' in rest
    assert rest[-1] == "203 bytes"
    assert "made up, for no webhook was named: chat_id" in done.stderr


def test_a_limit_stands_beside_the_size() -> None:
    done = genbridge("render", "--format", "google-chat", "--form", "text")
    assert done.stdout.endswith(" bytes of 32,000 that are taken\n")


@pytest.mark.parametrize("name", Plugins().names("format"))
def test_every_format_can_be_shown_without_a_configuration(name: str) -> None:
    assert len(rendered("--format", name)) == 3


@pytest.mark.parametrize("word", ["failed", "lost", "webhook.disabled"])
def test_any_event_can_be_shown(word: str) -> None:
    (sheet,) = rendered("--format", "slack", "--event", word, "--form", "compact")
    assert sheet["event"].endswith(word)


def test_help_names_every_event() -> None:
    said = " ".join(genbridge("render", "--help").stdout.replace("│", " ").split())
    for kind in (*GENERATIONS, *NOTICES):
        assert kind.removeprefix("generation.") in said


def test_of_what_a_format_does_not_tell_it_says_so() -> None:
    arguments = ("--format", "pagerduty", "--event", "queued", "--form", "full")
    (sheet,) = rendered(*arguments)
    assert sheet["body"] is None
    assert "nothing is said of this event" in genbridge("render", *arguments).stdout


def test_a_webhook_of_the_configuration_has_its_options_and_headers(folder: Path) -> None:
    sheet, _, _ = rendered("--webhook", "studio", folder=folder)
    assert (sheet["format"], sheet["url"]) == ("standard", "https://example.com/…")
    assert sheet["headers"]["webhook-signature"] == "v1,…"
    assert sheet["headers"]["x-team"] == "…"
    assert "raw" not in sheet["body"]["data"]
    assert sheet["assumed"] == []


def test_the_call_of_a_receiver_stands_behind_the_masked_path(folder: Path) -> None:
    sheet, *_ = rendered("--webhook", "chat", "-c", folder / "config.yaml")
    assert sheet["url"] == "https://api.telegram.org/…/sendVideo"
    assert sheet["body"]["chat_id"] == "-1001234567890"


def test_where_progress_is_edited_the_edits_follow_what_is_posted(folder: Path) -> None:
    sheets = rendered("--webhook", "talk", "--event", "dreaming", folder=folder)
    assert [(one["form"], one["edit"], one["method"]) for one in sheets] == [
        ("full", False, "POST"),
        ("compact", False, "POST"),
        ("text", False, "POST"),
        ("full", True, "PATCH"),
        ("compact", True, "PATCH"),
        ("text", True, "PATCH"),
    ]
    post, edit = sheets[0], sheets[3]
    assert post["url"] == "https://discord.com/…?wait=true"
    assert edit["url"] == "https://discord.com/…/messages/1001"
    assert edit["body"]["embeds"] == post["body"]["embeds"]
    people = genbridge("render", "--webhook", "talk", "--event", "queued", folder=folder)
    assert "discord, generation.queued, text, edited\nPATCH https://" in people.stdout


@pytest.mark.parametrize("event", ["completed", "stalled", "lost"])
def test_what_somebody_is_to_notice_is_shown_as_a_post_alone(
    folder: Path, event: str
) -> None:
    sheets = rendered("--webhook", "talk", "--event", event, folder=folder)
    assert [one["edit"] for one in sheets] == [False] * 3


@pytest.mark.parametrize("webhook", ["studio", "pager", "chat", "talk"])
@pytest.mark.parametrize("more", [[], ["--json"]])
def test_no_secret_is_shown(folder: Path, webhook: str, more: list[str]) -> None:
    arguments = ["--webhook", webhook, "--event", "failed", *more]
    done = genbridge("render", *arguments, folder=folder)
    assert done.returncode == 0
    for secret in (SECRET, "4711", "video-department", ROUTING_KEY, "TOKEN"):
        assert secret not in done.stdout + done.stderr


def test_a_short_secret_is_masked_where_it_stands_alone(folder: Path) -> None:
    sheet, *_ = rendered("--webhook", "phone", folder=folder)
    assert sheet["body"]["topic"] == "…"
    assert sheet["body"]["title"] == "Completed: luma 182bd5e5"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "--webhook"),
        (["--format", "slack", "--webhook", "studio"], "--webhook"),
        (["--format", "slac"], "slack"),
        (["--format", "slack", "--event", "done"], "completed"),
        (["--format", "slack", "--form", "rich"], "compact"),
        (["--webhook", "studioo"], "studio"),
    ],
)
def test_a_wrong_word_is_usage_and_the_right_ones_are_named(
    folder: Path, arguments: list[str], said: str
) -> None:
    done = genbridge("render", *arguments, folder=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_a_wrong_configuration_is_told_as_check_tells_it(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(
        "webhooks:\n  a: {url: https://x.example, formt: y}"
    )
    done = genbridge("render", "--webhook", "a", folder=tmp_path)
    assert done.returncode == 2
    assert "did you mean format?" in done.stderr
