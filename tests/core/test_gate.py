"""A rate limit that is exact."""

from hypothesis import given
from hypothesis import strategies as st

from bridge.core.sharing.gate import Gate


@given(
    rate=st.floats(0.1, 1000),
    burst=st.floats(0, 2),
    waits=st.lists(st.floats(0, 3), min_size=1, max_size=200),
    window=st.floats(0.1, 5),
)
def test_no_window_holds_more_than_its_share_and_one(
    rate: float, burst: float, waits: list[float], window: float
) -> None:
    gate, now, starts = Gate(rate=rate, burst=burst), 100.0, []
    for wait in waits:
        now = gate.opens(now + wait)
        gate.take(now)
        starts.append(now)
    for first in starts:
        inside = sum(first <= start < first + window for start in starts)
        assert inside <= rate * (window + burst) + 1 + 1e-6


@given(rate=st.floats(0.1, 1000), count=st.integers(1, 100))
def test_who_always_waits_for_the_gate_gets_the_whole_rate(rate: float, count: int) -> None:
    gate, now = Gate(rate=rate), 0.0
    for _ in range(count):
        now = gate.opens(now)
        gate.take(now)
    assert abs(now - (count - 1) / rate) < 1e-6 * count


def test_a_shut_gate_opens_at_its_moment_and_not_before() -> None:
    gate = Gate(rate=10.0, burst=0.5)
    gate.shut(60.0)
    assert gate.opens(1.0) == 60.0
    gate.shut(30.0)
    assert gate.opens(1.0) == 60.0


def test_without_a_rate_everything_passes() -> None:
    gate = Gate(rate=None)
    gate.take(5.0)
    assert gate.opens(5.0) == 5.0
