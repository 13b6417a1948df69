"""Discord: every limit, every answer, and nobody called."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

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
from bridge.core.ladder import State
from bridge.core.looking import Failure, Output
from bridge.core.network.exchange import Response
from bridge.core.ports import Form
from bridge.core.ports import Format as Port
from bridge.formats.discord import Format
from tests.formats import rules
from tests.formats.events import COMPLETED, NOW, message


def rendered(event: Any = COMPLETED, form: Form = Form.FULL) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(Format().render(message(event), form).body)
    return document


def test_the_example_is_one_embed() -> None:
    assert rendered() == {
        "content": "https://cdn.example/video.mp4?a=1&b=2",
        "embeds": [
            {
                "title": "Completed: luma 182bd5e5",
                "color": 0x2E7D32,
                "timestamp": "2026-11-21T08:30:00.123Z",
                "fields": [
                    field("Source", "luma"),
                    field("Generation", "182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e"),
                    field("Took", "59 s"),
                    field("order", "1042"),
                ],
                "description": "[Open the video](https://cdn.example/video.mp4?a=1&b=2)\n"
                "[Open the preview (image)](https://cdn.example/preview.png)\n"
                "Links expire <t:1795253400:f>",
                "image": {"url": "https://cdn.example/preview.png"},
                "footer": {"text": "id 9f0c3c9e"},
            }
        ],
        "allowed_mentions": {"parse": []},
    }


def field(name: str, value: str) -> dict[str, Any]:
    return {"name": name, "value": value, "inline": True}


def test_the_answer_is_waited_for() -> None:
    assert Format().render(message(COMPLETED)).query == "wait=true"


def test_the_compact_form_has_no_image_and_no_metadata() -> None:
    (embed,) = rendered(form=Form.COMPACT)["embeds"]
    assert "image" not in embed
    assert "1042" not in json.dumps(embed)


def test_the_text_form_is_one_line() -> None:
    assert rendered(form=Form.TEXT) == {
        "content": "Completed: luma 182bd5e5, 59 s, https://cdn.example/video.mp4?a=1&b=2",
        "allowed_mentions": {"parse": []},
    }


DREAMING = replace(
    COMPLETED, tag="dreaming", state=State.DREAMING, progress=0.4, outputs=()
)


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize(
    ("event", "flags"),
    [
        (DREAMING, 4096),
        (replace(DREAMING, tag="queued", state=State.QUEUED), 4096),
        (COMPLETED, None),
        (replace(DREAMING, tag="lost"), None),
    ],
)
def test_only_progress_is_silent(event: Any, flags: int | None, form: Form) -> None:
    assert rendered(event, form).get("flags") == flags


def test_markup_and_mentions_in_a_reason_are_shown_as_they_are() -> None:
    failure = Failure(
        code="a_b",
        reason="@everyone <@1> **x** [y](https://e.example) ||z||\n# h\n- i\n1. j\n> k",
    )
    event = replace(COMPLETED, tag="failed", state=State.FAILED, failure=failure)
    fields = {f["name"]: f["value"] for f in rendered(event)["embeds"][0]["fields"]}
    assert fields["Code"] == "a\\_b"
    assert fields["Reason"] == (
        "@\u200beveryone \\<@\u200b1\\> \\*\\*x\\*\\* \\[y\\](https:\\//e.example) \\|\\|z\\|\\|\n"
        "\\# h\n\\- i\n1\\. j\n\\> k"
    )


def test_a_link_that_does_not_fit_is_left_out_and_counted() -> None:
    outputs = tuple(
        Output(type="video", url=f"https://cdn.example/{n}" + "x" * 3000) for n in range(3)
    )
    document = rendered(replace(COMPLETED, outputs=outputs))
    assert "content" not in document
    description = document["embeds"][0]["description"]
    assert description.count("https://cdn.example/") == 1
    assert "… +2 more: genbridge status luma 182bd5e5" in description


def test_all_texts_of_the_fullest_embed_stay_within_six_thousand() -> None:
    outputs = tuple(
        Output(type="video", url=f"https://cdn.example/{n}" + "x" * 700) for n in range(5)
    )
    event = replace(
        COMPLETED,
        tag="failed",
        source="s" * 999,
        metadata={f"{n}{'k' * 99}": "v" * 999 for n in range(6)},
        failure=Failure(code="c" * 999, reason="r" * 9999),
        outputs=outputs,
    )
    rules.discord(Format().render(message(event)))
    description = rendered(event)["embeds"][0]["description"]
    assert 0 < description.count("https://cdn.example/") < 5


def test_brackets_in_a_link_do_not_end_it() -> None:
    event = replace(COMPLETED, outputs=(Output(type="a", url="https://a.example/(b)"),))
    description = rendered(event)["embeds"][0]["description"]
    assert description.startswith("[Open the a](https://a.example/%28b%29)")


def test_a_hundred_fields_of_metadata_are_six_and_none_is_empty() -> None:
    metadata = {f"{' ' * n}k": "" for n in range(1, 100)}
    fields = rendered(replace(COMPLETED, metadata=metadata))["embeds"][0]["fields"]
    assert len(fields) == 3 + 6
    assert all(f["name"].strip() and f["value"].strip() for f in fields)


# Answers: every row of RECEIVERS, section 1.4


def answer(status: int, body: object = None, **headers: str) -> Response:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status=status, body=text, headers=named, received_at=NOW)


TREE = {"embeds": {"0": {"fields": {"3": {"value": {"_errors": [{"code": "BASE"}]}}}}}}


@pytest.mark.parametrize(
    ("response", "reading"),
    [
        (answer(200, {"id": "77"}), Accepted(receipt="77")),
        (answer(200, {"id": "77"}, x_ratelimit_remaining="3"), Accepted(receipt="77")),
        (
            answer(
                200,
                {"id": "77"},
                x_ratelimit_remaining="0",
                x_ratelimit_reset_after="1.5",
            ),
            Accepted(receipt="77", pause=timedelta(seconds=1.5)),
        ),
        (answer(204, b""), Unclear()),
        (answer(500), Unclear()),
        (answer(503, b"<html>"), Unclear()),
        (answer(400, {"code": 0}), Unclear()),
        (
            answer(400, {"code": 50035, "errors": TREE}),
            TooRich(why="50035: embeds.0.fields.3.value"),
        ),
        (answer(400, {"code": 50035}), TooRich(why="50035: the message")),
        (
            answer(400, {"code": 50006}),
            Declined(why="400 50006: Discord found the message empty"),
        ),
        (
            answer(400, {"code": 240000}),
            Declined(why="400 240000: Discord has blocked a link in it as harmful"),
        ),
        (answer(404, {"code": 10015}), Gone(why="404 10015: this webhook was deleted")),
        (answer(401, {"code": 50027}), Gone(why="401 50027: the URL's token is wrong")),
        (answer(401), Gone(why="401: Discord does not accept the URL's token")),
        (answer(403), Gone(why="403: Discord forbids this webhook to post")),
        (answer(404), Gone(why="404: this webhook was deleted, or its channel")),
    ],
)
def test_every_answer_of_discord_is_read(
    response: Response, reading: Acknowledgement
) -> None:
    port: Port = Format()
    assert port.read(response) == reading


def test_a_success_without_an_id_is_none() -> None:
    assert isinstance(Format().read(answer(200, b"<html>")), Unconfirmed)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_page_instead_of_discord_switches_nothing_off(status: int) -> None:
    found = Format().read(answer(status, b"<!DOCTYPE html>"))
    assert isinstance(found, Unclear)
    assert found.hint


@pytest.mark.parametrize(
    ("response", "seconds"),
    [
        (answer(429, {"retry_after": 64.57}, x_ratelimit_reset_after="1.25"), 1.25),
        (answer(429, {"retry_after": 64.5}), 64.5),
        (answer(429, {"retry_after": 6457}), 6.457),
        (answer(429, {"retry_after": 600}), 600.0),
        (answer(429, {"retry_after": -1}, retry_after="7"), 7.0),
        (answer(429, b"<html>", retry_after="9"), 9.0),
        (answer(429, {"retry_after": 2}, x_ratelimit_reset_after="nan"), 2.0),
        (answer(429), None),
    ],
)
def test_a_throttle_says_how_long(response: Response, seconds: float | None) -> None:
    found = Format().read(response)
    assert isinstance(found, Throttled)
    assert found.after == (None if seconds is None else timedelta(seconds=seconds))


def test_the_preset_is_thirty_a_minute_and_nothing_is_verified() -> None:
    port: Port = Format()
    assert port.limits.rate == 0.5
    assert not port.signed
