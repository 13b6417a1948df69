"""After a start: who is looked at first, and how soon all have been."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.pacing import startup
from bridge.core.sharing.gate import Gate
from tests.core.laws import Exponential, LogNormal


def test_after_a_start_the_last_look_is_the_last_saved_beat() -> None:
    law = Exponential(mean=100.0)
    assert startup.mass(law, 500.0, 100.0) == pytest.approx(10.0)
    assert startup.mass(law, 50.0, 100.0) == pytest.approx(5.0)


def test_most_mass_of_change_is_looked_at_first_and_the_never_seen_before_all() -> None:
    law = LogNormal(median=60.0)
    masses = [
        (startup.mass(law, 10.0, 5.0), "young"),
        (startup.mass(law, 80.0, 60.0), "likely over"),
        (startup.UNSEEN_MASS, "never seen"),
        (startup.mass(law, 80.0, 1.0), "just seen"),
        (startup.mass(law, 80.0, 60.0, 0.01), "hinted at"),
    ]
    order = startup.order(masses)
    assert order == ["never seen", "likely over", "hinted at", "just seen", "young"]


def test_equals_keep_their_order() -> None:
    assert startup.order((1.0, number) for number in range(100)) == list(range(100))


@given(count=st.integers(1, 3000), rate=st.floats(0.5, 100), batch=st.integers(1, 100))
def test_all_are_seen_within_1_1_times_n_by_r_b_and_never_above_r(
    count: int, rate: float, batch: int
) -> None:
    gate, now, starts = Gate(rate=rate, burst=0.1), 50.0, []
    moments = list(startup.moments(count, now, rate=rate, batch=batch))
    assert len(moments) == count
    assert moments == sorted(moments)
    assert moments[-1] == now + (count - 1) // batch / rate
    for due in moments[::batch]:
        now = gate.opens(max(now, due))
        gate.take(now)
        starts.append(now)
    assert starts[0] == 50.0
    assert starts[-1] - 50.0 <= 1.1 * count / (rate * batch)
    for number, first in enumerate(starts):
        later = starts[number + int(1.1 * rate) + 2 :]
        assert min(later, default=inf) > first + 1.0 - 1e-6
