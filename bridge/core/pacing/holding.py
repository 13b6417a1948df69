"""Long polls: what to wait for, what a cut one means, and when a provider does not hold at all."""

from dataclasses import dataclass

from bridge.core.ladder import State
from bridge.core.looking import Reading, Trouble

SLACK = 10.0
"""Seconds that a hold may last beyond the provider's limit before we give it up."""

CUT_AFTER = 25 / 30
"""A hold that is cut after this share of the provider's limit brought no news; it is no error."""

CUT_STATUSES = (502, 504, 524)

FIRST_TRIAL, LAST_TRIAL = 600.0, 86_400.0
"""Seconds until holding is tried again at a provider that did not hold; doubling to a day."""


def rung(known: int, until: State, *, terminal_only: bool) -> State:
    """Return the state to wait for: the next rung up, or the end where nobody wants a rung.

    A failure may not be asked for: who waits for `completed` is told of a failure too.
    """
    if terminal_only and until >= State.COMPLETED:
        return State.COMPLETED
    return State(min(known + 1, State.COMPLETED))


def without_news(reading: Reading, elapsed: float, limit: float) -> bool:
    """Return whether a hold of `elapsed` seconds was cut near its limit: no news, no error."""
    return (
        isinstance(reading, Trouble)
        and not reading.malformed
        and elapsed >= limit * CUT_AFTER
    )


@dataclass(slots=True, kw_only=True)
class Trust:
    """Whether a provider really holds. Moments are seconds on a clock that never goes back.

    Two holds in a row that come back before half of the limit with the asked rung unreached say
    that holding is not honoured: plain looks then, and a trial after ten minutes, twenty, …
    """

    early: int = 0
    trials: int = 0
    again_at: float = float("-inf")

    def holds(self, now: float) -> bool:
        """Return whether to hold now."""
        return now >= self.again_at

    def returned(self, *, elapsed: float, limit: float, reached: bool, now: float) -> bool:
        """Note a hold's answer; return whether it has just shown that nothing is held."""
        if not self.holds(now):
            return False  # out already when others showed it: it says no more than they did
        if reached or elapsed >= limit / 2:
            self.early = 0
            if elapsed >= limit / 2:
                self.trials = 0
            return False
        self.early += 1
        if self.early < 2:
            return False
        # The next trial needs one early answer only: the provider has shown what it does.
        self.early = 1
        self.again_at = now + min(LAST_TRIAL, FIRST_TRIAL * 2.0 ** min(self.trials, 30))
        self.trials += 1
        return True
