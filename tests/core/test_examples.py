"""Examples: one message of every kind, as they are stored."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import pytest

from bridge.core.event import read_envelope
from bridge.core.examples import GENERATIONS, NOTICES, example, example_options
from bridge.core.ladder import State


def test_there_is_one_of_every_state_and_of_every_other_end() -> None:
    assert list(GENERATIONS) == [
        *(f"generation.{state.word}" for state in State),
        "generation.stalled",
        "generation.lost",
    ]


def test_there_is_one_of_every_operational_event() -> None:
    assert list(NOTICES) == [
        "webhook.failing",
        "webhook.disabled",
        "webhook.recovered",
        "webhook.forbidden",
        "delivery.exhausted",
        "delivery.unrendered",
    ]


@pytest.mark.parametrize("kind", GENERATIONS)
def test_an_event_reads_back_as_what_it_is_called(kind: str) -> None:
    event = read_envelope(GENERATIONS[kind].body)
    assert event.type == kind
    assert (event.failure is not None) == (kind == "generation.failed")
    assert bool(event.outputs) == (kind == "generation.completed")
    assert event.previous_state is None or event.state is None or event.sequence > 0


@pytest.mark.parametrize("kind", [*GENERATIONS, *NOTICES])
def test_an_example_is_a_whole_document_of_its_type(kind: str) -> None:
    document = json.loads(example(kind).whole())
    assert document["type"] == kind
    assert document["timestamp"] == "2026-11-21T08:30:00.123Z"
    assert document["data"]


def test_every_example_has_an_id_of_its_own_that_stays() -> None:
    examples = [*GENERATIONS.values(), *NOTICES.values()]
    assert len({one.id for one in examples}) == len(examples)
    assert example("webhook.failing").id == NOTICES["webhook.failing"].id


def test_time_id_and_names_can_be_given() -> None:
    now, chosen = datetime(2027, 1, 2, tzinfo=UTC), UUID(int=7)
    told = example("generation.lost", now=now, message_id=chosen, source="mine")
    assert told.id == chosen
    event = read_envelope(told.body)
    assert (event.occurred_at, event.source) == (now, "mine")
    told = example("webhook.failing", now=now, webhook="team")
    assert json.loads(told.body)["data"]["webhook"] == "team"


def test_an_unknown_kind_is_none() -> None:
    with pytest.raises(KeyError):
        example("generation.exploded")


@dataclass(frozen=True)
class Plugin:
    name: str
    chat: str = field(metadata={"example": "-100"})
    rest: int = 7


def test_an_option_without_a_default_gets_its_example() -> None:
    assert example_options(Plugin) == {"name": "example", "chat": "-100"}
