"""Repeats: one line a minute for what happens again and again, with a count."""

from datetime import timedelta

from bridge.core.ports import Clock

EVERY = timedelta(minutes=1)
"""OPERATIONS, section 4: the repeated failure of one webhook is written once a minute."""

_MOST_SUBJECTS = 10_000
"""How many subjects are remembered before those that have fallen silent are forgotten."""


class Repeats:
    """Decides which repetitions of a subject are worth a line."""

    def __init__(self, clock: Clock, *, every: timedelta = EVERY) -> None:
        self._clock = clock
        self._every = every.total_seconds()
        self._written: dict[object, tuple[float, int]] = {}

    def unwritten(self, subject: object) -> int | None:
        """Return how many repetitions went unwritten since the last line; None: write no line.

        The first one is written at once, then one a minute.
        """
        now = self._clock.monotonic()
        written, skipped = self._written.get(subject, (None, 0))
        if written is not None and now - written < self._every:
            self._written[subject] = written, skipped + 1
            return None
        self._forget(now)
        self._written[subject] = now, 0
        return skipped

    def _forget(self, now: float) -> None:
        if len(self._written) < _MOST_SUBJECTS:
            return
        self._written = {
            subject: (written, skipped)
            for subject, (written, skipped) in self._written.items()
            if now - written < self._every
        }
