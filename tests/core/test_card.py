"""A card: what every chat format shows of a message."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.core.card import card, readable, short_id
from bridge.core.event import Event
from bridge.core.ladder import State
from bridge.core.looking import Failure, Output
from bridge.core.message import Message
from tests.formats.events import COMPLETED, ID, NOW, message

NOTHING_MADE = replace(COMPLETED, outputs=())


@pytest.mark.parametrize(
    ("event", "summary"),
    [
        (COMPLETED, "Completed: luma 182bd5e5, 59 s"),
        (replace(COMPLETED, created_at=None), "Completed: luma 182bd5e5"),
        (
            replace(COMPLETED, created_at=NOW + timedelta(hours=1)),
            "Completed: luma 182bd5e5",
        ),
        (
            replace(COMPLETED, created_at=NOW - timedelta(hours=3)),
            "Completed: luma 182bd5e5, 3 h",
        ),
        (
            replace(
                NOTHING_MADE, tag="failed", failure=Failure(code="nsfw", reason="no\nway")
            ),
            "Failed: luma 182bd5e5, nsfw: no way",
        ),
        (
            replace(NOTHING_MADE, tag="failed", failure=Failure(code="nsfw")),
            "Failed: luma 182bd5e5, nsfw",
        ),
        (replace(NOTHING_MADE, tag="queued", state=State.QUEUED), "Queued: luma 182bd5e5"),
        (
            replace(NOTHING_MADE, tag="dreaming", state=State.DREAMING, progress=0.5),
            "Dreaming: luma 182bd5e5, 50%",
        ),
        (
            replace(NOTHING_MADE, tag="lost", state=None, observed_at=None),
            "Lost: luma 182bd5e5, last seen never, nothing more will come",
        ),
        (
            replace(
                NOTHING_MADE,
                tag="stalled:2",
                state=State.DREAMING,
                observed_at=NOW - timedelta(days=4),
            ),
            "Stalled: luma 182bd5e5, last seen dreaming, 4 d ago",
        ),
    ],
)
def test_one_line_says_what_happened(event: Event, summary: str) -> None:
    assert card(message(event)).summary == summary


def test_metadata_is_the_first_six_entries_that_are_one_value() -> None:
    metadata = {
        "list": [1],
        "a": 1,
        "b": None,
        "c": True,
        "d": 1.5,
        "e": "",
        "f": "x",
        "g": "y",
    }
    assert card(message(replace(COMPLETED, metadata=metadata))).metadata == (
        ("a", "1"),
        ("b", "null"),
        ("c", "true"),
        ("d", "1.5"),
        ("e", "-"),
        ("f", "x"),
    )


def test_links_say_what_they_open() -> None:
    outputs = (
        Output(type="video", url="https://a.example/1"),
        Output(type="video", url="https://a.example/2", needs_key=True),
        Output(type="image", url="https://a.example/3", role="thumbnail"),
        Output(type="video", url="https://a.example/4"),
    )
    labels = [
        link.label for link in card(message(replace(COMPLETED, outputs=outputs))).links
    ]
    assert labels == [
        "Open the video 1",
        "Open the video, with the source's key",
        "Open the thumbnail (image)",
        "Open the video 2",
    ]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a",
        "//a.example",
        "ftp://a.example",
        "javascript:x",
        "http://[",
        "https://a b",
        "https://",
    ],
)
def test_what_is_no_web_address_is_counted_and_not_linked(url: str) -> None:
    shown = card(message(replace(COMPLETED, outputs=(Output(type="video", url=url),))))
    assert (shown.links, shown.unlisted) == ((), 1)


def test_the_links_expire_with_the_first_of_them() -> None:
    outputs = tuple(
        Output(type="video", url="https://a.example", expires_at=NOW + timedelta(hours=h))
        for h in (5, 1, 3)
    )
    shown = card(message(replace(COMPLETED, outputs=outputs)))
    assert shown.expires_at == NOW + timedelta(hours=1)


@pytest.mark.parametrize(
    ("generation_id", "short"),
    [
        ("182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e", "182bd5e5"),
        ("projects/p/operations/12", "projects/p/operations/12"),
        ("182bd5e5\n6e1a", "182bd5e5 6e1a"),
    ],
)
def test_a_uuid_is_known_by_its_first_digits(generation_id: str, short: str) -> None:
    assert short_id(generation_id) == short


def test_text_is_shown_without_what_cannot_be_seen() -> None:
    assert readable("a\0b\u202ec\ud800d\ne مرحبا 🎬") == "abcd\ne مرحبا 🎬"


def test_a_message_of_another_kind_is_told_by_its_type() -> None:
    told = card(Message(id=ID, body=b'{"type":"webhook.disabled","data":{}}'))
    assert (told.title, told.facts, told.id) == ("webhook.disabled", (), "9f0c3c9e")
    assert card(Message(id=ID, body=b"?")).summary == "A message of genbridge"


def test_a_card_says_when_a_generation_is_expected_to_go_on() -> None:
    eta = {"p50": NOW + timedelta(seconds=40), "p90": NOW + timedelta(minutes=3)}
    event = replace(
        NOTHING_MADE, tag="dreaming", state=State.DREAMING, progress=0.5, eta=eta
    )
    facts = dict(card(message(event)).facts)
    assert facts["Progress"] == "50%"
    assert facts["Expected"] == "in 40 s, 9 of 10 within 3 min"
    assert "Expected" not in dict(card(message(replace(event, eta=None))).facts)
