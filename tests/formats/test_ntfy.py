"""ntfy: within the bytes of its server, in plain text, loud only where it matters."""

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
)
from bridge.core.examples import GENERATIONS, example
from bridge.core.looking import Output
from bridge.core.message import Message
from bridge.core.network.exchange import Response
from bridge.core.ports import Form
from bridge.core.ports import Format as Port
from bridge.formats.ntfy import Format
from tests.formats.events import COMPLETED, MESSAGES, NOW, message
from tests.formats.longest import FILLERS, longest

untimed = settings(deadline=None)

TOPIC = Format(topic="studio-4711")


def rendered(sent: Message, form: Form = Form.FULL) -> dict[str, Any]:
    done = TOPIC.render(sent, form)
    assert done.body.isascii()
    assert len(done.body) <= 8192
    assert (done.path, done.query) == ("", "")
    document: dict[str, Any] = json.loads(done.body)
    return document


def check_message_is_within_the_limits_of_the_server(sent: Message, form: Form) -> None:
    document = rendered(sent, form)
    assert document["topic"] == "studio-4711"
    assert 1 <= len(document["message"].encode()) <= 4096
    assert len(document.get("title", "").encode()) <= 1024
    assert len(",".join(document.get("tags", []))) <= 512
    assert len(document.get("actions", [])) <= 3
    assert 1 <= document["priority"] <= 5


@untimed
@given(MESSAGES, st.sampled_from(Form))
def test_any_message_is_within_the_limits_of_the_server(sent: Message, form: Form) -> None:
    check_message_is_within_the_limits_of_the_server(sent, form)


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("filler", FILLERS)
def test_everything_at_its_longest_is_within_the_limits(filler: str, form: Form) -> None:
    for sent in longest(filler):
        check_message_is_within_the_limits_of_the_server(sent, form)


@untimed
@given(MESSAGES, st.sampled_from(Form))
def test_every_link_is_one_of_the_message_and_whole(sent: Message, form: Form) -> None:
    document, shown = rendered(sent, form), card(sent)
    links = {link.url for link in shown.links}
    assert {action["url"] for action in document.get("actions", [])} <= links
    assert {document[name] for name in ("click",) if name in document} <= links
    if "attach" in document:
        assert shown.preview is not None
        assert document["attach"] == shown.preview.url
    text = document["message"]
    for link in sorted(links, key=len, reverse=True):
        text = text.replace(link, "")
    assert not re.search("@[^\u200b]|@$", text + "\n" + document.get("title", ""))


def test_the_example_looks_as_the_design_says() -> None:
    video = "https://cdn.example/video.mp4?a=1&b=2"
    preview = "https://cdn.example/preview.png"
    assert rendered(message(COMPLETED)) == {
        "topic": "studio-4711",
        "priority": 3,
        "title": "Completed: luma 182bd5e5",
        "message": (
            "Source: luma\n"
            "Generation: 182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e\n"
            "Took: 59 s\n"
            "order: 1042\n"
            "2026-11-21 08:30 UTC · Links expire 2026-11-21 09:30 UTC · id 9f0c3c9e"
        ),
        "tags": ["white_check_mark"],
        "click": video,
        "actions": [
            {"action": "view", "label": "Open the video", "url": video},
            {"action": "view", "label": "Open the preview (image)", "url": preview},
        ],
        "attach": preview,
    }


def test_the_poorer_forms_leave_out_image_and_metadata_then_all_but_a_line() -> None:
    compact = rendered(message(COMPLETED), Form.COMPACT)
    assert "attach" not in compact
    assert "1042" not in compact["message"]
    assert rendered(message(COMPLETED), Form.TEXT) == {
        "topic": "studio-4711",
        "priority": 3,
        "message": "Completed: luma 182bd5e5, 59 s, https://cdn.example/video.mp4?a=1&b=2",
    }


def test_what_has_no_button_is_counted() -> None:
    outputs = tuple(Output(type="video", url=f"https://a.example/{n}") for n in range(7))
    text = rendered(message(replace(COMPLETED, outputs=outputs)))["message"]
    assert "… +4 more: genbridge status luma 182bd5e5" in text


