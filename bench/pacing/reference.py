"""The sketch of DETECTION.md, section 2, as it stands there: what our own table is compared with.

It has its own copy of every formula, so that a mistake in ours cannot hide in both.
"""

import bisect
import math
from collections.abc import Sequence
from heapq import heappop, heappush
from itertools import pairwise
from random import Random


class Table:
    """How long one (source, model, state) lasts, learned from looks alone."""

    def __init__(self, median: float = 60.0, shape: float = 1.5, jobs: float = 5.0) -> None:
        bins, low, high = 96, 0.25, 90_000.0
        self.low, self.step = low, math.log(high / low) / (bins - 1)
        self.edge = [0.0] + [low * math.exp(self.step * i) for i in range(bins)]
        alive = [1 / (1 + (t / median) ** shape) for t in self.edge]
        self.prior_n = [jobs * (a - b) for a, b in pairwise(alive)]
        self.prior_x = [
            jobs * (a + b) / 2 * (t - s)
            for (a, b), (s, t) in zip(pairwise(alive), pairwise(self.edge), strict=True)
        ]
        self.n, self.x = [0.0] * bins, [0.0] * bins
        self.unit, self.weight, self.fresh, self.strain = 1.0, 0.0, 0.0, 1.0
        self.rebuild()

    def rebuild(self) -> None:
        """Make the curves anew."""
        n = [p + v / self.unit for p, v in zip(self.prior_n, self.n, strict=True)]
        x = [p + v / self.unit for p, v in zip(self.prior_x, self.x, strict=True)]
        near = [slice(max(0, b - 3), b + 4) for b in range(len(n))]
        self.hazard = [
            (n[b] + 2) / (x[b] + 2 * sum(x[w]) / sum(n[w])) for b, w in enumerate(near)
        ]
        self.root = [math.sqrt(h) for h in self.hazard]
        self.phi, self.load, self.integral, self.fresh = [0.0], [0.0], 0.0, 0.0
        for b, (s, t) in enumerate(pairwise(self.edge)):
            self.phi.append(self.phi[-1] + self.root[b] * (t - s))
            self.load.append(self.load[-1] + self.hazard[b] * (t - s))
            left = math.exp(-self.load[-1]) if b < len(n) - 1 else 0.0
            self.integral += (math.exp(-self.load[-2]) - left) / self.root[b]

    def bin(self, age: float) -> int:
        """Return the bin of an age."""
        if age < self.low:
            return 0
        return min(len(self.n) - 1, 1 + int(math.log(age / self.low) / self.step))

    def at(self, total: Sequence[float], rate: Sequence[float], age: float) -> float:
        """Return Φ or the load at an age."""
        b = self.bin(age)
        return total[b] + (age - self.edge[b]) * rate[b]

    def age(self, total: Sequence[float], rate: Sequence[float], value: float) -> float:
        """Return the age of a Φ or a load."""
        b = min(len(rate) - 1, bisect.bisect_right(total, value) - 1)
        return self.edge[b] + (value - total[b]) / rate[b]

    def next(self, last: float, price: float) -> float:
        """Return the age of the next look."""
        return self.age(self.phi, self.root, self.at(self.phi, self.root, last) + price)

    def looked(self, last: float, age: float, changed: bool) -> None:
        """Learn from a look."""
        i, j = self.bin(last), self.bin(age)
        spans = [
            (
                b,
                (age if b == j else self.edge[b + 1]) - (last if b == i else self.edge[b]),
            )
            for b in range(i, j + 1)
        ]
        load = sum(self.hazard[b] * w for b, w in spans)
        after = math.exp(-load) if changed else 0.0
        alive, fell = 1.0, max(1 - after, 1e-12)
        for b, w in spans:
            drop = -alive * math.expm1(-self.hazard[b] * w)
            risk = max(0.0, drop / self.hazard[b] - after * w) / fell if changed else w
            self.n[b] += self.unit * drop / fell * changed
            self.x[b] += self.unit * risk
            alive -= drop
        if changed:
            self._surprised(self.at(self.load, self.hazard, (last + age) / 2))
        self.fresh += 1.0 if changed else 0.1
        if self.fresh >= min(20.0, max(1.0, self.weight / 20)):
            self.rebuild()

    def _surprised(self, surprise: float) -> None:
        self.strain += (min(4.0, surprise) - self.strain) / 20
        self.unit, self.weight = (
            self.unit * 2 ** (1 / 600),
            self.weight / 2 ** (1 / 600) + 1,
        )
        if not 0.5 < self.strain < 1.7 and self.weight > 10:
            self.unit, self.weight = self.unit * 10, self.weight / 10
            self.strain, self.fresh = 1.0, 99.0


def live(times: Sequence[float], k: int, seed: int) -> tuple[list[int], list[float]]:
    """Return looks and delays of jobs that arrive one a second, at the table's own price."""
    draw, table, at = Random(seed), Table(), 0.0
    heap: list[tuple[float, int]] = []
    for i in range(len(times)):
        at += draw.expovariate(1.0)
        heap.append((at, i))
    born = [moment for moment, _ in heap]
    looks, last = [0] * len(times), [0.0] * len(times)
    while heap:
        now, i = heappop(heap)
        age = now - born[i]
        if age > 0:
            looks[i] += 1
            table.looked(last[i], age, bool(age >= times[i]))
            last[i] = age
        if age < times[i]:
            price = table.integral / (k - 0.5)
            heappush(heap, (born[i] + max(table.next(age, price), age + 0.25), i))
    return looks, [a - t for a, t in zip(last, times, strict=True)]
