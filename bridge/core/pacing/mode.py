"""Which way a source is looked at: the least predicted delay wins (DETECTION §5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import inf

from bridge.core.pacing.capacity import by_lists

JUDGED_EVERY = 10.0
"""Seconds from one judgement to the next."""

WORTH = 0.7
"""The share of the delay of now below which another mode is worth a switch."""

SWITCHED_EVERY = 60.0
"""Seconds between two switches at least."""

COVERED = 0.5
"""The share of the watches that a listing must speak of."""

PARTS = 16
"""How finely the number of holds is chosen where not all can be held."""


class Mode(StrEnum):
    """How the running watches of one source are looked at; before it, the better at equal delay."""

    HOLD_ALL = "hold all"
    HOLD_SOME = "hold some"
    BATCH = "batch"
    PLAIN = "plain"
    LIST = "list"


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a source has to see, summed over its running watches; times in seconds.

    `watching` of them, `ripe` ones old enough to be held. `changes` a second, `held_starts`
    requests a second that holding all costs by the changes (`opening.requests` for each; where a
    hold waits for many, one for a change, and one for those who begin to wait),
    `births` of generations a second in the whole account. `roots` Σ√(w·h), `hazards` Σh, and
    `integral` the mean I of a rung, as the price takes them.
    """

    watching: int
    ripe: int
    changes: float
    held_starts: float
    births: float = 0.0
    roots: float
    hazards: float
    integral: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What a source may do; times in seconds.

    `rate`: requests a second that are planned with. `looks`: of one rung, at most. `floor`: the
    least time between two looks at one generation. `hold`: how long it holds, None: never;
    `held_ids`: generations that one hold waits for (more than one only where a batch waits for
    any); `holds`: connections for them. `batch`: ids that one request asks about. `page`:
    generations on one page of a listing, None: there is none; `pages` of a whole round, None:
    not known yet; `covered`: the share of the watches that it speaks of.
    """

    rate: float
    looks: int
    floor: float = 0.0
    hold: float | None = None
    held_ids: int = 1
    holds: int = 0
    batch: int = 1
    page: int | None = None
    pages: int | None = None
    covered: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """The mean delay that a mode promises, and why: seconds, infinite where it falls behind.

    `barred`: it cannot be had at all. `holds`: generations to hold at once; `every`: seconds
    from one round of the listing to the next.
    """

    mode: Mode
    delay: float = inf
    why: str
    barred: bool = False
    holds: int = 0
    every: float = 0.0


def offers(
    load: Load, means: Means, off: Mapping[Mode, str] | None = None
) -> Sequence[Offer]:
    """Return what each mode promises; `off` names those that are switched off, and why."""
    barred = off or {}
    ways = (_hold_all, _hold_some, _batch, _plain, _list)
    return [
        Offer(mode=mode, why=barred[mode], barred=True)
        if mode in barred
        else of(load, means)
        for mode, of in zip(Mode, ways, strict=True)
    ]


# ---------------------------------------------------------------- each mode's delay


def _looked(load: Load, means: Means, rate: float, share: float = 1.0) -> float:
    """Return the delay s·I/2 of plain looks at a share of the watches, so many a second."""
    if rate <= 0.0:
        return inf
    roots, hazards = share * load.roots, share * load.hazards
    by_looks = load.integral / (means.looks - 0.5)
    by_rate = roots / max(rate - hazards / 2, rate / 2)
    return max(max(by_looks, by_rate) * load.integral / 2, means.floor / 2)


def _hold_cost(load: Load, means: Means, hold: float) -> float:
    """Return the requests a second that holding all ripe watches costs.

    Each hold begins anew when it ends: by the changes of now, and at least by its own limit.
    """
    return max(load.held_starts, load.ripe / (means.held_ids * hold))


def _hold_all(load: Load, means: Means) -> Offer:
    if means.hold is None:
        return Offer(mode=Mode.HOLD_ALL, why=_NO_HOLDS, barred=True)
    cost, room = _hold_cost(load, means, means.hold), means.holds * means.held_ids
    why = (
        f"holding {load.ripe} takes {cost:.3g} of {means.rate:.3g} requests/s "
        f"and has room for {room}"
    )
    # Of those that began together none is ripe, and soon all are.
    fits = cost <= means.rate and max(load.ripe, load.watching / 2) <= room
    return Offer(mode=Mode.HOLD_ALL, delay=0.0 if fits else inf, why=why, holds=room)


_NO_HOLDS = "the provider does not hold"


def _hold_some(load: Load, means: Means) -> Offer:
    if means.hold is None:
        return Offer(mode=Mode.HOLD_SOME, why=_NO_HOLDS, barred=True)
    room = min(load.ripe, means.holds * means.held_ids)
    each = _hold_cost(load, means, means.hold) / max(1, load.ripe)
    delay, held = inf, 0
    for part in range(PARTS, 0, -1):
        number = room * part // PARTS
        share = 1.0 - number / max(1, load.ripe)
        rest = means.rate - number * each
        late = _unheld(load, means, rest, share)
        if number and late < delay:
            delay, held = late, number
    why = f"{held} of {load.ripe} held, plain looks at the others"
    return Offer(mode=Mode.HOLD_SOME, delay=delay, why=why, holds=held)


def _unheld(load: Load, means: Means, rest: float, share: float) -> float:
    """Return the delay where a share is not held and so many requests are left for it."""
    if share <= 0.0:
        return 0.0 if rest >= 0.0 else inf
    return share * _looked(load, means, rest, share)


def _batch(load: Load, means: Means) -> Offer:
    if means.batch <= 1:
        why = "the provider has no batches"
        return Offer(mode=Mode.BATCH, why=why, barred=True)
    ids = means.rate * min(means.batch, max(1, load.watching))
    why = f"{ids:.3g} ids/s in batches of {means.batch}"
    return Offer(mode=Mode.BATCH, delay=_looked(load, means, ids), why=why)


def _plain(load: Load, means: Means) -> Offer:
    why = f"{load.watching} watched with {means.rate:.3g} looks/s"
    return Offer(mode=Mode.PLAIN, delay=_looked(load, means, means.rate), why=why)


def _list(load: Load, means: Means) -> Offer:
    if means.page is None:
        return Offer(mode=Mode.LIST, why="the provider has no list", barred=True)
    if means.pages is None or means.covered < COVERED:
        why = "the list is not known to cover half of the watches"
        return Offer(mode=Mode.LIST, why=why, barred=True)
    whole = means.covered >= 1.0
    rate = means.rate if whole else means.rate / 2
    if not by_lists(rate, means.page, load.births):
        return Offer(mode=Mode.LIST, why="more is made than the list can tell of")
    by_looks = load.integral**2 / (means.looks - 0.5)
    every = max(means.pages / rate, by_looks, means.floor)
    rest = 0.0 if whole else _looked(load, means, rate, 1.0 - means.covered)
    delay = means.covered * every / 2 + (1.0 - means.covered) * rest
    why = (
        f"{means.pages} pages every {every:.3g} s cover {means.covered:.0%} of the watches"
    )
    return Offer(mode=Mode.LIST, delay=delay, why=why, every=every)


# ---------------------------------------------------------------- the choice


@dataclass(slots=True, kw_only=True)
class Chooser:
    """The mode of one source, and when it may change; moments in seconds."""

    chosen: Offer | None = None
    judged_at: float = -inf
    switched_at: float = -inf

    @property
    def mode(self) -> Mode:
        """How to look now."""
        return Mode.PLAIN if self.chosen is None else self.chosen.mode

    @property
    def why(self) -> str:
        """Why so, for people."""
        return "nothing is known yet" if self.chosen is None else self.chosen.why

    def due(self, now: float) -> bool:
        """Return whether to judge anew."""
        return now - self.judged_at >= JUDGED_EVERY

    def judge(self, offered: Sequence[Offer], now: float, *, behind: bool = False) -> bool:
        """Take the best mode, if it is worth a switch; return whether the mode is another.

        `behind`: looks are overdue. A mode that cannot be had is left at once; else there is
        one switch a minute at most.
        """
        self.judged_at = now
        best = min(offered, key=lambda one: (one.barred, one.delay))
        current = next((one for one in offered if one.mode is self.mode), best)
        first = self.chosen is None
        if first or current.barred or self._worth(best, current, now, behind=behind):
            switched = best.mode is not self.mode
            if switched and not first:
                self.switched_at = now
            self.chosen = _with_reason(best, offered)
            return switched
        self.chosen = _with_reason(current, offered)
        return False

    def _worth(self, best: Offer, current: Offer, now: float, *, behind: bool) -> bool:
        if now - self.switched_at < SWITCHED_EVERY or best.mode is current.mode:
            return False
        fails = behind or current.delay == inf
        return best.delay < (1.0 if fails else WORTH) * current.delay


def _with_reason(chosen: Offer, offered: Sequence[Offer]) -> Offer:
    """Return it with what it promises and what the next best would, in words."""
    others = [one for one in offered if one.mode is not chosen.mode and not one.barred]
    rival = min(others, key=lambda one: one.delay, default=None)
    why = f"{chosen.why}: " + (_lateness(chosen.delay, " late") or "falls behind")
    if rival is not None:
        why += f", by {rival.mode} " + (_lateness(rival.delay) or "further behind")
    return replace(chosen, why=why)


def _lateness(delay: float, late: str = "") -> str | None:
    return None if delay == inf else f"{delay:.2g} s{late}"