@pytest.mark.parametrize(
    ("kind", "usual", "urgent", "least"),
    [
        ("generation.queued", 2, 2, 1),
        ("generation.dreaming", 2, 2, 1),
        ("generation.completed", 3, 5, 1),
        ("generation.failed", 4, 5, 1),
        ("generation.stalled", 4, 5, 1),
        ("generation.lost", 4, 5, 1),
        ("webhook.recovered", 3, 5, 1),
        ("webhook.disabled", 4, 5, 1),
    ],
)
def test_progress_makes_no_sound_and_trouble_does(
    kind: str, usual: int, urgent: int, least: int
) -> None:
    def priority(chosen: int | None) -> int:
        done = Format(topic="t", priority=chosen).render(example(kind))
        found: int = json.loads(done.body)["priority"]
        return found

    assert (priority(None), priority(5), priority(1)) == (usual, urgent, least)


@pytest.mark.parametrize("priority", [-1, 0, 6])
def test_a_priority_that_ntfy_does_not_know_is_refused(priority: int) -> None:
    with pytest.raises(ValueError, match="from 1"):
        Format(topic="t", priority=priority)


def test_the_topic_is_a_secret() -> None:
    assert "studio-4711" not in repr(TOPIC)


@pytest.mark.parametrize("kind", GENERATIONS)
def test_every_kind_has_a_sign(kind: str) -> None:
    assert rendered(example(kind))["tags"][0]


# Answers: every row of RECEIVERS, section 1.4


def answer(status: int, code: int = 0, **headers: str) -> Response:
    document = {"code": code, "http": status, "error": "for this reason"}
    body = json.dumps(document).encode() if code else b""
    return Response(status=status, body=body, headers=headers, received_at=NOW)


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (answer(200), Accepted),
        (answer(429, 42901), Throttled),
        (answer(429, 42908), Throttled),
        (answer(429), Throttled),
        (answer(413, 41301), TooRich),
        (answer(413), TooRich),
        (answer(400, 40057), TooRich),
        (answer(400, 40058), TooRich),
        (answer(400, 40009), Declined),
        (answer(400), Declined),
        (answer(401, 40101), Gone),
        (answer(403, 40301), Gone),
        (answer(404, 40401), Unclear),
        (answer(500, 50001), Unclear),
        (answer(507, 50701), Unclear),
    ],
)
def test_every_answer_of_ntfy_is_read(response: Response, kind: type) -> None:
    assert isinstance(TOPIC.read(response), kind)


def test_a_day_that_is_used_up_is_waited_for_by_the_hour() -> None:
    found = TOPIC.read(answer(429, 42908))
    assert isinstance(found, Throttled)
    assert found.after == timedelta(hours=1)
    found = TOPIC.read(answer(429, 42908, **{"retry-after": "60"}))
    assert isinstance(found, Throttled)
    assert found.after == timedelta(minutes=1)


def test_the_code_and_the_reason_are_told() -> None:
    found = TOPIC.read(answer(400, 40009))
    assert isinstance(found, Declined)
    assert found.why.startswith("40009 for this reason")


@untimed
@given(st.integers(100, 599), st.binary(max_size=100))
def test_any_body_can_be_read(status: int, body: bytes) -> None:
    found = TOPIC.read(Response(status=status, body=body, received_at=NOW))
    assert isinstance(found, Accepted) == (status == 200)


def test_twelve_messages_a_minute_are_taken() -> None:
    port: Port = TOPIC
    assert port.limits.rate == pytest.approx(0.2)
    assert port.limits.body == 8192
    assert not port.signed


def test_a_url_that_cannot_work_is_known_before() -> None:
    assert len(TOPIC.advice("https://ntfy.sh/studio")) == 1
    assert TOPIC.advice("https://ntfy.sh") == ()
    assert TOPIC.advice("https://receiver.example/any/path") == ()
