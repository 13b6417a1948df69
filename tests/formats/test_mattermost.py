"""Mattermost: within the limits of old servers, and nothing in a message is Markdown."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.core.card import card
from bridge.core.delivering.acknowledgement import (
    Accepted,
    Gone,
    Throttled,
    TooRich,
    Unclear,
    Unconfirmed,
)
from bridge.core.looking import Failure, Output
from bridge.core.message import Message
from bridge.core.network.exchange import Response
from bridge.core.ports import Form
from bridge.core.ports import Format as Port
from bridge.core.text.cutting import utf16
from bridge.formats.mattermost import Format
from tests.formats.events import COMPLETED, FOREIGN, MESSAGES, NOW, message
from tests.formats.longest import FILLERS, longest

untimed = settings(deadline=None)

LINK = re.compile(r"\[((?:\\[\[\]()]|[^\[\]()])*)\]\((https?://[^\s()<>|@*]+)\)")
BARE = re.compile(r", <(https?://[^\s()<>|@*]+)>$")
SIGN = re.compile(r"(?<!\\)(?:\\\\)*([`*_{}\[\]()#!|~])")


def rendered(sent: Message, form: Form = Form.FULL) -> dict[str, Any]:
    body = Format().render(sent, form).body
    assert body.isascii()
    document: dict[str, Any] = json.loads(body)
    return document


def texts(document: dict[str, Any]) -> list[str]:
    """Return every text that Mattermost reads as Markdown."""
    found = [document["text"]] if "text" in document else []
    for attachment in document.get("attachments", []):
        found += [attachment["fallback"], attachment["text"], attachment["footer"]]
        found += [
            field[key] for field in attachment["fields"] for key in ("title", "value")
        ]
    return found


def as_go_writes(value: object) -> int:
    """Return the characters of a value as a Mattermost server keeps it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return utf16(text) + 5 * len(re.findall("[&<>\u2028\u2029]", text))


def check_message_is_within_the_limits(sent: Message, form: Form) -> None:
    document = rendered(sent, form)
    assert all(text.strip() for text in texts(document))
    assert utf16(document.get("text", "")) <= 16_383
    assert as_go_writes(document.get("attachments", [])) <= 7_900
    assert ("attachments" in document) != ("text" in document)


@untimed
@given(MESSAGES, st.sampled_from(Form))
def test_any_message_is_within_the_limits(sent: Message, form: Form) -> None:
    check_message_is_within_the_limits(sent, form)


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("filler", FILLERS)
def test_everything_at_its_longest_is_within_the_limits(filler: str, form: Form) -> None:
    for sent in longest(filler):
        check_message_is_within_the_limits(sent, form)


@untimed
@given(MESSAGES, st.sampled_from(Form))
def test_nothing_in_a_message_is_markdown_or_names_anybody(
    sent: Message, form: Form
) -> None:
    for text in texts(rendered(sent, form)):
        rest = BARE.sub("", LINK.sub("", text))
        title = re.match(r"\*\*(.*)\*\*(?:\n|$)", rest)
        rest = rest if title is None else title[1] + rest[title.end() :]
        assert not SIGN.search(rest)
        assert not re.search(r"[<>]|&(?!(amp|lt|gt);)", rest)
        assert not re.search("@[^\u200b]|@$", rest)
        assert "://" not in rest


@untimed
@given(MESSAGES, st.sampled_from(Form))
def test_every_link_is_one_of_the_message_and_whole(sent: Message, form: Form) -> None:
    known = {link.url.translate(CODES) for link in card(sent).links}
    for text in texts(rendered(sent, form)):
        linked = {url for _, url in LINK.findall(text)} | set(BARE.findall(text))
        assert linked <= known


CODES = str.maketrans({"(": "%28", ")": "%29", "|": "%7C", "@": "%40", "*": "%2A"})


