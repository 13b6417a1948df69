"""Operational events: what they say, and that they can only be repeated."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.card import card
from bridge.core.delivering.alerts import Cause, alert, hour
from bridge.core.delivering.delivery import Condition
from bridge.core.event import read_envelope

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
CAUSE = Cause(
    type="webhook.failing",
    mark="50",
    key="name:studio",
    webhook="studio",
    streak=3,
    condition=Condition.ACTIVE,
    since=datetime(2026, 11, 19, 8, 30, tzinfo=UTC),
    failures=77,
    reason="503: the receiver is not available now",
    share=50,
)


def test_the_body_is_an_envelope_like_any_other() -> None:
    made = alert(CAUSE, to=9, now=NOW)
    assert (made.webhook, made.tag) == (9, "failing:50")
    assert json.loads(made.message.whole()) == {
        "type": "webhook.failing",
        "timestamp": "2026-11-21T08:30:00Z",
        "data": {
            "webhook": "studio",
            "condition": "active",
            "since": "2026-11-19T08:30:00Z",
            "failures": 77,
            "share": 50,
            "count": None,
            "reason": "503: the receiver is not available now",
            "raw": None,
        },
    }


def test_the_same_cause_has_the_same_id_whatever_else_is_known() -> None:
    later = replace(CAUSE, failures=99, reason="other", condition=Condition.DISABLED)
    assert alert(later, to=1, now=NOW).message.id == alert(CAUSE, to=2, now=NOW).message.id


@pytest.mark.parametrize(
    "other",
    [
        replace(CAUSE, streak=4),
        replace(CAUSE, mark="70"),
        replace(CAUSE, type="webhook.disabled"),
        replace(CAUSE, key="name:other"),
    ],
)
def test_another_cause_has_another_id(other: Cause) -> None:
    assert alert(other, to=1, now=NOW).message.id != alert(CAUSE, to=1, now=NOW).message.id


def test_an_hour_is_that_of_the_clock() -> None:
    assert hour(NOW) == "2026-11-21T08"


@pytest.mark.parametrize(
    ("type_", "title"),
    [
        ("webhook.failing", "Webhook studio is failing"),
        ("webhook.disabled", "Webhook studio was switched off"),
        ("webhook.recovered", "Webhook studio accepts again"),
        ("webhook.forbidden", "Webhook studio has a forbidden address"),
        ("delivery.exhausted", "Deliveries to studio were given up"),
    ],
)
def test_chat_formats_show_it_as_a_card(type_: str, title: str) -> None:
    shown = card(alert(replace(CAUSE, type=type_), to=1, now=NOW).message)
    assert (shown.title, shown.kind, shown.occurred_at) == (title, type_, NOW)
    assert shown.summary == f"{title}, {CAUSE.reason}"
    assert ("Failed attempts", "77") in shown.facts


@given(st.text(), st.text())
def test_no_name_and_no_reason_breaks_a_card(name: str, reason: str) -> None:
    made = alert(replace(CAUSE, webhook=name, reason=reason), to=1, now=NOW)
    assert made.message.body.isascii()
    assert card(made.message).title.startswith("Webhook")


def test_it_is_no_event_of_a_generation() -> None:
    with pytest.raises(ValueError, match="missing"):
        read_envelope(alert(CAUSE, to=1, now=NOW).message.body)
