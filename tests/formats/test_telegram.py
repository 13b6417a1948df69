"""Telegram: entities that fit the text to the UTF-16 unit, and nothing in a message is markup."""

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
    Declined,
    Gone,
    Throttled,
    TooRich,
    Unclear,
    Unconfirmed,
)
from bridge.core.examples import GENERATIONS, example
from bridge.core.looking import Output
from bridge.core.message import Message
from bridge.core.network.exchange import Response
from bridge.core.ports import Form
from bridge.core.ports import Format as Port
from bridge.core.text.cutting import utf16
from bridge.formats.telegram import Format
from tests.formats.events import COMPLETED, FOREIGN, MESSAGES, NOW, message
from tests.formats.longest import FILLERS, longest

untimed = settings(deadline=None)

CHAT = Format(chat_id="4711")
CALLS = {"/sendMessage": 4096, "/sendPhoto": 1024, "/sendVideo": 1024}


def rendered(sent: Message, form: Form = Form.FULL) -> tuple[str, dict[str, Any]]:
    done = CHAT.render(sent, form)
    assert done.body.isascii()
    return done.path, json.loads(done.body)


def said(document: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    """Return the text and its entities, whatever they are called."""
    name = "caption" if "caption" in document else "text"
    entities = document.get("caption_entities" if name == "caption" else "entities", [])
    return document[name], entities


def under(text: str, entity: dict[str, Any]) -> str:
    """Return what an entity covers; half of a surrogate pair cannot be decoded."""
    units = text.encode("utf-16-le")
    start = 2 * entity["offset"]
    return units[start : start + 2 * entity["length"]].decode("utf-16-le")


def check_message_is_within_the_limits_of_its_call(sent: Message, form: Form) -> None:
    call, document = rendered(sent, form)
    text, entities = said(document)
    assert text.strip()
    assert utf16(text) <= CALLS[call]
    assert len(entities) <= 100
    assert (call == "/sendMessage") == ("text" in document)
    assert call == "/sendMessage" or form is Form.FULL


@untimed
@given(MESSAGES, st.sampled_from(Form))
def test_any_message_is_within_the_limits_of_its_call(sent: Message, form: Form) -> None:
    check_message_is_within_the_limits_of_its_call(sent, form)


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("filler", FILLERS)
def test_everything_at_its_longest_is_within_the_limits(filler: str, form: Form) -> None:
    for sent in longest(filler):
        check_message_is_within_the_limits_of_its_call(sent, form)


@untimed
@given(MESSAGES, st.sampled_from(Form))
def test_entities_lie_one_after_the_other_inside_the_text(
    sent: Message, form: Form
) -> None:
    text, entities = said(rendered(sent, form)[1])
    end = 0
    for entity in entities:
        assert entity["offset"] >= end
        assert entity["length"] >= 1
        end = entity["offset"] + entity["length"]
        assert utf16(under(text, entity)) == entity["length"]
    assert end <= utf16(text)


@untimed
@given(MESSAGES, st.sampled_from(Form))
def test_nothing_in_a_message_mentions_anybody_or_is_a_link_of_a_stranger(
    sent: Message, form: Form
) -> None:
    document = rendered(sent, form)[1]
    text, entities = said(document)
    links = {link.url for link in card(sent).links}
    for link in sorted(links, key=len, reverse=True):
        text = text.replace(link, "")
    assert not re.search("@[^\u200b]|@$", text)
    assert {entity["type"] for entity in entities} <= {"bold", "code", "text_link"}
    assert {entity["url"] for entity in entities if "url" in entity} <= links
    assert "parse_mode" not in document


def test_a_finished_video_is_shown_with_a_caption() -> None:
    call, document = rendered(example("generation.completed"))
    text, entities = said(document)
    assert call == "/sendVideo"
    assert document["video"] == "https://cdn.example/video.mp4?a=1&b=2"
    assert document["chat_id"] == "4711"
    assert "disable_notification" not in document
    assert text == (
        "🟢 Completed: luma 182bd5e5\n"
        "Source: luma\n"
        "Generation: 182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e\n"
        "Took: 59 s\n"
        "order: 1042\n"
        'customer: Zoë "Zo" <zoe@\u200bexample.com>\n'
        "Open the video\n"
        "Open the preview (image)\n"
        "2026-11-21 08:30 UTC · Links expire 2026-11-21 09:30 UTC · id 019b826c"
    )
    assert [(entity["type"], under(text, entity)) for entity in entities] == [
        ("bold", "Completed: luma 182bd5e5"),
        ("code", "luma"),
        ("code", "182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e"),
        ("code", "59 s"),
        ("code", "order: 1042"),
        ("code", 'customer: Zoë "Zo" <zoe@\u200bexample.com>'),
        ("text_link", "Open the video"),
        ("text_link", "Open the preview (image)"),
    ]


def test_a_picture_is_shown_where_there_is_no_video_to_play() -> None:
    outputs = (
        Output(type="video", url="https://a.example/v.mp4", needs_key=True),
        Output(type="image", url="https://a.example/i.png", role="preview"),
    )
    call, document = rendered(message(replace(COMPLETED, outputs=outputs)))
    assert (call, document["photo"]) == ("/sendPhoto", "https://a.example/i.png")


def test_the_compact_form_is_text_without_metadata_and_without_previews_of_links() -> None:
    call, document = rendered(example("generation.completed"), Form.COMPACT)
    assert call == "/sendMessage"
    assert "1042" not in document["text"]
    assert document["link_preview_options"] == {"is_disabled": True}


def test_the_text_form_is_one_line_with_the_first_link() -> None:
    document = rendered(example("generation.completed"), Form.TEXT)[1]
    assert document["text"] == (
        "Completed: luma 182bd5e5, 59 s, https://cdn.example/video.mp4?a=1&b=2"
    )


def test_a_long_link_is_left_out_of_the_line_and_never_cut() -> None:
    long = Output(type="video", url="https://a.example/" + "x" * 5000)
    document = rendered(message(replace(COMPLETED, outputs=(long,))), Form.TEXT)[1]
    assert document["text"] == "Completed: luma 182bd5e5, 59 s"


@pytest.mark.parametrize("kind", GENERATIONS)
def test_only_progress_is_silent(kind: str) -> None:
    silent = rendered(example(kind))[1].get("disable_notification", False)
    assert silent == (kind in ("generation.queued", "generation.dreaming"))


def test_a_topic_of_a_group_is_named() -> None:
    done = Format(chat_id="-100", message_thread_id=7).render(message(COMPLETED))
    assert json.loads(done.body)["message_thread_id"] == 7


@untimed
@given(FOREIGN, st.sampled_from(Form))
def test_a_message_of_another_kind_is_told_too(foreign: Message, form: Form) -> None:
    assert rendered(foreign, form)[0] == "/sendMessage"


@pytest.mark.parametrize("chat", ["", "me", "@", "@a b", "1.5", "-", "12\n"])
def test_what_is_no_chat_is_refused(chat: str) -> None:
    with pytest.raises(ValueError, match="chat_id is a number"):
        Format(chat_id=chat)


@pytest.mark.parametrize(
    ("chat", "rate"), [("4711", 1.0), ("-1004711", 1 / 3), ("@news_of_us", 1 / 3)]
)
def test_a_group_takes_twenty_messages_a_minute(chat: str, rate: float) -> None:
    port: Port = Format(chat_id=chat)
    assert port.limits.rate == pytest.approx(rate)
    assert not port.signed


# Answers: every row of RECEIVERS, section 1.4


def answer(status: int, body: str, **headers: str) -> Response:
    return Response(status=status, body=body.encode(), headers=headers, received_at=NOW)


def refusal(status: int, description: str, **parameters: int) -> Response:
    document = {"ok": False, "error_code": status, "description": description}
    return answer(status, json.dumps(document | {"parameters": parameters}))


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (answer(200, '{"ok":true,"result":{"message_id":42}}'), Accepted),
        (answer(200, '{"ok":false}'), Unconfirmed),
        (answer(200, "<html>sign in</html>"), Unconfirmed),
        (answer(200, ""), Unconfirmed),
        (refusal(429, "Too Many Requests: retry after 5", retry_after=5), Throttled),
        (refusal(400, "Bad Request: failed to get HTTP URL content"), TooRich),
        (refusal(400, "Bad Request: wrong type of the web page content"), TooRich),
        (refusal(400, "Bad Request: message caption is too long"), TooRich),
        (refusal(400, "Bad Request: chat not found"), Declined),
        (refusal(400, ""), Declined),
        (refusal(400, "group chat was upgraded", migrate_to_chat_id=-1007), Gone),
        (refusal(401, "Unauthorized"), Gone),
        (refusal(403, "Forbidden: bot was blocked by the user"), Gone),
        (refusal(404, "Not Found"), Gone),
        (refusal(409, "Conflict"), Unclear),
        (answer(502, "<html>"), Unclear),
    ],
)
def test_every_answer_of_telegram_is_read(response: Response, kind: type) -> None:
    assert isinstance(CHAT.read(response), kind)


