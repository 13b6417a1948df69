"""The tables of one source: which one counts, what it begins from, what is kept."""

import math
from datetime import timedelta
from random import Random

import pytest

from bridge.core.ladder import UNSEEN, State
from bridge.core.looking import Abilities
from bridge.core.pacing.tables import LONGEST_NAME, MOST, UNKNOWN, WHOLE, Tables, spanned


def abilities(makes: str = "video", **medians: float) -> Abilities:
    """Return what a provider says; `ray_queued=3.0` is the median of a model's state."""
    keys = {name: tuple(name.split("_", 1)) for name in medians}
    priors = {(k[0], k[1]): timedelta(seconds=medians[name]) for name, k in keys.items()}
    return Abilities(rate=10.0, floor=timedelta(0), makes=makes, priors=priors)


def test_the_state_of_a_table_is_the_watch_s_rung_or_all_of_them() -> None:
    assert spanned(UNSEEN, terminal_only=False) == "queued"
    assert spanned(State.QUEUED, terminal_only=False) == "queued"
    assert spanned(State.DREAMING, terminal_only=False) == "dreaming"
    assert spanned(State.DREAMING, terminal_only=True) == WHOLE


@pytest.mark.parametrize(
    ("makes", "state", "median"),
    [
        ("image", "dreaming", 10.0),
        ("video", "dreaming", 90.0),
        ("music", "dreaming", 60.0),
        ("batch", "dreaming", 3600.0),
        ("video", "queued", 5.0),
        ("image", WHOLE, 15.0),
        ("something new", "dreaming", 90.0),
    ],
)
def test_what_a_provider_makes_says_what_to_expect(
    makes: str, state: str, median: float
) -> None:
    table = Tables(abilities(makes)).find("any", state)
    assert table.prior.median == median
    assert table.within(0.0, 0.5) == pytest.approx(median, rel=0.2)


def test_what_is_known_of_a_model_counts_more_than_what_it_makes() -> None:
    tables = Tables(abilities(ray_dreaming=40.0, ray_queued=3.0, _dreaming=70.0))
    assert tables.find("ray", "dreaming").prior.median == 40.0
    assert tables.find("ray", WHOLE).prior.median == 43.0
    assert tables.find("flash", "dreaming").prior.median == 70.0
    assert tables.find("flash", "queued").prior.median == 5.0


def test_a_model_has_one_table_for_each_state() -> None:
    tables = Tables(abilities())
    one = tables.find("ray", "dreaming")
    assert tables.find("ray", "dreaming") is one
    assert tables.find("ray", "queued") is not one
    assert tables.find("flash", "dreaming") is not one
    assert len(tables) == 3


def test_a_new_model_begins_from_its_siblings_in_the_same_state_only() -> None:
    tables, draw = Tables(abilities()), Random(1)
    for _ in range(300):
        end, table = 600 * math.exp(0.2 * draw.gauss(0, 1)), tables.find("ray", "dreaming")
        table.exposed(0.0, end - 9.0)
        table.changed(end - 9.0, end)
    assert tables.find("flash", "dreaming").within(0.0, 0.5) > 200
    assert tables.find("flash", "queued").within(0.0, 0.5) < 10


def test_names_without_end_share_one_table() -> None:
    tables = Tables(abilities())
    for n in range(MOST + 50):
        tables.find(f"job-{n}", "dreaming")
    shared = tables.find("another", "dreaming")
    assert shared is tables.find(UNKNOWN, "dreaming")
    assert len(tables) == MOST + 1
    assert tables.find("job-1", "dreaming") is not shared


def test_a_name_that_is_no_name_counts_as_unknown() -> None:
    tables = Tables(abilities())
    odd = tables.find("x" * (LONGEST_NAME + 1), "queued")
    assert odd is tables.find(UNKNOWN, "queued")


def test_only_what_has_learned_since_is_saved_again() -> None:
    tables = Tables(abilities())
    tables.find("ray", "dreaming").changed(10.0, 20.0)
    tables.find("ray", "queued")
    assert [(one.model, one.state) for one in tables.unsaved()] == [("ray", "dreaming")]
    assert tables.unsaved() == []
    tables.find("ray", "dreaming").exposed(0.0, 5.0)
    tables.find("ray", "queued").exposed(0.0, 5.0)
    assert len(tables.unsaved()) == 2


def test_what_was_saved_is_there_again_and_needs_no_saving() -> None:
    tables = Tables(abilities())
    for n in range(40):
        tables.find("ray", "dreaming").changed(20.0 + n, 30.0 + n)
    again = Tables(abilities(), tables.unsaved())
    assert again.find("ray", "dreaming").n == tables.find("ray", "dreaming").n
    assert again.find("ray", "dreaming").changes == pytest.approx(40, rel=0.05)
    assert again.unsaved() == []


def test_two_replicas_know_together_what_each_has_learned() -> None:
    one, other = Tables(abilities()), Tables(abilities())
    one.find("ray", "dreaming").changed(20.0, 30.0)
    other.find("ray", "dreaming").changed(40.0, 50.0)
    both = Tables(abilities(), [*one.unsaved(), *other.unsaved()])
    assert sum(both.find("ray", "dreaming").n) == pytest.approx(2, rel=0.01)


def test_plans_are_made_only_while_looks_are_few() -> None:
    tables, draw = Tables(abilities()), Random(2)
    table = tables.find("ray", "dreaming")
    for n in range(600):
        end = (20 if n % 5 < 3 else 180) * math.exp(0.2 * draw.gauss(0, 1))
        table.exposed(0.0, end * 0.97)
        table.changed(end * 0.97, end)
    tables.replan(table.integral / 24)
    assert table.plan is None
    tables.replan(table.integral / 2.5)
    few = table.plan
    assert few is not None
    assert few.points
    tables.replan(table.integral / 2.51)
    assert table.plan is few
    tables.replan(table.integral / 24)
    assert table.plan is None
