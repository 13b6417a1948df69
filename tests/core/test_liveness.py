"""When another replica counts as dead."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.sharing.liveness import BLIND, Pace, Sighting, Witness

PACE = Pace(beat=5.0, silent=30.0, gone=1.0, settled=3.0)


def gone(id_: int = 2) -> Sighting:
    return Sighting(id=id_, gone=True, silent=False)


def silent(id_: int = 2) -> Sighting:
    return Sighting(id=id_, gone=False, silent=True)


def alive(id_: int = 2) -> Sighting:
    return Sighting(id=id_, gone=False, silent=False)


def settled() -> Witness:
    witness = Witness(PACE)
    witness.begin(0.0)
    return witness


def test_the_times_follow_from_the_limit() -> None:
    assert (PACE.fresh, PACE.again) == (18.0, 6.0)


def test_a_lost_session_is_seen_twice_before_its_replica_is_dead() -> None:
    witness = settled()
    verdicts = [witness.weigh([gone()], at / 2) for at in range(20, 24)]
    assert verdicts == [[], [], [2], [2]]


def test_a_silent_replica_is_watched_for_longer() -> None:
    witness = settled()
    verdicts = {at / 2: witness.weigh([silent()], at / 2) for at in range(20, 40)}
    assert next(at for at, dead in verdicts.items() if dead) == 16.0


def test_one_sign_of_life_begins_it_all_anew() -> None:
    witness = settled()
    assert witness.weigh([gone()], 10.0) == []
    assert witness.weigh([alive()], 10.5) == []
    assert witness.weigh([gone()], 11.0) == []
    assert witness.weigh([gone()], 11.5) == []
    assert witness.weigh([gone()], 12.0) == [2]


def test_a_young_session_buries_nobody() -> None:
    witness = settled()
    witness.begin(100.0)
    verdicts = [witness.weigh([gone()], 100.0 + at / 2) for at in range(7)]
    assert verdicts == [[], [], [], [], [], [], [2]]


def test_what_an_earlier_session_saw_does_not_count() -> None:
    witness = settled()
    witness.weigh([gone()], 10.0)
    witness.begin(10.5)
    assert witness.weigh([gone()], 13.5) == []
    assert witness.weigh([gone()], 14.5) == [2]


def test_an_observer_that_slept_looks_again() -> None:
    witness = settled()
    witness.weigh([gone()], 10.0)
    assert witness.weigh([gone()], 10.1 + BLIND) == []


def test_each_is_weighed_by_itself() -> None:
    witness = settled()
    witness.weigh([gone(2), alive(3)], 10.0)
    witness.weigh([gone(2), gone(3)], 11.0)
    assert witness.weigh([gone(3), alive(2)], 11.5) == []
    assert witness.weigh([gone(3), gone(2)], 12.0) == [3]


@given(st.lists(st.tuples(st.floats(0.01, 5.0), st.booleans()), max_size=40))
def test_nobody_is_dead_who_was_alive_within_the_span(
    looks: list[tuple[float, bool]],
) -> None:
    witness, now, last_alive = settled(), 0.0, 0.0
    for pause, is_gone in looks:
        now += pause
        dead = witness.weigh([gone() if is_gone else alive()], now)
        last_alive = last_alive if is_gone else now
        assert not dead or now - last_alive >= PACE.gone
        assert not dead or now >= PACE.settled


@pytest.mark.parametrize("sleep", [0.0, 0.5])
def test_a_control_without_the_two_sightings_buries_at_the_first(sleep: float) -> None:
    # What the rule is worth: without it the first to return after a restart buries the living.
    witness = Witness(Pace(gone=0.0, settled=0.0))
    witness.begin(10.0)
    assert witness.weigh([gone()], 10.0 + sleep) == [2]
