"""Teams: a card of version 1.4 that is small enough, and every answer of a workflow."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bridge.core.delivering.acknowledgement import (
    Accepted,
    Gone,
    Throttled,
    TooRich,
    Unclear,
)
from bridge.core.event import Event
from bridge.core.ladder import State
from bridge.core.looking import Failure, Output
from bridge.core.network.exchange import Response
from bridge.core.ports import Form
from bridge.core.ports import Format as Port
from bridge.formats.teams import Format
from tests.formats.events import COMPLETED, NOW, message


def card(event: Event = COMPLETED, form: Form = Form.FULL) -> dict[str, Any]:
    document = json.loads(Format().render(message(event), form).body)
    content: dict[str, Any] = document["attachments"][0]["content"]
    return content


WHEN = "{{DATE(2026-11-21T08:30:00Z, SHORT)}} {{TIME(2026-11-21T08:30:00Z)}}"
END = "{{DATE(2026-11-21T09:30:00Z, SHORT)}} {{TIME(2026-11-21T09:30:00Z)}}"


def test_the_example_looks_as_the_design_says() -> None:
    assert card() == {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": "Completed: luma 182bd5e5, 59 s",
        "msteams": {"width": "Full"},
        "body": [
            {
                "type": "TextBlock",
                "text": "Completed: luma 182bd5e5",
                "wrap": True,
                "size": "Medium",
                "weight": "Bolder",
                "color": "Good",
            },
            {
                "type": "FactSet",
                "facts": [
                    {"title": "Source", "value": "luma"},
                    {
                        "title": "Generation",
                        "value": "182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e",
                    },
                    {"title": "Took", "value": "59 s"},
                    {"title": "order", "value": "1042"},
                ],
            },
            {
                "type": "Image",
                "url": "https://cdn.example/preview.png",
                "altText": "Preview of Completed: luma 182bd5e5",
                "size": "Stretch",
            },
            {
                "type": "TextBlock",
                "text": f"{WHEN} · links expire {END} · id 9f0c3c9e",
                "wrap": True,
                "size": "Small",
                "isSubtle": True,
            },
        ],
        "actions": [
            {
                "type": "Action.OpenUrl",
                "title": "Open the video",
                "url": "https://cdn.example/video.mp4?a=1&b=2",
            },
            {
                "type": "Action.OpenUrl",
                "title": "Open the preview (image)",
                "url": "https://cdn.example/preview.png",
            },
        ],
    }


def test_the_compact_form_has_no_image_and_no_metadata() -> None:
    shown = card(form=Form.COMPACT)
    assert "Image" not in [element["type"] for element in shown["body"]]
    assert "1042" not in json.dumps(shown)


def test_the_text_form_is_one_line_and_one_link() -> None:
    shown = card(form=Form.TEXT)
    run = {"type": "TextRun", "text": "Completed: luma 182bd5e5, 59 s"}
    assert shown["body"] == [{"type": "RichTextBlock", "inlines": [run]}]
    assert [action["title"] for action in shown["actions"]] == ["Open the video"]


def test_a_reason_stands_where_nothing_is_markup() -> None:
    reason = "**no** [x](http://e.example)\n<at>all</at>"
    event = replace(
        COMPLETED,
        tag="failed",
        state=State.FAILED,
        outputs=(),
        failure=Failure(code="a_b", reason=reason),
    )
    body = card(event)["body"]
    assert body[0]["color"] == "Attention"
    assert {"title": "Code", "value": "a\\_b"} in body[1]["facts"]
    assert body[2] == {
        "type": "RichTextBlock",
        "inlines": [{"type": "TextRun", "text": reason}],
    }


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("- a", "\\- a"),
        ("12. a", "12\\. a"),
        ("1) a", "1\\) a"),
        ("-a 1.5", "-a 1.5"),
        (
            "# [x](https://e.example) {{DATE(x)}}",
            "\\# \\[x\\](https:\\//e.example) \\{\\{DATE(x)\\}\\}",
        ),
        ("<at>all</at> @all", "\\<at\\>all\\</at\\> @\u200ball"),
    ],
)
def test_markdown_in_metadata_is_shown_as_it_is(text: str, sent: str) -> None:
    facts = card(replace(COMPLETED, metadata={"note": text}))["body"][1]["facts"]
    assert facts[-1] == {"title": "note", "value": sent}


def test_a_card_that_would_be_too_large_is_poorer_at_once() -> None:
    wide = "🎬" * 1000
    event = replace(
        COMPLETED,
        tag="failed",
        source=wide,
        generation_id=wide,
        metadata={f"{n}{wide}": wide for n in range(6)},
        failure=Failure(code=wide, reason=wide),
        outputs=tuple(
            Output(type="video", url=f"https://cdn.example/{n}" + "x" * 1500)
            for n in range(5)
        ),
    )
    rendered = Format().render(message(event))
    assert len(rendered.body) <= 20_000
    assert rendered == Format().render(message(event), Form.COMPACT)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, Accepted),
        (202, Accepted),
        (429, Throttled),
        (413, TooRich),
        (400, TooRich),
        (401, Gone),
        (404, Gone),
        (410, Gone),
        (403, Unclear),
        (500, Unclear),
        (502, Unclear),
    ],
)
def test_every_answer_of_a_workflow_is_read(status: int, kind: type) -> None:
    port: Port = Format()
    response = Response(status=status, headers={"retry-after": "30"}, received_at=NOW)
    found = port.read(response)
    assert isinstance(found, kind)
    if isinstance(found, Throttled):
        assert found.after == timedelta(seconds=30)


@pytest.mark.parametrize(
    "url",
    [
        "https://outlook.office.com/webhook/a",
        "https://tenant.webhook.office.com/webhookb2/a",
        "https://webhook.office.com/a",
    ],
)
def test_a_retired_connector_is_named(url: str) -> None:
    (advice,) = Format().advice(url)
    assert "retired" in advice


@pytest.mark.parametrize(
    "url",
    [
        "https://prod-1.westeurope.logic.azure.com/workflows/a?sig=b",
        "https://webhook.office.com.example/a",
        "https://example.com/webhook.office.com",
    ],
)
def test_a_workflow_is_nothing_to_advise_on(url: str) -> None:
    assert Format().advice(url) == ()


def test_one_a_second_and_nothing_is_verified() -> None:
    port: Port = Format()
    assert (port.limits.rate, port.limits.body) == (1.0, 20_000)
    assert not port.signed
