"""Slack: always valid Block Kit, within every limit, and nothing in a message is markup."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.delivering.acknowledgement import (
    Accepted,
    Acknowledgement,
    Declined,
    Gone,
    Throttled,
    TooRich,
    Unclear,
    Unconfirmed,
)
from bridge.core.examples import NOTICES
from bridge.core.ladder import State
from bridge.core.looking import Failure, Output
from bridge.core.message import Message
from bridge.core.network.exchange import Response
from bridge.core.ports import Form
from bridge.core.ports import Format as Port
from bridge.formats.slack import Format
from tests.formats import rules
from tests.formats.events import COMPLETED, ID, MESSAGES, NOW, message


def rendered(sent: Message, form: Form = Form.FULL) -> dict[str, Any]:
    body = Format().render(sent, form).body
    assert body.isascii()
    document: dict[str, Any] = json.loads(body)
    return document


@given(MESSAGES, st.sampled_from(Form))
def test_any_message_follows_every_rule_of_slack(sent: Message, form: Form) -> None:
    rendered_ = Format().render(sent, form)
    rules.slack(rendered_)
    assert ("blocks" in json.loads(rendered_.body)) <= (form is not Form.TEXT)


@given(MESSAGES)
def test_no_text_holds_characters_that_cannot_be_seen(sent: Message) -> None:
    for text in rules.texts(rendered(sent)):
        assert not re.search("[\x00-\x08\u202a-\u202e\u2066-\u2069\ud800-\udfff]", text)


def test_the_example_looks_as_the_design_says() -> None:
    assert rendered(message(COMPLETED)) == {
        "text": "Completed: luma 182bd5e5, 59 s",
        "blocks": [
            {"type": "header", "text": plain("Completed: luma 182bd5e5")},
            {
                "type": "section",
                "fields": [
                    plain("Source\nluma"),
                    plain("Generation\n182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e"),
                    plain("Took\n59 s"),
                    plain("order\n1042"),
                ],
            },
            {
                "type": "section",
                "text": mrkdwn(
                    "<https://cdn.example/video.mp4?a=1&amp;b=2|Open the video>\n"
                    "<https://cdn.example/preview.png|Open the preview (image)>"
                ),
            },
            {
                "type": "image",
                "image_url": "https://cdn.example/preview.png",
                "alt_text": "Preview of Completed: luma 182bd5e5",
            },
            {
                "type": "context",
                "elements": [
                    mrkdwn(
                        "<!date^1795249800^{date_short_pretty} {time}|2026-11-21 08:30 UTC>"
                    ),
                    mrkdwn(
                        "Links expire "
                        "<!date^1795253400^{date_short_pretty} {time}|2026-11-21 09:30 UTC>"
                    ),
                    mrkdwn("id 9f0c3c9e"),
                ],
            },
        ],
        "unfurl_links": False,
        "unfurl_media": False,
    }


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


def mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def test_the_compact_form_has_no_image_and_no_metadata() -> None:
    blocks = rendered(message(COMPLETED), Form.COMPACT)["blocks"]
    assert [block["type"] for block in blocks] == [
        "header",
        "section",
        "section",
        "context",
    ]
    assert "1042" not in json.dumps(blocks)


def test_the_text_form_is_one_line_with_the_first_link() -> None:
    document = rendered(message(COMPLETED), Form.TEXT)
    assert document["text"] == (
        "Completed: luma 182bd5e5, 59 s, <https://cdn.example/video.mp4?a=1&amp;b=2>"
    )
    assert "blocks" not in document


FAILED = replace(
    COMPLETED,
    tag="failed",
    state=State.FAILED,
    outputs=(),
    metadata={},
    failure=Failure(code="moderated", reason="<b>no</b>\n" + "y" * 5000),
)


def test_a_long_reason_is_cut_with_the_number_of_what_is_missing() -> None:
    fields = rendered(message(FAILED))["blocks"][1]["fields"]
    assert fields[2] == plain("Code\nmoderated")
    reason = fields[3]["text"]
    assert reason.startswith("Reason\n<b>no</b>\nyyy")
    kept, _, missing = reason.removeprefix("Reason\n").partition("… +")
    assert len(kept) + int(missing.removesuffix(" more").replace(",", "")) == 5010


def test_a_pipe_in_a_link_is_percent_encoded() -> None:
    event = replace(
        COMPLETED, outputs=(Output(type="video", url="https://a.example/a|b>c"),)
    )
    assert "<https://a.example/a%7Cb" not in json.dumps(rendered(message(event)))
    event = replace(COMPLETED, outputs=(Output(type="video", url="https://a.example/a|b"),))
    assert "<https://a.example/a%7Cb|Open the video>" in json.dumps(
        rendered(message(event))
    )


def test_a_pipe_in_a_label_does_not_end_the_link() -> None:
    event = replace(
        COMPLETED, outputs=(Output(type="a|<!here>", url="https://a.example/x"),)
    )
    text = rendered(message(event))["blocks"][2]["text"]["text"]
    assert text == "<https://a.example/x|Open the a/&lt;!here&gt;>"


def test_a_link_that_is_too_long_is_left_out_and_the_command_shows_it() -> None:
    long = Output(type="video", url="https://a.example/" + "x" * 3000)
    short = Output(type="video", url="https://a.example/short")
    event = replace(COMPLETED, outputs=(long, short))
    text = rendered(message(event))["blocks"][2]["text"]["text"]
    assert text == (
        "<https://a.example/short|Open the video 2>\n"
        "… +1 more: genbridge status luma 182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e"
    )


def test_at_most_five_links_are_shown_and_the_rest_is_counted() -> None:
    outputs = tuple(Output(type="video", url=f"https://a.example/{n}") for n in range(9))
    text = rendered(message(replace(COMPLETED, outputs=outputs)))["blocks"][2]["text"][
        "text"
    ]
    assert text.count("<https://") == 5
    assert "… +4 more: genbridge status" in text


@pytest.mark.parametrize(
    "output",
    [
        Output(type="video", url="https://a.example/v.png"),
        Output(type="image", url="https://a.example/i.png", needs_key=True),
        Output(type="image", url="https://a.example/i.WEBP?x"),
        Output(type="image", url="https://a.example/" + "x" * 3000),
        Output(type="image", url="data:image/png;base64,AA"),
    ],
    ids=["a video", "behind a key", "webp", "too long", "no web address"],
)
def test_only_an_image_that_slack_can_fetch_is_a_preview(output: Output) -> None:
    blocks = rendered(message(replace(COMPLETED, outputs=(output,))))["blocks"]
    assert "image" not in [block["type"] for block in blocks]


def test_a_lost_generation_says_that_nothing_more_will_come() -> None:
    event = replace(
        COMPLETED,
        tag="lost",
        state=State.DREAMING,
        observed_at=NOW - timedelta(minutes=30),
        outputs=(),
    )
    assert rendered(message(event))["text"] == (
        "Lost: luma 182bd5e5, last seen dreaming, 30 min ago, nothing more will come"
    )


def test_progress_is_shown_while_it_dreams() -> None:
    event = replace(
        COMPLETED, tag="dreaming", state=State.DREAMING, progress=0.42, outputs=()
    )
    assert rendered(message(event))["text"] == "Dreaming: luma 182bd5e5, 42%"


def test_a_message_that_nobody_knows_is_a_line_of_text() -> None:
    assert "blocks" not in rendered(Message(id=ID, body=b'{"type":"new","data":{}}'))


def test_an_operational_event_has_its_facts() -> None:
    document = rendered(NOTICES["webhook.disabled"])
    assert document["text"].startswith("Webhook studio was switched off")
    assert plain("Webhook\nstudio") in document["blocks"][1]["fields"]


# Answers: every row of RECEIVERS, section 1.4


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, "ok", Accepted),
        (200, "ok\n", Accepted),
        (200, "", Unconfirmed),
        (200, "<html>sign in</html>", Unconfirmed),
        (200, "okay", Unconfirmed),
        (204, "", Unclear),
        (429, "", Throttled),
        (429, "rate_limited", Throttled),
        (500, "rollup_error", Throttled),
        (500, "", Unclear),
        (400, "invalid_blocks", TooRich),
        (400, "msg_blocks_too_long", TooRich),
        (400, "too_many_attachments", TooRich),
        (400, "invalid_payload", Declined),
        (400, "no_text", Declined),
        (400, "user_not_found", Declined),
        (400, "something_new", Unclear),
        (403, "action_prohibited", Gone),
        (403, "posting_to_general_channel_denied", Gone),
        (403, "invalid_token", Gone),
        (403, "", Unclear),
        (404, "channel_not_found", Gone),
        (404, "no_service", Gone),
        (404, "no_service_id", Gone),
        (404, "no_active_hooks", Gone),
        (404, "no_team", Gone),
        (404, "team_disabled", Gone),
        (404, "<html>", Unclear),
        (410, "channel_is_archived", Gone),
        (410, "", Gone),
        (503, "", Unclear),
    ],
)
def test_every_answer_of_slack_is_read(status: int, body: str, kind: type) -> None:
    port: Port = Format()
    assert isinstance(port.read(answer(status, body.encode())), kind)


def answer(status: int, body: bytes, *, cut: bool = False) -> Response:
    headers = {"retry-after": "30"}
    return Response(status=status, body=body, headers=headers, received_at=NOW, cut=cut)


def test_a_throttle_says_how_long() -> None:
    found = Format().read(answer(429, b""))
    assert isinstance(found, Throttled)
    assert found.after == timedelta(seconds=30)


def test_an_acceptance_must_be_whole() -> None:
    assert isinstance(Format().read(answer(200, b"ok", cut=True)), Unconfirmed)


@given(st.integers(100, 599), st.binary(max_size=100))
def test_any_body_can_be_read(status: int, body: bytes) -> None:
    found: Acknowledgement = Format().read(answer(status, body))
    assert isinstance(found, Accepted) == (status == 200 and body.strip() == b"ok")


def test_slack_takes_one_message_a_second_and_verifies_nothing() -> None:
    port: Port = Format()
    assert port.limits.rate == 1.0
    assert not port.signed


@pytest.mark.parametrize(
    ("url", "advised"),
    [
        ("https://hooks.slack.com/services/T0/B0/x", False),
        ("https://hooks.slack.com/triggers/T0/1/x", True),
        ("https://hooks.slack.com/workflows/T0/1/x", True),
        ("https://receiver.example/workflows/T0/1/x", False),
    ],
)
def test_the_trigger_of_a_workflow_is_no_incoming_webhook(url: str, advised: bool) -> None:
    assert bool(Format().advice(url)) == advised