def test_the_receipt_is_the_number_of_the_message() -> None:
    body = '{"ok":true,"result":{"message_id":42}}'
    assert CHAT.read(answer(200, body)) == Accepted(receipt="42")


def test_telegram_says_in_the_body_how_long_to_wait() -> None:
    found = CHAT.read(refusal(429, "Too Many Requests", retry_after=35))
    assert isinstance(found, Throttled)
    assert found.after == timedelta(seconds=35)
    found = CHAT.read(answer(429, "", **{"retry-after": "7"}))
    assert isinstance(found, Throttled)
    assert found.after == timedelta(seconds=7)


def test_the_new_number_of_a_group_is_told() -> None:
    found = CHAT.read(refusal(400, "upgraded", migrate_to_chat_id=-1001234567890))
    assert isinstance(found, Gone)
    assert "set chat_id to -1001234567890" in found.why


@untimed
@given(st.integers(100, 599), st.binary(max_size=100))
def test_any_body_can_be_read(status: int, body: bytes) -> None:
    found = CHAT.read(Response(status=status, body=body, received_at=NOW))
    assert not isinstance(found, Accepted) or b"true" in body


def test_a_url_that_cannot_work_is_known_before() -> None:
    assert len(CHAT.advice("https://api.telegram.org/bot1:A/sendMessage")) == 1
    assert CHAT.advice("https://api.telegram.org/bot1:A") == ()
    assert CHAT.advice("https://receiver.example/any/path") == ()