def test_the_example_looks_as_the_design_says() -> None:
    assert rendered(message(COMPLETED)) == {
        "attachments": [
            {
                "fallback": "Completed: luma 182bd5e5, 59 s",
                "color": "#2E7D32",
                "text": (
                    "**Completed: luma 182bd5e5**\n"
                    "[Open the video](https://cdn.example/video.mp4?a=1&b=2)\n"
                    "[Open the preview \\(image\\)](https://cdn.example/preview.png)"
                ),
                "fields": [
                    {"title": "Source", "value": "luma", "short": True},
                    {
                        "title": "Generation",
                        "value": "182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e",
                        "short": False,
                    },
                    {"title": "Took", "value": "59 s", "short": True},
                    {"title": "order", "value": "1042", "short": True},
                ],
                "footer": (
                    "2026-11-21 08:30 UTC · Links expire 2026-11-21 09:30 UTC · id 9f0c3c9e"
                ),
                "image_url": "https://cdn.example/preview.png",
            }
        ]
    }


def test_the_poorer_forms_leave_out_image_and_metadata_then_all_but_a_line() -> None:
    (compact,) = rendered(message(COMPLETED), Form.COMPACT)["attachments"]
    assert "image_url" not in compact
    assert "1042" not in json.dumps(compact)
    assert rendered(message(COMPLETED), Form.TEXT) == {
        "text": "Completed: luma 182bd5e5, 59 s, <https://cdn.example/video.mp4?a=1&b=2>"
    }


def test_a_channel_and_a_name_are_sent_where_they_are_given() -> None:
    done = Format(channel="town-square", username="genbridge").render(message(COMPLETED))
    document = json.loads(done.body)
    assert (document["channel"], document["username"]) == ("town-square", "genbridge")


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("<!channel> @all", "&lt;\\!channel&gt; @\u200ball"),
        ("[x](http://e.example)", "\\[x\\]\\(http:\u200b//e.example\\)"),
        ("- a\n2. b", "\u200b- a\n\u200b2. b"),
        ("# *a* _b_ `c` ~d~", "\\# \\*a\\* \\_b\\_ \\`c\\` \\~d\\~"),
        ("plain-text, 1.5", "plain-text, 1.5"),
    ],
)
def test_a_reason_is_shown_as_it_is_written(reason: str, shown: str) -> None:
    failure = Failure(code="x", reason=reason)
    event = replace(COMPLETED, tag="failed", outputs=(), failure=failure)
    (attachment,) = rendered(message(event))["attachments"]
    assert {"title": "Reason", "value": shown, "short": False} in attachment["fields"]


def test_a_link_that_is_too_long_is_left_out_and_counted() -> None:
    long = Output(type="video", url="https://a.example/" + "x" * 2_000)
    (attachment,) = rendered(message(replace(COMPLETED, outputs=(long,))))["attachments"]
    assert "https://" not in attachment["text"]
    assert "… +1 more: genbridge status luma" in attachment["text"]


@untimed
@given(FOREIGN, st.sampled_from(Form))
def test_a_message_of_another_kind_is_told_too(foreign: Message, form: Form) -> None:
    assert any(text.strip() for text in texts(rendered(foreign, form)))


# Answers: every row of RECEIVERS, section 1.4


def answer(status: int, body: bytes = b"", *, cut: bool = False) -> Response:
    headers = {"retry-after": "30"}
    return Response(status=status, body=body, headers=headers, received_at=NOW, cut=cut)


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (answer(200, b"ok"), Accepted),
        (answer(200, b"ok\n"), Accepted),
        (answer(200, b"ok", cut=True), Unconfirmed),
        (answer(200, b"<html>sign in</html>"), Unconfirmed),
        (answer(200), Unconfirmed),
        (answer(400, b"{}"), TooRich),
        (answer(404), Gone),
        (answer(410), Unclear),
        (answer(429), Throttled),
        (answer(500), Unclear),
    ],
)
def test_every_answer_of_mattermost_is_read(response: Response, kind: type) -> None:
    assert isinstance(Format().read(response), kind)


def test_a_throttle_says_how_long() -> None:
    found = Format().read(answer(429))
    assert isinstance(found, Throttled)
    assert found.after == timedelta(seconds=30)


def test_five_messages_a_second_are_taken() -> None:
    port: Port = Format()
    assert port.limits.rate == 5.0
    assert not port.signed
