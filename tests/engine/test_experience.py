"""What looks have taught is kept: over restarts, replaced pollers, and a store that is away."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import pytest

from bridge.core.pacing.grid import BINS, LAYOUT
from bridge.core.pacing.heirloom import Heirloom, key_of, own_parts
from bridge.core.pacing.prior import log_logistic
from bridge.core.pacing.saved import MOST, SavedTable
from bridge.core.pacing.table import Table
from bridge.core.settings import Source
from bridge.engine.experience import Experience
from bridge.errors import StoreBroken, StoreUnavailable
from tests.engine.rig import Lines, source
from tests.fakes.clock import VirtualClock
from tests.fakes.upstream import FakeUpstream

pytestmark = pytest.mark.anyio


def table(model: str = "ray-2", weight: float = 4.0) -> SavedTable:
    n = [0.0] * BINS
    n[7] = weight
    return SavedTable(
        model=model, state="*", layout=LAYOUT, n=tuple(n), x=tuple(n), weight=weight
    )


@dataclass
class Shelf:
    """A store of learned tables, as a test tells it."""

    others: dict[str, list[SavedTable]] = field(default_factory=dict)
    kept: dict[str, dict[tuple[str, str], SavedTable]] = field(default_factory=dict)
    writes: int = 0
    broken: Exception | None = None

    async def pace(self, source: str) -> Heirloom:
        if self.broken is not None:
            raise self.broken
        own = self.kept.get(source, {}).values()
        return Heirloom(own=tuple(own), others=tuple(self.others.get(source, ())))

    async def save_pace(self, source: str, tables: Sequence[SavedTable]) -> None:
        if self.broken is not None:
            raise self.broken
        self.writes += 1
        self.kept.setdefault(source, {}).update({key_of(one): one for one in tables})


@dataclass
class FakePupil:
    """A poller that has learnt what a test says."""

    source: Source
    news: list[SavedTable] = field(default_factory=list)
    learnt: list[SavedTable] = field(default_factory=list)

    def tables(self) -> Sequence[SavedTable]:
        found, self.news = self.news, []
        return found

    def learn(self, saved: Iterable[SavedTable]) -> None:
        self.learnt = list(saved)


def pupil(name: str = "luma", *news: SavedTable) -> FakePupil:
    kind = source(FakeUpstream(VirtualClock()))
    return FakePupil(source=replace(kind, name=name), news=list(news))


class Scene:
    def __init__(self, *pupils: FakePupil) -> None:
        self.shelf, self.log = Shelf(), Lines()
        self.pupils = list(pupils)
        self.experience = self.restarted()

    def restarted(self) -> Experience:
        return Experience(self.shelf, lambda: self.pupils, log=self.log)


async def test_what_is_learnt_is_kept_and_taught_to_the_next_poller() -> None:
    scene = Scene(pupil("luma", table()), pupil("aiml", table("m", 2.0)))
    await scene.experience.save()
    scene.pupils = [pupil("luma"), pupil("aiml")]
    await scene.restarted().load()
    assert [one.learnt for one in scene.pupils] == [[table()], [table("m", 2.0)]]


async def test_a_poller_is_taught_once_and_its_successor_again() -> None:
    scene = Scene(pupil("luma", table()))
    await scene.experience.save()
    (first,) = scene.pupils
    assert first.learnt == []
    await scene.experience.load()
    assert first.learnt == []
    scene.pupils = [pupil()]
    await scene.experience.load()
    assert scene.pupils[0].learnt == [table()]


async def test_what_has_not_changed_is_not_written_again() -> None:
    scene = Scene(pupil("luma", table()), pupil("aiml"))
    await scene.experience.save()
    await scene.experience.save()
    assert scene.shelf.writes == 1


async def test_nothing_takes_the_place_of_tables_that_could_not_be_loaded() -> None:
    scene = Scene(pupil("luma", table(weight=1.0)))
    scene.shelf.kept["luma"] = {key_of(table()): table()}
    scene.shelf.broken = StoreUnavailable("away")
    await scene.experience.load()
    await scene.experience.save()
    scene.shelf.broken = None
    (one,) = scene.pupils
    assert one.news
    await scene.experience.save()
    assert one.learnt == [table()]


async def test_what_could_not_be_kept_is_kept_later_in_its_latest_form() -> None:
    scene = Scene(pupil())
    await scene.experience.load()
    scene.shelf.broken = StoreUnavailable("away")
    scene.pupils[0].news = [table("a", 1.0), table("b", 1.0)]
    await scene.experience.save()
    scene.pupils[0].news = [table("a", 2.0)]
    await scene.experience.save()
    scene.shelf.broken = None
    await scene.experience.save()
    kept = scene.shelf.kept["luma"]
    assert {one.model: one.weight for one in kept.values()} == {"a": 2.0, "b": 1.0}
    assert scene.log.phrases("warning", "error") == []


async def test_a_broken_store_ends_the_daemon() -> None:
    scene = Scene(pupil("luma", table()))
    scene.shelf.broken = StoreBroken("corrupt")
    with pytest.raises(StoreBroken):
        await scene.experience.save()


async def test_what_others_have_learnt_is_used_and_not_kept_as_our_own() -> None:
    scene = Scene(pupil())
    scene.shelf.kept["luma"] = {key_of(table()): table(weight=4.0)}
    scene.shelf.others["luma"] = [table(weight=2.0), table("theirs", 8.0)]
    await scene.experience.load()
    (one,) = scene.pupils
    assert {t.model: t.weight for t in one.learnt} == {"ray-2": 6.0, "theirs": 8.0}
    # Half of what it began with has faded, and five new ones have come.
    one.news = [replace(table(weight=8.0), faded=0.5), replace(table("theirs"), faded=0.5)]
    await scene.experience.save()
    kept = {t.model: t for t in scene.shelf.kept["luma"].values()}
    assert (kept["ray-2"].weight, kept["ray-2"].n[7]) == (7.0, 7.0)
    assert kept["theirs"].weight == 0.0


async def test_of_a_sum_that_is_thinned_the_lent_part_is_thinned_alike() -> None:
    found = Heirloom(own=(table(weight=MOST),), others=(table(weight=MOST),))
    (whole,) = found.whole()
    assert whole.weight == pytest.approx(MOST)
    (own,) = own_parts([whole], found.lent())
    assert own.weight == own.n[7] == pytest.approx(MOST / 2)


async def test_what_is_ours_of_a_real_table_is_what_it_learnt_itself() -> None:
    lent = table(weight=300.0)
    real = Table(log_logistic(60.0), lent)
    for _ in range(500):
        real.looked(50.0, 70.0, changed=True)
    alone = Table(log_logistic(60.0))
    for _ in range(500):
        alone.looked(50.0, 70.0, changed=True)
    found = Heirloom(others=(lent,))
    (own,) = own_parts([real.saved("ray-2", "*")], found.lent())
    assert own.weight == pytest.approx(alone.changes)
    assert sum(own.n) == pytest.approx(sum(alone.n))
    assert min(own.n) >= 0.0
