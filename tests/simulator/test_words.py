"""One script serves every API: each shows it in its own words."""

import json
from random import Random
from typing import Any

import pytest

from bridge.core.ladder import State
from bridge.simulator.apis import APIS, Apis
from bridge.simulator.exchange import Call
from bridge.simulator.picture import Picture
from bridge.simulator.switches import Switches
from bridge.simulator.timeline import Script, Timeline
from bridge.simulator.words import ENDS, LADDER, Words
from bridge.telemetry.clock import SystemClock

WORDS = Words(
    rungs={
        State.DREAMING: ["Pending"],
        State.COMPLETED: ["Ready"],
        State.FAILED: ["Error", "Moderated"],
    },
    ends={"moderated": "Moderated"},
)


def pictured(name: str, script: Script, age: float, **changes: Any) -> Picture:
    apis = Apis(clock=SystemClock(), chance=Random(0), switches=Switches())
    apis.switch(**changes)
    id_ = apis.add(name, script=script, age=age)
    account = apis.accounts[name]
    (picture,) = account.pictures([account.jobs[id_]], apis.clock.monotonic())
    return picture


def test_a_rung_is_shown_in_the_usual_word() -> None:
    assert [WORDS.shown(word) for word in ("dreaming", "completed", "failed")] == [
        "Pending",
        "Ready",
        "Error",
    ]


def test_a_rung_without_a_word_is_shown_as_the_next_one_and_keeps_its_rank() -> None:
    assert (WORDS.shown("queued"), WORDS.rank("queued")) == ("Pending", State.QUEUED)


def test_an_end_has_its_own_word_or_that_of_a_failure() -> None:
    assert [WORDS.shown(end) for end in ENDS] == ["Error", "Error", "Moderated"]
    assert {WORDS.rank(end) for end in ENDS} == {State.FAILED}


def test_a_word_of_the_api_is_shown_as_it_is_and_has_a_rank() -> None:
    assert (WORDS.shown("Moderated"), WORDS.rank("Moderated")) == ("Moderated", 3)


def test_a_word_that_nobody_knows_is_shown_as_it_is_and_keeps_the_rank_before() -> None:
    timeline = Timeline.of((("completed", 1.0), ("odd", None)), WORDS)
    assert (timeline.at(2.0).word, timeline.at(2.0).rank) == ("odd", State.COMPLETED)
    assert LADDER.rank("odd") is None


@pytest.mark.parametrize("name", APIS)
def test_every_end_that_an_api_names_is_one_of_its_words_for_a_failure(name: str) -> None:
    words = APIS[name].words
    assert set(words.ends) <= set(ENDS)
    assert set(words.ends.values()) <= set(words.rungs[State.FAILED])


@pytest.mark.parametrize("name", APIS)
def test_every_api_has_a_document_for_every_state_of_a_script(name: str) -> None:
    for word in [*(state.word for state in State), *ENDS]:
        picture = pictured(name, [(word, None)], 1.0)
        assert json.dumps(APIS[name].document(picture))


@pytest.mark.parametrize("name", APIS)
def test_every_api_tells_errors_in_a_json_document(name: str) -> None:
    apis = Apis(clock=SystemClock(), chance=Random(0), switches=Switches())
    call = Call(method="GET", provider=name, path="/nothing/here", at=0.0)
    with pytest.raises(StopIteration) as end:
        next(apis.answer(call))
    reply = end.value.value
    assert isinstance(json.loads(reply.body), dict)


@pytest.mark.parametrize("name", APIS)
def test_a_stuck_word_never_ends(name: str) -> None:
    script = [("queued", 1.0), ("dreaming", 1.0), ("completed", None)]
    for age in (2.0, 1e9):
        picture = pictured(name, script, age, stuck_word="MODAL")
        assert (picture.word, picture.rank) == ("MODAL", State.DREAMING)
        assert not picture.has_output
    assert pictured(name, script, 0.5, stuck_word="MODAL").queued


def test_a_generation_that_does_not_end_is_not_stuck_at_another_word() -> None:
    timeline = Timeline.of((("queued", 1.0), ("dreaming", None)))
    assert timeline.stuck("MODAL") == timeline


def test_a_generation_that_ends_at_once_can_be_stuck_too() -> None:
    stuck = Timeline.of((("completed", None),)).stuck("MODAL")
    assert (stuck.at(9.0).word, stuck.reaches(State.COMPLETED)) == ("MODAL", float("inf"))


def test_progress_is_the_share_of_the_dreaming() -> None:
    timeline = Timeline.of((("queued", 10.0), ("dreaming", 10.0), ("completed", None)))
    assert [timeline.progress(age) for age in (5.0, 10.0, 15.0, 20.0, 99.0)] == [
        0.0,
        0.0,
        0.5,
        1.0,
        1.0,
    ]
    assert Timeline.of((("dreaming", None),)).progress(1e9) == 0.5


def test_a_stale_picture_shows_no_more_than_was_done_before_the_transition() -> None:
    script = (("queued", 10.0), ("dreaming", 10.0), ("completed", None))
    picture = pictured("flux", script, 25.0, stale=1.0)
    assert picture.dreaming
    assert 0.99 < picture.progress < 1.0
    assert picture.ended is None
