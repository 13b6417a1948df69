"""Laws of durations that are known exactly, as the pacing takes them."""

import math
from dataclasses import dataclass
from statistics import NormalDist


@dataclass(frozen=True, slots=True, kw_only=True)
class LogNormal:
    """A log-normal law; half of the rungs end before the median."""

    median: float = 60.0
    sigma: float = 0.4

    def survival(self, age: float) -> float:
        """Return the share that lasts longer."""
        if age <= 0.0:
            return 1.0
        return 1.0 - NormalDist().cdf(math.log(age / self.median) / self.sigma)

    def within(self, age: float, share: float) -> float:
        """Return the age by which that share has ended of those that last longer than `age`."""
        ended = 1.0 - self.survival(age) * (1.0 - share)
        return self.median * math.exp(self.sigma * NormalDist().inv_cdf(ended))

    def phi_at(self, age: float) -> float:
        """Return a mass that only has to rise here."""
        return -math.log(max(1e-300, self.survival(age)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Exponential:
    """A law without memory: the hazard is the same at every age."""

    mean: float = 60.0

    def survival(self, age: float) -> float:
        """Return the share that lasts longer."""
        return math.exp(-age / self.mean)

    def within(self, age: float, share: float) -> float:
        """Return the age by which that share has ended of those that last longer than `age`."""
        return age - self.mean * math.log1p(-share)

    def phi_at(self, age: float) -> float:
        """Return the integral of the root of the hazard."""
        return age / math.sqrt(self.mean)
