"""The pacer of one source: what a look costs now, which way to look, and when each watch is due."""

from collections.abc import Sequence
from datetime import timedelta
from math import inf

from bridge.core.pacing import due, opening
from bridge.core.pacing.capacity import Saturation, missing, plight
from bridge.core.pacing.due import Bounds
from bridge.core.pacing.mode import Chooser, Load, Mode, offers
from bridge.core.pacing.price import SHARE, Price, sampled
from bridge.core.pacing.rung import Rung
from bridge.core.pacing.waiting import gathered
from bridge.core.ports import Log
from bridge.core.settings import Source
from bridge.engine.arrivals import Arrivals
from bridge.engine.footing import Footing
from bridge.engine.holds import Holds
from bridge.engine.learner import Learner
from bridge.engine.roster import Roster
from bridge.engine.rounds import Rounds
from bridge.engine.running import Running
from bridge.engine.survey import HOLDING, JUDGED, Survey

TICK = 1.0
"""Seconds between two reckonings of the price."""

GROWN, CROWD = 2, 50
"""A crowd is judged at once: it makes those watched so many times as many, and so many more."""

CAUTION = SHARE
"""Times what holding is reckoned to take, once it is begun: by then all of the rate may be used,
and only holds that begin late end it. Else it would come and go with the chance of a minute."""

SETTLED = 60.0
"""Seconds after a switch until holds are open that all begin at once."""

ROUNDS = 3.0
"""Rounds through the listing that may pass over a watch before it is looked at by itself."""

BEHIND, LATE = 10.0, 5.0
"""Seconds that a look is overdue before the source counts as behind, and a hold as late."""


