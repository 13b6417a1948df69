"""The holds of one source: how many are open, how long one lasts, and whether anything is held."""

from datetime import timedelta

from bridge.core.looking import Hold, Look, Observation, Reading, Seen
from bridge.core.pacing import holding
from bridge.core.pacing.connections import holds as room_for
from bridge.core.pacing.holding import End, Limit, Trust
from bridge.core.pacing.waiting import Probe
from bridge.core.ports import Log

TELLS = 1.0
"""Seconds after which a hold that reached its rung was held."""

LEAST_PATIENCE = 1.0
"""Seconds that a hold is waited for at least, however near the deadline is."""


class Holds:
    """Counts holds and weighs their ends. Moments are monotonic seconds."""

    def __init__(
        self, name: str, told: timedelta | None, *, log: Log, batch: int | None = None
    ) -> None:
        self._name = name
        self._log = log
        self._limit = None if told is None else Limit(told=told.total_seconds())
        self._trust = Trust()
        self.batch = batch or 1 if told is not None else 1
        """Of how many generations a request may ask that might be held."""
        self.waits = Probe()
        """What is known of such requests."""
        self.open = 0
        self.connections = 0
        """How many requests may be open, of which holds get the greater part."""

    @property
    def possible(self) -> bool:
        """Whether the provider says that it holds."""
        return self._limit is not None

    @property
    def limit(self) -> float:
        """How many seconds a hold lasts that brings no news; 0 where nothing is held."""
        return 0.0 if self._limit is None else self._limit.seconds

    @property
    def together(self) -> int:
        """For how many generations one hold waits."""
        return self.batch if self.waits.held else 1

    @property
    def most(self) -> int:
        """How many holds may be open."""
        return room_for(self.connections) if self.possible else 0

    @property
    def doubted(self) -> bool:
        """Whether the provider has shown that it does not hold."""
        return self._trust.trials > 0

    def resting(self, now: float) -> bool:
        """Return whether no hold is tried, for the last ones were not held."""
        return now < self._trust.again_at

    def may(self, now: float) -> bool:
        """Return whether a hold may begin."""
        return self.open < self.most and self._trust.holds(now)

    def began(self, now: float) -> None:
        """Note that a hold begins."""
        self.open += 1
        self._trust.opened(now)

    def left(self, began: float) -> None:
        """Note that a hold is over, whatever it brought."""
        self.open -= 1
        self._trust.closed(began)

    def patience(self, left: float) -> timedelta:
        """Return how long to wait for a hold, with so many seconds to the deadline."""
        wait = 0.0 if self._limit is None else self._limit.timeout
        return timedelta(seconds=max(LEAST_PATIENCE, min(wait, left)))

    def end(
        self, look: Look, reading: Reading, began: float, now: float, *, cut: bool
    ) -> End:
        """Return what the end of a hold says, and learn from it; a plain look says `OTHER`."""
        if not isinstance(look, Hold) or self._limit is None:
            return End.OTHER
        reached = _reached(look, reading)
        elapsed, limit = now - began, self._limit.seconds
        said = holding.end(reading, elapsed=elapsed, limit=limit, reached=reached, cut=cut)
        if cut or said is End.NO_NEWS:
            self._shorter(elapsed)
        # What is answered at once, for it was reached before, says nothing of holding.
        tells = elapsed >= TELLS or not reached
        if tells and (isinstance(reading, Seen) or said is End.NO_NEWS):
            self._weigh(elapsed, limit, now, reached=reached)
        return said

    def _shorter(self, elapsed: float) -> None:
        if self._limit is not None and self._limit.ended(elapsed):
            self._log.info(
                "holds end sooner than was told",
                source=self._name,
                seconds=round(self._limit.seconds, 1),
            )

    def _weigh(self, elapsed: float, limit: float, now: float, *, reached: bool) -> None:
        if self._trust.returned(elapsed=elapsed, limit=limit, reached=reached, now=now):
            self._log.warning(
                "the source does not hold: plain looks for now", source=self._name
            )


def _reached(look: Hold, reading: Reading) -> bool:
    """Return whether an answer shows the rung that was asked for."""
    if not isinstance(reading, Seen):
        return False
    seen = _of(look.id, reading.observations)
    return seen is not None and seen.state is not None and seen.state >= look.until


def _of(one: str, observations: tuple[Observation, ...]) -> Observation | None:
    return next((seen for seen in observations if seen.id == one), None)
