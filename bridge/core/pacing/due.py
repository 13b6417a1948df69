"""When a watch is due at the price of the moment, and when that is asked again.

A watch is due when Φ has grown by s/√w since its last look (DETECTION.md, section 3). Prices fall,
so nobody waits until the moment that an old price gave: the queue holds wake-ups only, at most
ten seconds ahead, and the rule is asked again at each. Pure: values in, moments out.
"""

import math
from dataclasses import dataclass

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

    def kept(self, rung: Rung, moment: float) -> float:
        """Return the moment of a look, within the bounds and not before the API's hint."""
        since = rung.entered if rung.seen is None else rung.seen
        least, most = max(LEAST, self.floor), max(LEAST, self.floor, self.longest)
        return max(rung.not_before, since + least, min(moment, since + most))


def at(rung: Rung, price: Price, bounds: Bounds) -> float:
    """Return the moment at which a watch is due, if the price stays as it is.

    Before the first answer: at once.
    """
    if rung.seen is None:
        return rung.not_before
    planned = _planned(rung)
    age = _age(rung, price.value) if planned is None else planned
    return bounds.kept(rung, rung.entered + age)


def early(rung: Rung, price: Price, bounds: Bounds) -> float:
    """Return the moment from which it may go while requests are left over (`Price.idle`).

    Never later than `at`; the same where leftovers do not make a look cheaper.
    """
    moment = at(rung, price, bounds)
    if rung.seen is None or price.least >= price.value:
        return moment
    return min(moment, bounds.kept(rung, rung.entered + _age(rung, price.least)))


def wake(at: float, now: float, watching: int) -> float:
    """Return when to ask the rule again about a watch that is due `at`, one of so many."""
    return max(now, min(at, now + max(NAP, watching / NAPS_A_SECOND)))


def _planned(rung: Rung) -> float | None:
    """Return the age that the plan for few looks says, if there is one for this watch."""
    plan = rung.table.plan
    return None if plan is None or rung.weight != 1.0 else plan.next(rung.last)


def _age(rung: Rung, price: float) -> float:
    """Return the age at which Φ will have grown by a price."""
    own = max(TINY, price * rung.lean / math.sqrt(rung.weight))
    return rung.table.curve.next(rung.last, own)
