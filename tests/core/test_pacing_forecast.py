"""What a table tells people."""

import math
from random import Random

import pytest

from bridge.core.pacing import forecast
from bridge.core.pacing.grid import EDGES
from bridge.core.pacing.prior import log_logistic
from bridge.core.pacing.rung import Rung
from bridge.core.pacing.table import Table


def seen(count: int) -> Table:
    """Return a table that has seen so many changes, evenly from 45 s to 75 s."""
    table = Table(log_logistic(60.0))
    for n in range(count):
        end = 60.0 * (0.75 + 0.5 * (n * 7 % count) / count)
        table.exposed(0.0, end - 0.5)
        table.changed(end - 0.5, end)
    return table


def test_nothing_is_foretold_before_twenty_changes() -> None:
    assert forecast.eta(Rung(table=seen(19), entered=0.0), 10.0) is None
    assert forecast.eta(Rung(table=seen(20), entered=0.0), 10.0) is not None


def test_the_eta_is_the_time_in_which_half_and_nine_tenths_end() -> None:
    rung = Rung(table=seen(600), entered=1000.0)
    eta = forecast.eta(rung, 1000.0)
    assert eta is not None
    assert eta.p50 == pytest.approx(60, rel=0.05)
    assert eta.p90 == pytest.approx(72, rel=0.1)
    later = forecast.eta(rung, 1050.0)
    assert later is not None
    assert 0 < later.p50 < 20
    assert later.p50 < later.p90


def test_a_generation_hangs_once_hardly_any_lasted_so_long() -> None:
    table, draw = Table(log_logistic(60.0)), Random(1)
    for _ in range(1500):
        end = 60 * math.exp(0.4 * draw.gauss(0, 1))
        table.exposed(0.0, end * 0.97)
        table.changed(end * 0.97, end)
    rung = Rung(table=table, entered=1000.0)
    at = 1000 + table.stalled_from
    oldest = 60 * math.exp(0.4 * 3.09)  # one in a thousand is older
    assert oldest < at - 1000 < 1.7 * oldest
    assert not forecast.stalled(rung, at - 0.01)
    assert forecast.stalled(rung, at + 0.01)


def test_before_a_hundred_changes_it_hangs_at_ten_times_what_was_expected() -> None:
    rung = Rung(table=seen(99), entered=0.0)
    assert not forecast.stalled(rung, 599.0)
    assert forecast.stalled(rung, 601.0)


def test_the_price_says_what_a_rung_costs_and_how_late_its_change_is_found() -> None:
    table = seen(200)
    price = table.integral / 11.5
    assert forecast.looks(table, price) == pytest.approx(12.0)
    late = forecast.delay(table, price)
    assert late * 11.5 == pytest.approx(table.integral**2 / 2)


def test_the_histogram_counts_changes_by_their_durations() -> None:
    bars = forecast.histogram(seen(100))
    assert [end for end, _ in bars[:-1]] == list(EDGES[1:-1])
    assert bars[-1][0] == math.inf
    total = sum(count for _, count in bars)
    assert total == pytest.approx(100 * 2 ** (-50 / 600), rel=0.02)
    assert sum(count for end, count in bars if 40 < end < 90) == pytest.approx(total)
