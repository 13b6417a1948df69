"""Google Chat: cards within 32,000 bytes, and no word of a stranger where a mention would work."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

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
)
from bridge.core.examples import GENERATIONS, example
from bridge.core.looking import Failure, Output
from bridge.core.message import Message
from bridge.core.network.exchange import Response
from bridge.core.ports import Form
from bridge.core.ports import Format as Port
from bridge.formats.google_chat import Format
from tests.formats.events import COMPLETED, FOREIGN, ID, MESSAGES, NOW, message
from tests.formats.longest import FILLERS, longest

untimed = settings(deadline=None)

OURS = re.compile(r'<font color="#[0-9A-F]{6}"><b>|</b></font>')


def rendered(sent: Message, form: Form = Form.FULL) -> dict[str, Any]:
    done = Format().render(sent, form)
    assert done.body.isascii()
    assert len(done.body) <= 32_000
    document: dict[str, Any] = json.loads(done.body)
    return document


def widgets(document: dict[str, Any]) -> list[dict[str, Any]]:
    (with_id,) = document["cardsV2"]
    (section,) = with_id["card"]["sections"]
    found: list[dict[str, Any]] = section["widgets"]
    return found


def inside(document: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [widget[kind] for widget in widgets(document) if kind in widget]


def html(document: dict[str, Any]) -> list[str]:
    """Return the texts that Google reads as HTML."""
    found = inside(document, "decoratedText") + inside(document, "textParagraph")
    return [widget["text"] for widget in found]


def plain(document: dict[str, Any]) -> list[str]:
    """Return the texts that Google shows as they are."""
    labels = [widget["topLabel"] for widget in inside(document, "decoratedText")]
    labels += [image["altText"] for image in inside(document, "image")]
    labels += [b["text"] for row in inside(document, "buttonList") for b in row["buttons"]]
    return [*labels, document["fallbackText"]]


def check_card_is_within_the_limit_and_whole(sent: Message, form: Form) -> None:
    document, links = rendered(sent, form), {link.url for link in card(sent).links}
    assert 1 <= len(widgets(document)) <= 100
    assert all(len(widget) == 1 for widget in widgets(document))
    for row in inside(document, "buttonList"):
        assert row["buttons"]
        assert {b["onClick"]["openLink"]["url"] for b in row["buttons"]} <= links
    for image in inside(document, "image"):
        assert image["imageUrl"].startswith("https://")
        assert form is Form.FULL
    assert all(text for text in html(document) + plain(document))
    assert "text" not in document


@untimed
@given(MESSAGES, st.sampled_from([Form.FULL, Form.COMPACT]))
def test_any_card_is_within_the_limit_and_whole(sent: Message, form: Form) -> None:
    check_card_is_within_the_limit_and_whole(sent, form)


@pytest.mark.parametrize("form", [Form.FULL, Form.COMPACT])
@pytest.mark.parametrize("filler", FILLERS)
def test_everything_at_its_longest_is_within_the_limits(filler: str, form: Form) -> None:
    for sent in longest(filler):
        check_card_is_within_the_limit_and_whole(sent, form)


@untimed
@given(MESSAGES, st.sampled_from([Form.FULL, Form.COMPACT]))
def test_nothing_in_a_card_is_markup_or_names_anybody(sent: Message, form: Form) -> None:
    document = rendered(sent, form)
    for text in html(document):
        rest = OURS.sub("", text)
        assert not re.search("[<>]", rest)
        assert not re.search(r"&(?!(amp|lt|gt);)", rest)
    for text in plain(document):
        assert not re.search("<[^\u200b]|<$", text)
    for text in html(document) + plain(document):
        assert not re.search("@[^\u200b]|@$", text)


@untimed
@given(MESSAGES)
def test_the_line_holds_nothing_but_words_and_one_link(sent: Message) -> None:
    document = rendered(sent, Form.TEXT)
    text = document["text"]
    for link in sorted((link.url for link in card(sent).links), key=len, reverse=True):
        text = text.removesuffix(link)
    assert set(document) == {"text", "thread"}
    assert re.fullmatch(r"[\w:, %-]+", text)
    assert "_" not in text


def test_the_example_looks_as_the_design_says() -> None:
    document = rendered(message(COMPLETED))
    assert document["fallbackText"] == "Completed: luma 182bd5e5, 59 s"
    assert widgets(document) == [
        paragraph('<font color="#2E7D32"><b>Completed: luma 182bd5e5</b></font>'),
        fact("Source", "luma"),
        fact("Generation", "182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e"),
        fact("Took", "59 s"),
        fact("order", "1042"),
        {
            "image": {
                "imageUrl": "https://cdn.example/preview.png",
                "altText": "Preview of Completed: luma 182bd5e5",
            }
        },
        {
            "buttonList": {
                "buttons": [
                    button("Open the video", "https://cdn.example/video.mp4?a=1&b=2"),
                    button("Open the preview (image)", "https://cdn.example/preview.png"),
                ]
            }
        },
        paragraph("2026-11-21 08:30 UTC · Links expire 2026-11-21 09:30 UTC · id 9f0c3c9e"),
    ]


def paragraph(text: str) -> dict[str, Any]:
    return {"textParagraph": {"text": text}}


def fact(label: str, text: str) -> dict[str, Any]:
    return {"decoratedText": {"topLabel": label, "text": text, "wrapText": True}}


def button(text: str, url: str) -> dict[str, Any]:
    return {"text": text, "onClick": {"openLink": {"url": url}}}


def test_the_poorer_forms_leave_out_image_and_metadata_then_the_card() -> None:
    compact = rendered(message(COMPLETED), Form.COMPACT)
    assert not inside(compact, "image")
    assert "1042" not in json.dumps(compact)
    assert rendered(message(COMPLETED), Form.TEXT)["text"] == (
        "Completed: luma 182bd5e5, 59 s, https://cdn.example/video.mp4?a=1&b=2"
    )


def test_a_reason_is_no_html() -> None:
    failure = Failure(code="x", reason="<a href='http://e'>no</a> <users/all> @all")
    event = replace(COMPLETED, tag="failed", outputs=(), failure=failure)
    assert fact(
        "Reason", "&lt;a href='http://e'&gt;no&lt;/a&gt; &lt;users/all&gt; @\u200ball"
    ) in widgets(rendered(message(event)))
    assert rendered(message(event), Form.TEXT)["text"] == "Failed: luma 182bd5e5"


def test_a_link_that_is_too_long_is_left_out_and_counted() -> None:
    long = Output(type="video", url="https://a.example/" + "x" * 12_000)
    document = rendered(message(replace(COMPLETED, outputs=(long,))))
    assert not inside(document, "buttonList")
    assert any("… +1 more: genbridge status luma" in text for text in html(document))


def test_a_preview_without_tls_is_not_shown() -> None:
    output = Output(type="image", url="http://a.example/i.png")
    assert not inside(rendered(message(replace(COMPLETED, outputs=(output,)))), "image")


@pytest.mark.parametrize("form", Form)
def test_a_repeated_post_is_known_by_its_id_and_replies_in_its_thread(form: Form) -> None:
    done = Format().render(message(COMPLETED), form)
    assert parse_qs(done.query) == {
        "messageReplyOption": ["REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD"],
        "requestId": [str(ID)],
    }


def test_all_messages_about_a_generation_are_in_one_thread() -> None:
    keys = {rendered(example(kind))["thread"]["threadKey"] for kind in GENERATIONS}
    assert len(keys) == 1
    other = replace(COMPLETED, generation_id="another")
    assert rendered(message(other))["thread"]["threadKey"] not in keys


@untimed
@given(MESSAGES)
def test_the_name_of_a_thread_is_short(sent: Message) -> None:
    assert 1 <= len(rendered(sent)["thread"]["threadKey"].encode()) <= 4000


@untimed
@given(FOREIGN, st.sampled_from(Form))
def test_a_message_of_another_kind_is_told_too(foreign: Message, form: Form) -> None:
    assert rendered(foreign, form)


# Answers: every row of RECEIVERS, section 1.4


def answer(status: int, **headers: str) -> Response:
    return Response(status=status, headers=headers, received_at=NOW)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, Accepted),
        (204, Unclear),
        (400, TooRich),
        (401, Gone),
        (403, Gone),
        (404, Gone),
        (410, Unclear),
        (429, Throttled),
        (500, Unclear),
        (503, Unclear),
    ],
)
def test_every_answer_of_google_is_read(status: int, kind: type) -> None:
    assert isinstance(Format().read(answer(status)), kind)


def test_a_throttle_says_how_long() -> None:
    found = Format().read(answer(429, **{"retry-after": "30"}))
    assert isinstance(found, Throttled)
    assert found.after == timedelta(seconds=30)


def test_a_space_takes_one_message_a_second() -> None:
    port: Port = Format()
    assert port.limits.rate == 1.0
    assert port.limits.body == 32_000
    assert not port.signed
