"""The story of a watch: what each step of it tells, and what it leaves as it was."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from bridge.core import story
from bridge.core.event import event_id
from bridge.core.ladder import State
from bridge.core.looking import Observation
from bridge.core.news import news
from bridge.core.watch import Generation, Watch

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
ETA = {"p50": NOW + timedelta(seconds=40), "p90": NOW + timedelta(seconds=90)}


def watch(rank: int = State.QUEUED, seq: int = 0) -> Watch:
    return Watch(
        id=7,
        uid=UUID(int=7),
        fence=3,
        generation=Generation("luma", "g1"),
        until=State.COMPLETED,
        webhooks=(1,),
        metadata={"order": 1042},
        rank=rank,
        native_state="processing",
        seq=seq,
    )


def told(state: State, eta: dict[str, datetime] | None = ETA) -> dict[str, Any]:
    """Return the data of the event that a state makes."""
    one = watch()
    seen = Observation(id="g1", native_state=state.word, state=state, observed_at=NOW)
    found = news(one.rank, state)
    assert found is not None
    change = story.advance(
        one, seen, found, provider="luma-agents", now=NOW, recipients=(), eta=eta
    )
    data: dict[str, Any] = json.loads(change.message.body)["data"]
    return data


def test_an_event_says_by_when_the_generation_will_have_gone_on() -> None:
    data = told(State.DREAMING)
    assert data["eta"] == {
        "p50": "2026-11-21T08:30:40Z",
        "p90": "2026-11-21T08:31:30Z",
    }
    assert list(data)[list(data).index("progress") + 1] == "eta"


@pytest.mark.parametrize("state", [State.COMPLETED, State.FAILED])
def test_at_the_end_nothing_is_expected_any_more(state: State) -> None:
    assert told(state)["eta"] is None


def test_nothing_is_said_of_the_time_while_too_little_is_known() -> None:
    assert told(State.DREAMING, eta=None)["eta"] is None


def stalled(one: Watch) -> Any:
    return story.stall(one, provider="luma-agents", now=NOW, seen_at=NOW, recipients=())


def test_a_stalled_generation_is_told_of_and_still_watched() -> None:
    change = stalled(watch(State.DREAMING, seq=1))
    assert (change.ended, change.rank, change.native_state) == (
        None,
        State.DREAMING,
        "processing",
    )
    assert change.tag == "stalled:1"
    body = json.loads(change.message.body)
    assert (body["type"], body["data"]["state"]) == ("generation.stalled", "dreaming")
    assert (body["data"]["sequence"], body["data"]["metadata"]) == (2, {"order": 1042})


def test_a_generation_stalls_once_in_each_state() -> None:
    ids = {stalled(watch(rank, seq)).message.id for rank in (0, 1) for seq in (0, 1)}
    assert ids == {event_id(UUID(int=7), "stalled:0"), event_id(UUID(int=7), "stalled:1")}


def test_what_was_never_seen_can_stall_too() -> None:
    body = json.loads(stalled(watch(-1, seq=-1)).message.body)
    assert (body["data"]["state"], body["data"]["sequence"]) == (None, 0)
