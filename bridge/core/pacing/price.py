"""The price of a key: how much Φ has to grow before a look is worth its request.

Two prices compete (DETECTION.md, section 3). `wished` makes a rung cost the looks that its source
asks for (`looks: 24`); `afforded` is what the running watches can be looked at for within the
key's rate. The higher one counts, up to 0.7·Ī: there a rung costs two looks, and beyond it the key
is saturated and the order of falling due decides.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from bridge.core.pacing.table import Table

SHARE = 0.9
"""Of the key's rate: the rest is for admissions, grace looks and what others do with the key."""

DEPTH = 10.0
"""Seconds of the rate that the bucket of unused looks holds."""

FADING = 0.99
"""What an admission weighs after one more: the mean is over the last hundred."""

STEP = 0.2
"""How far each second moves what can be afforded."""

CAP = 0.7
"""Times Ī: the highest price, K ≈ 2."""

EAGER = 0.2
"""Times the price: what the head of the queue may go for while the bucket is nearly full."""

IDLE = 0.9
"""How full the bucket then is."""

SAMPLE = 64
"""Watches that stand for all."""

TINY = 1e-300
"""No price is zero: each look is later than the one before it."""

_UNIT_MOST = 1e100

Item = TypeVar("Item")


def sampled(items: Sequence[Item], turn: int, most: int = SAMPLE) -> Sequence[Item]:
    """Return at most `most` items, by stride; each `turn` begins at another one.

    The others are not touched: to go through 100,000 of them takes longer than to reckon a price.
    """
    stride = max(1, -(-len(items) // most))
    return items[turn % stride :: stride]


@dataclass(slots=True, kw_only=True)
class Bucket:
    """Looks that the rate gave and nobody used, `DEPTH` seconds of it at most."""

    rate: float
    fill: float = 1.0
    """0 empty … 1 full."""
    filled_at: float = 0.0

    def advance(self, now: float) -> None:
        """Let it fill until now; a clock that goes back fills nothing."""
        if now > self.filled_at:
            self.fill = min(1.0, self.fill + (now - self.filled_at) / DEPTH)
            self.filled_at = now

    def take(self, looks: float, now: float) -> None:
        """Note looks that were made; below empty it does not go."""
        self.advance(now)
        room = self.rate * DEPTH
        self.fill = max(0.0, self.fill - looks / room) if room > 0 else 0.0


@dataclass(slots=True, kw_only=True)
class Admissions:
    """Which tables the admitted rungs fall to, the last hundred or so: O(1) an admission.

    Not which run now: long ones are always most of those.
    """

    _weights: dict[Table, float] = field(default_factory=dict)
    _unit: float = 1.0

    def note(self, table: Table) -> None:
        """Note a rung that begins."""
        self._unit /= FADING
        self._weights[table] = self._weights.get(table, 0.0) + self._unit
        if self._unit > _UNIT_MOST:
            self._weights = {one: w / self._unit for one, w in self._weights.items()}
            self._unit = 1.0

    def integral(self) -> float | None:
        """Return Ī, the mean I of the rungs that begin; None before the first."""
        total = sum(self._weights.values())
        if not total:
            return None
        return sum(w * one.integral for one, w in self._weights.items()) / total


@dataclass(slots=True, kw_only=True)
class Price:
    """How much Φ has to grow for a look at this key now; `reckon` is called each second.

    `looks` is K, the looks that a rung shall cost; the bucket's rate b is the looks a second that
    the key may make: 0.9·R·B, of it our share among replicas. `capped`: it is at its highest, so
    that the key does not suffice (a minute of it is saturation, see `capacity`).
    """

    looks: float
    bucket: Bucket
    admissions: Admissions = field(default_factory=Admissions)
    value: float = 1.0
    wished: float = 1.0
    afforded: float = 0.0
    capped: bool = False
    _reckoned: bool = False

    @classmethod
    def of(
        cls, *, looks: float, rate: float, batch: int = 1, share: float = 1.0
    ) -> "Price":
        """Return the price of a key of `rate` requests a second, `batch` ids each."""
        return cls(looks=looks, bucket=Bucket(rate=SHARE * rate * batch * share))

    def admitted(self, table: Table) -> None:
        """Note a rung that begins; the first one gives the first price."""
        self.admissions.note(table)
        if not self._reckoned:
            self.reckon(self.bucket.filled_at, (), 0)

    def reckon(
        self, now: float, sample: Sequence[tuple[float, float]], watching: int
    ) -> None:
        """Reckon the price anew from (weight, hazard) of sampled watches, of so many in all."""
        self.bucket.advance(now)
        mean = self.admissions.integral()
        if mean is None:
            return
        self._reckoned = True
        self.wished = max(TINY, mean / max(0.5, self.looks - 0.5))
        self._afford(sample, watching)
        scarce = self.afforded * math.exp(1.0 - 2.0 * self.bucket.fill)
        wanted, most = max(self.wished, scarce), CAP * mean
        self.value = max(TINY, min(most, wanted))
        self.capped = scarce >= most

    def _afford(self, sample: Sequence[tuple[float, float]], watching: int) -> None:
        """Move towards the price at which Σ(√(w·h)/s + h/2) looks a second are what may be."""
        rate, scale = self.bucket.rate, watching / len(sample) if sample else 0.0
        flow = scale * sum(math.sqrt(w * h) for w, h in sample)
        found = scale * sum(h for _, h in sample) / 2
        room = max(rate - found, rate / 2, TINY)
        self.afforded += STEP * (flow / room - self.afforded)

    @property
    def least(self) -> float:
        """The price for the head of the queue while requests are left over."""
        return max(EAGER * self.value, min(self.value, self.wished))

    @property
    def idle(self) -> bool:
        """Whether requests are left over: the bucket is nearly full."""
        return self.bucket.fill >= IDLE
