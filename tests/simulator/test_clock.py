from datetime import UTC, datetime, timedelta

import pytest

from bridge.simulator.clock import ScaledClock

START = datetime(2026, 11, 21, tzinfo=UTC)


class Hand:
    """A clock that is moved by hand."""

    seconds = 100.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds


def test_a_scaled_clock_begins_with_the_real_one_and_runs_faster() -> None:
    hand = Hand()
    clock = ScaledClock(hand, speed=10.0)
    assert (clock.now(), clock.monotonic()) == (hand.now(), 100.0)
    hand.seconds += 3
    assert clock.monotonic() == 130.0
    assert clock.now() == START + timedelta(seconds=130)


def test_what_is_left_until_a_simulated_moment_is_told_in_real_seconds() -> None:
    clock = ScaledClock(Hand(), speed=10.0)
    assert clock.left(130.0) == 3.0
    assert clock.left(50.0) == 0.0
    assert clock.real(5.0) == 0.5


@pytest.mark.parametrize("speed", [0.0, -1.0, float("inf"), float("nan")])
def test_a_clock_that_does_not_run_forward_is_refused(speed: float) -> None:
    with pytest.raises(ValueError, match="clock"):
        ScaledClock(Hand(), speed=speed)
