"""How long one state of one model lasts at one source, learned from looks alone.

A look says only that a generation had not changed at one age, and had at a later one. Each adds to
the changes `n` and the seconds at risk `x` of the bins between (DETECTION.md, section 2). Old jobs
fade: instead of all sums shrinking at each change, the `unit` in which new ones are added grows,
so that a look costs what it touches and not 96 bins.

Free of chance and of clocks: the same looks make the same bits. A decision costs a bisection or
two; only every so many changes the curves are made anew (about 100 µs).
"""

import math
from bisect import bisect_right
from collections.abc import Sequence

from bridge.core.pacing.curve import learnt
from bridge.core.pacing.few import Plan
from bridge.core.pacing.grid import BINS, EDGES, LAYOUT, bin_of
from bridge.core.pacing.prior import Prior
from bridge.core.pacing.saved import SavedTable

HALF_LIFE = 600
"""Changes after which a job counts half: two days of 300 jobs."""

GROWTH: float = 2.0 ** (1.0 / HALF_LIFE)

STRAIN_STEPS, STRAIN_CAP = 20, 4.0
"""The running mean of what was expected for each change: over 20 of them, each counted up to 4."""

CALM = (0.5, 1.7)
"""Between these it is chance: the mean is 1 while the table is right, and 0.16 off at times."""

DRIFT_FROM, DRIFT_KEEPS = 10.0, 0.1
"""Changes below which nothing is called a drift, and the share of the past that a drift leaves."""

LOOK_FRESHNESS, LEAST_FRESH, MOST_FRESH = 0.1, 1.0, 20.0
"""An unchanged look counts a tenth of a change; curves are made anew at 5 % new weight, but not
more often than each change nor more seldom than every 20."""

NEW = 0.05
"""That share. Where nothing changes at all the looks since the last change are the weight, however
many they are."""

HUGE = 2.0**64
"""Units beyond it are scaled down, by a power of two: no bit of any ratio changes."""

STALLED, STALLED_FROM = 1.0 / 3000.0, 100
"""Survival below which a generation hangs, and the changes from which survival is believed."""

STALLED_PRIOR = 10.0
"""Times the median that was believed at first; what hangs before enough changes were seen."""

_FLAT = 1e-7
"""A cumulative hazard in which differences of survivals are lost in rounding."""