class Pacer:
    """Prices and modes of one source. Moments are monotonic seconds."""

    def __init__(
        self,
        source: Source,
        *,
        roster: Roster,
        learner: Learner,
        holds: Holds,
        rounds: Rounds,
        footing: Footing,
        log: Log,
    ) -> None:
        self._source = source
        self._abilities = source.provider.abilities
        self._roster = roster
        self._learner = learner
        self._holds = holds
        self._rounds = rounds
        self._footing = footing
        self._log = log
        self._rate = source.rate.per_second
        self._share = 1.0
        self._chooser = Chooser()
        self._bounds = Bounds(
            floor=self._abilities.floor.total_seconds(),
            longest=source.interval.total_seconds(),
        )
        self._least_gain = 0.0
        self._saturation = Saturation()
        self._survey = Survey(
            source,
            roster=roster,
            learner=learner,
            holds=holds,
            rounds=rounds,
            footing=footing,
        )
        self.mode = self._chooser.mode
        """How the source is looked at."""
        self._ticked = -inf
        self._turn = self._judged = 0
        self.price = Price.of(looks=source.looks, rate=self._rate)
        self._arrivals = Arrivals()
        self.sentence: str | None = None
        """What is missing, in words, where the rate does not suffice."""
        self.lacking = 0.0
        """How many requests a second are missing."""
        learner.tell(self.price.admitted)

    @property
    def why(self) -> str:
        """Why so, for people."""
        return self._chooser.why

    @property
    def rate(self) -> float:
        """How many requests a second may be made here now."""
        return self._rate * self._share

    def share(self, living: int) -> None:
        """Plan with this replica's part of the rate, as one of so many."""
        self._share = 1.0 / living

    # ---------------------------------------------------------------- when

    def when(self, running: Running, now: float) -> float:
        """Return the moment from which a watch may be looked at, as things stand."""
        rung = running.rung
        if running.urgent or rung.seen is None:
            return rung.not_before
        if self.mode in HOLDING and self.holding(running, now):
            at = self._opens(rung)
        elif running.listed and self.mode is Mode.LIST:
            at = self._unlisted(rung)
        elif self.price.idle:
            at = due.early(rung, self.price, self._bounds)
        else:
            at = due.at(rung, self.price, self._bounds)
        at = max(at, self._arrivals.full_until)
        return min(at, running.deadline) if rung.seen < running.deadline else at

    def _opens(self, rung: Rung) -> float:
        """Return when the next hold of a watch begins: before it, hardly anything changes."""
        since = rung.entered if rung.seen is None else rung.seen
        opened = rung.entered + opening.opening(rung.table.curve)
        at = min(opened, since + self._bounds.longest)
        at = max(rung.not_before, since + self._bounds.floor, at)
        return gathered(at) if self._holds.together > 1 else at

    def _unlisted(self, rung: Rung) -> float:
        """Return when to look at a watch of which the listing should have spoken by then.

        A listing may break while everything else works; and while nothing is sound there are no
        rounds, but somebody has to be the probe.
        """
        since = rung.entered if rung.seen is None else rung.seen
        return self._bounds.kept(rung, since + ROUNDS * max(TICK, self.every or 0.0))

    def next(self, running: Running, now: float) -> float:
        """Return when the rule is asked again about a watch that was just looked at."""
        running.due, running.priced = self.when(running, now), self.going
        return self.wake(running.due, now)

    def reckoned(
        self, watches: Sequence[Running], now: float
    ) -> list[tuple[Running, float]]:
        """Reckon when each of these is due, and return when the rule is asked again, as `next`.

        Where they are not held and no listing tells of them, in one pass.
        """
        if self.mode in HOLDING or self.mode is Mode.LIST:
            return [(one, self.next(one, now)) for one in watches]
        ats = due.moments(
            [one.rung for one in watches],
            self.price,
            self._bounds,
            early=self.price.idle,
        )
        full, latest = self._arrivals.full_until, now + due.nap(len(self._roster))
        going, found = self.going, []
        for one, at in zip(watches, ats, strict=True):
            new = one.urgent or one.rung.seen is None
            usual = not new and at < one.deadline
            due_at = max(at, full) if usual else self.when(one, now)
            one.due, one.priced = due_at, going
            wake = min(due_at, latest)
            found.append((one, max(now, wake)))
        return found

    @property
    def going(self) -> float:
        """The price of a look now; who was due at no lower one still is."""
        return self.price.least if self.price.idle else self.price.value

    def settled(self, now: float) -> bool:
        """Return whether no crowd waits for its first look."""
        return self._arrivals.full_until <= now

    def wake(self, at: float, now: float) -> float:
        """Return when to ask again about a watch that is due `at`."""
        return due.wake(at, now, len(self._roster))

    def ready(self, running: Running, now: float) -> bool:
        """Return whether a watch may be added to a request that is made anyway."""
        seen = running.rung.seen
        since = seen is None or now - seen >= max(due.LEAST, self._bounds.floor)
        return since and now >= running.rung.not_before

    def holding(self, running: Running, now: float) -> bool:
        """Return whether the next look at a watch is a hold."""
        if self.mode not in HOLDING or running.errors or not self._holds.may(now):
            return False
        if not self._footing.sound:
            return False  # a probe has to be answered soon
        if self.mode is Mode.HOLD_ALL:
            return True
        return self._gain(running, now) >= self._least_gain

    def _gain(self, running: Running, now: float) -> float:
        rung = running.rung
        age, limit = rung.age(now), self._holds.limit
        return opening.gain(rung.table.curve, rung.last, age, limit, rung.weight)

    @property
    def holds_any(self) -> bool:
        """Whether holds are what this source is looked at with."""
        return self.mode in HOLDING

    @property
    def every(self) -> float | None:
        """Seconds from one round of the listing to the next, None: it is not the way of looking."""
        chosen = self._chooser.chosen
        return chosen.every if chosen is not None and chosen.mode is Mode.LIST else None

    def batch(self, now: float) -> int:
        """Return of how many generations a request may ask."""
        if self._abilities.batch is None or self._footing.off(Mode.BATCH, now):
            return 1
        return self._abilities.batch

    def first(
        self, arrived: Sequence[tuple[Running, timedelta]], now: float
    ) -> Sequence[tuple[Running, float]]:
        """Return when each who is taken up is looked at first, and not before its wait is over."""
        return self._arrivals.first(arrived, now, self.rate * self.batch(now))

    # ---------------------------------------------------------------- each second

    def tick(self, now: float, rate: float) -> bool:
        """Reckon anew for so many requests a second, once a second; return whether it did."""
        watching = len(self._roster)
        if now - self._ticked < TICK and not self._crowded(watching):
            return False
        self._ticked, self._rate = now, rate
        self._turn += 1
        self.price.bucket.rate = SHARE * self.rate * self._ids(now)
        sample = [
            (one.rung.weight, one.rung.hazard(now))
            for one in sampled(self._roster.all, self._turn)
        ]
        self.price.reckon(now, sample, watching)
        self._learner.tables.replan(self.price.value)
        if watching and (self._chooser.due(now) or self._crowded(watching)):
            self._judge(now, watching)
        return True

    def _ids(self, now: float) -> float:
        """Return of how many generations a request asks, as things stand."""
        if self.holds_any:
            return 1
        if self.mode is Mode.LIST:
            return max(1.0, self._rounds.ids)
        return min(self.batch(now), max(1, len(self._roster)))

    def _crowded(self, watching: int) -> bool:
        """Return whether so many were not reckoned with when the mode was judged."""
        if self._chooser.chosen is None:
            return watching > 0
        return watching > max(GROWN * self._judged, self._judged + CROWD)

    def _judge(self, now: float, watching: int) -> None:
        self._judged = watching
        overdue = now - (self._roster.next() or inf)
        mean = self.price.admissions.integral() or 1.0
        # Holds that begin late show that they take more than was reckoned.
        settled = now - self._chooser.switched_at > SETTLED
        late = self.holds_any and settled and overdue > LATE
        caution = inf if late else CAUTION if self.holds_any else 1.0
        load = self._survey.load(now, mean, caution)
        offered = offers(load, self._survey.means(self.rate), self._survey.off(now))
        switched = self._chooser.judge(offered, now, behind=overdue > BEHIND)
        self.mode = self._chooser.mode
        if switched:
            self._log.info(
                "looking another way",
                source=self._source.name,
                mode=str(self.mode),
                reason=self.why,
            )
        self._choose_held(now, load)
        self._say_saturation(now, load)

    def _choose_held(self, now: float, load: Load) -> None:
        """Set the mass of change from which on a watch is held, where not all can be."""
        chosen = self._chooser.chosen
        self._least_gain = 0.0
        if chosen is None or chosen.mode is not Mode.HOLD_SOME:
            return
        sample = sampled(self._roster.all, self._turn, JUDGED)
        gains = sorted((self._gain(one, now) for one in sample), reverse=True)
        place = int(len(gains) * chosen.holds / max(1, load.watching))
        self._least_gain = gains[place] if place < len(gains) else 0.0

    def _say_saturation(self, now: float, load: Load) -> None:
        """Say aloud, once, that the rate does not suffice, and by how much."""
        self._saturation.note(now, at_cap=self.price.capped)
        if not self._saturation.lasts(now):
            self.sentence, self.lacking = None, 0.0
            return
        said = self.sentence is not None
        batch = round(self._ids(now))
        self.lacking = max(0.0, missing(load.changes, self.rate, batch))
        self.sentence = plight(self._source.name, load.changes, self.rate, batch)
        if not said:
            self._log.warning(
                "the rate does not suffice", source=self._source.name, reason=self.sentence
            )
