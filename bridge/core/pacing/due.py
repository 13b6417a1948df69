"""When a watch is due at the price of the moment, and when that is asked again.

A watch is due when Φ has grown by s/√w since its last look (DETECTION.md, section 3). Prices fall,
so nobody waits until the moment that an old price gave: the queue holds wake-ups only, at most
ten seconds ahead, and the rule is asked again at each. Pure: values in, moments out.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from bridge.core.pacing.price import TINY, Price
from bridge.core.pacing.rung import Rung

LEAST = 0.25
"""Seconds between two looks at one generation, whatever else is said."""

NAP = 10.0
"""Seconds until the rule is asked again."""

NAPS_A_SECOND = 5_000
"""Wake-ups a second that a source may cost: with more watches than 50,000 the nap is longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a source allows: seconds between two looks at one generation, least and most."""

    floor: float = LEAST
    longest: float = 900.0
    least: float = field(init=False)
    most: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "least", max(LEAST, self.floor))
        object.__setattr__(self, "most", max(LEAST, self.floor, self.longest))

    def kept(self, rung: Rung, moment: float) -> float:
        """Return the moment of a look, within the bounds and not before the API's hint."""
        since = rung.entered if rung.seen is None else rung.seen
        return max(min(moment, since + self.most), since + self.least, rung.not_before)


def at(rung: Rung, price: Price, bounds: Bounds) -> float:
    """Return the moment at which a watch is due, if the price stays as it is.

    Before the first answer: at once.
    """
    return moments((rung,), price, bounds)[0]


def early(rung: Rung, price: Price, bounds: Bounds) -> float:
    """Return the moment from which it may go while requests are left over (`Price.idle`).

    Never later than `at`; the same where leftovers do not make a look cheaper.
    """
    return moments((rung,), price, bounds, early=True)[0]


def moments(
    rungs: Iterable[Rung], price: Price, bounds: Bounds, *, early: bool = False
) -> list[float]:
    """Return for each watch the moment that `at` gives, or `early`."""
    own = max(TINY, price.least if early else price.value)
    cheaper, found = own < price.value, []
    least, most = bounds.least, bounds.most
    for rung in rungs:
        seen, entered, table = rung.seen, rung.entered, rung.table
        if seen is None:
            found.append(rung.not_before)
            continue
        last = seen - entered if seen > entered else 0.0
        share = own * rung.lean
        if rung.weight != 1.0:
            share /= math.sqrt(rung.weight)
        age = table.curve.next(last, share)
        if table.plan is not None and rung.weight == 1.0:
            planned = table.plan.next(last)
            if planned is not None and not (cheaper and age < planned):
                age = planned
        # As `Bounds.kept`, without a call for each of ten thousand a second.
        moment = max(min(entered + age, seen + most), seen + least, rung.not_before)
        found.append(moment)
    return found


def nap(watching: int) -> float:
    """Return the seconds until the rule is asked again at the latest, with so many watches."""
    return max(NAP, watching / NAPS_A_SECOND)


def wake(at: float, now: float, watching: int) -> float:
    """Return when to ask the rule again about a watch that is due `at`, one of so many."""
    return max(now, min(at, now + nap(watching)))