class Table:
    """What is learnt of one (model, state) of one source. Ages and risks are in seconds.

    `changes` is the weight of all changes seen, the older the less; `strain` the running mean
    of expected changes for each seen one, `drifts` how often it showed that the past is out of
    date. `curve` is what decisions read, replaced from time to time; `version` counts these,
    `looks` all that was learnt. `stalled_from` is the age from which on what has not changed
    counts as stalled. `plan` replaces Φ where it is better (`few`); `Tables.replan`
    keeps it.
    """

    __slots__ = (
        "_faded",
        "_fresh",
        "_n",
        "_owed",
        "_own",
        "_quiet",
        "_unit",
        "_x",
        "changes",
        "curve",
        "drifts",
        "looks",
        "plan",
        "prior",
        "stalled_from",
        "strain",
        "version",
    )

    def __init__(self, prior: Prior, saved: SavedTable | None = None) -> None:
        self.prior = prior
        self.plan: Plan | None = None
        self.strain, self.changes = 1.0, 0.0
        self.drifts = self.looks = self.version = 0
        self._n, self._x = [0.0] * BINS, [0.0] * BINS
        self._unit, self._faded, self._own = 1.0, 1.0, 1.0
        self._fresh = self._owed = self._quiet = 0.0
        if saved is not None:
            self._n, self._x = list(saved.n), list(saved.x)
            self.changes, self.strain = saved.weight, saved.strain
        self._rebuild()

    # ---------------------------------------------------------------- what it says

    @property
    def integral(self) -> float:
        """I: the mean of Φ at the change."""
        return self.curve.integral

    def next(self, last: float, price: float) -> float:
        """Return the age of the next look after one at the age `last`; always later than it."""
        return self.curve.next(last, price)

    def within(self, age: float, share: float) -> float:
        """Return the age by which a share of those has changed that had not at `age`."""
        return self.curve.within(age, share)

    def survival(self, age: float) -> float:
        """Return the share that is unchanged at an age."""
        return self.curve.survival(age)

    # ---------------------------------------------------------------- what it learns

    def exposed(self, last: float, age: float) -> None:
        """Learn that nothing had changed at `age` either: `last` is the look before.

        Also how a watch is noted that ends before its generation does: unwatched, lost.
        """
        self.exposed_all(((last, age),))

    def exposed_all(self, spans: Sequence[tuple[float, float]]) -> None:
        """Learn the same of many, each with its own ages of two looks in a row.

        One loop without calls: 100,000 watches are looked at ten thousand times a second.
        """
        hazard, load, unit, x = self.curve.hazard, self.curve.load, self._unit, self._x
        owed = self._owed
        for last, age in spans:
            left = last if last > 0.0 else 0.0  # noqa: FURB136  (`max` takes as long as ten lines)
            if age <= left:
                continue
            b = bisect_right(EDGES, left, 0, BINS) - 1
            before = load[b] + (left - EDGES[b]) * hazard[b]
            while b < BINS - 1 and age > EDGES[b + 1]:
                x[b] += unit * (EDGES[b + 1] - left)
                b += 1
                left = EDGES[b]
            x[b] += unit * (age - left)
            after = load[b] + (age - EDGES[b]) * hazard[b]
            if after <= STRAIN_CAP:
                owed += after - before
            elif before < STRAIN_CAP:
                owed += STRAIN_CAP - before
        self._owed = min(STRAIN_STEPS, owed)
        self._quiet += len(spans) * LOOK_FRESHNESS
        self._learnt(len(spans), len(spans) * LOOK_FRESHNESS)

    def changed(self, last: float, age: float, opened: float = 0.0) -> None:
        """Learn that it changed after the age `last` and before or at `age`.

        `opened` is the age at which it was first looked at. One that was very old then says
        nothing of how surprising its change is.
        """
        last = max(0.0, last)
        age = max(last, age)
        load = self._load(last)
        own = load + _expected(self._load(age) - load)
        self._expect(own - load)
        self._spread(last, age)
        self._unit *= GROWTH
        self._faded /= GROWTH
        self.changes = self.changes / GROWTH + 1.0
        if self._load(max(0.0, opened)) < STRAIN_CAP:
            self._strained(own - min(load, self._load(max(0.0, opened))))
        self._quiet = 0.0
        self._learnt(1, 1.0)

    def looked(self, last: float, age: float, changed: bool, opened: float = 0.0) -> None:
        """Learn from a look at `age`, whose watch was unchanged at the age `last`."""
        if changed:
            self.changed(last, age, opened)
        else:
            self.exposed(last, age)

    def _spread(self, last: float, age: float) -> None:
        """Add one change in (last, age] where the curves expect it, and the risk up to there.

        The expectation step for interval-censored times: with G the survival from `last` and
        G_b that at `age`, bin k gets ΔG_k / (1-G_b) changes and (ΔG_k/h_k - G_b·w_k) / (1-G_b)
        seconds of its width w_k.
        """
        hazard, load, unit = self.curve.hazard, self.curve.load_at(last), self._unit
        total = self.curve.load_at(age) - load
        if total < _FLAT:
            self._spread_evenly(last, age, total)
            return
        after, fell, alive = math.exp(-total), -math.expm1(-total), 1.0
        end, left = bin_of(age), last
        for b in range(bin_of(last), end + 1):
            right = age if b == end else EDGES[b + 1]
            width = right - left
            drop = -alive * math.expm1(-hazard[b] * width)
            risk = (drop / hazard[b] - after * width) / fell
            self._n[b] += unit * drop / fell
            self._x[b] += unit * min(width, max(0.0, risk))
            alive -= drop
            left = right

    def _spread_evenly(self, last: float, age: float, total: float) -> None:
        """Do the same to first order, where the exact differences would drown in rounding."""
        hazard, unit, end = self.curve.hazard, self._unit, bin_of(age)
        if total <= 0.0:
            self._n[end] += unit
            return
        rest, left = total, last
        for b in range(bin_of(last), end + 1):
            right = age if b == end else EDGES[b + 1]
            width = right - left
            load = hazard[b] * width
            rest = max(0.0, rest - load)
            self._n[b] += unit * load / total
            self._x[b] += unit * min(width, width * (rest + load / 2) / total)
            left = right

    def _load(self, age: float) -> float:
        """Return the cumulative hazard, as far as it counts for the strain.

        Those that hang would otherwise outweigh all others.
        """
        return min(STRAIN_CAP, self.curve.load_at(age))

    def _expect(self, load: float) -> None:
        """Note that so many changes were expected between the last look at a watch and this one."""
        self._owed = min(STRAIN_STEPS, self._owed + load)

    def _strained(self, own: float) -> None:
        """Weigh a change against what was expected: of its own watch, and of all since the last.

        Both means are 1 while the table is right, and only where both are off it is a drift. Of a
        crowd that begins at once the first to end are the short ones, so that the own ones are
        too low at first; what is expected of all is right then, but comes too early or too late
        where a crowd passes through a bin in which the law is not flat.
        """
        if self.changes <= DRIFT_FROM:
            self._owed = 0.0
            return
        expected = min(STRAIN_CAP, self._owed)
        self._owed -= expected
        self.strain += (expected - self.strain) / STRAIN_STEPS
        self._own += (own - self._own) / STRAIN_STEPS
        low, high = CALM
        if max(self.strain, self._own) < low or min(self.strain, self._own) > high:
            self._drift()

    def _drift(self) -> None:
        """Keep a tenth of the past: the durations are no longer what they were."""
        self._unit /= DRIFT_KEEPS
        self._faded *= DRIFT_KEEPS
        self.changes *= DRIFT_KEEPS
        self.strain, self._own, self._owed = 1.0, 1.0, 0.0
        self.drifts += 1
        self._fresh = MOST_FRESH

    def _learnt(self, looks: int, freshness: float) -> None:
        self.looks += looks
        self._fresh += freshness
        if self._fresh < LEAST_FRESH:
            return
        if self._fresh >= max(min(MOST_FRESH, NEW * self.changes), NEW * self._quiet):
            self._rebuild()

    def _rebuild(self) -> None:
        self._fresh = 0.0
        self.version += 1
        if self._unit > HUGE:
            self._scale_down()
        unit = self._unit
        self.curve = learnt(
            [p + v / unit for p, v in zip(self.prior.n, self._n, strict=True)],
            [p + v / unit for p, v in zip(self.prior.x, self._x, strict=True)],
        )
        believed = round(self.changes) >= STALLED_FROM
        self.stalled_from = (
            self.curve.age_of_load(-math.log(STALLED))
            if believed
            else STALLED_PRIOR * self.prior.median
        )

    def _scale_down(self) -> None:
        self._n = [v / HUGE for v in self._n]
        self._x = [v / HUGE for v in self._x]
        self._unit /= HUGE

    # ---------------------------------------------------------------- what is kept

    @property
    def n(self) -> tuple[float, ...]:
        """Changes in each bin, in unit 1, without the prior's."""
        return tuple(v / self._unit for v in self._n)

    @property
    def x(self) -> tuple[float, ...]:
        """Seconds at risk in each bin, in unit 1, without the prior's."""
        return tuple(v / self._unit for v in self._x)

    def saved(self, model: str, state: str) -> SavedTable:
        """Return what is learnt, to be kept and handed to another table later."""
        return SavedTable(
            model=model,
            state=state,
            layout=LAYOUT,
            n=self.n,
            x=self.x,
            weight=self.changes,
            strain=self.strain,
            faded=self._faded,
        )


def _expected(load: float) -> float:
    """Return the cumulative hazard up to a change somewhere in an interval of that much of it."""
    if load < _FLAT:
        return load / 2
    return 1.0 + load * math.exp(-load) / math.expm1(-load)
