"""When to look again at a generation that did not change.

The pause is a constant share of the age (`looks: 24` makes it a 24th): nothing is known yet of how
long a rung lasts, and a share needs no scale, so it serves images of eight seconds and batches of
a day alike. The mean delay is half of that share, about 2 % of the wait.
"""

LEAST = 1.0
"""Seconds: the shortest pause between two plain looks at one generation."""


def pause(age: float, *, looks: int, floor: float, longest: float) -> float:
    """Return seconds until the next plain look at a generation that entered its state `age` ago.

    Never below the provider's `floor`, never above `longest`.
    """
    return max(floor, LEAST, min(longest, age / looks))
