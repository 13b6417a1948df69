"""Long polls: what to wait for, what the end of one means, and when a provider does not hold."""

from dataclasses import dataclass, field
from enum import StrEnum

from bridge.core.ladder import State
from bridge.core.looking import Reading, Seen, Trouble
from bridge.core.network.exchange import Answer, Phase, Response

SLACK = 10.0
"""Seconds that a hold may last beyond the provider's limit before we give it up."""

NO_NEWS_AFTER = 25.0
"""Seconds from which on a hold that is cut brought no news: it is no error."""

NO_NEWS_SHARE = 25 / 30
"""The same as a share of the provider's limit, where that is shorter than half a minute."""

CUT_STATUSES = (502, 504, 524)
CUT_PHASES = (Phase.ANSWER, Phase.DEADLINE)
"""How proxies end what lasts too long for them."""

ALIKE = 1.0
"""Seconds by which holds may differ that ended at one age."""

LEAST = 5.0
"""Seconds: what ends sooner shows no limit; it is trouble, or a provider that does not hold."""

AT_ONE_AGE = 3
"""So many ends in a row at one age are the limit."""

JITTER = 1.0
"""Seconds over which the next looks are spread after holds that brought no news."""

SHORTEST = 1.0
"""Seconds between the beginnings of two looks at one generation, whatever a hold does."""

FIRST_TRIAL, LAST_TRIAL = 600.0, 86_400.0
"""Seconds until holding is tried again at a provider that did not hold; doubling to a day."""


def rung(known: int, until: State, *, terminal_only: bool) -> State:
    """Return the state to wait for: the next rung up, or the end where nobody wants a rung.

    A failure may not be asked for: who waits for `completed` is told of a failure too.
    """
    if terminal_only and until >= State.COMPLETED:
        return State.COMPLETED
    return State(min(known + 1, State.COMPLETED))


def is_cut(answer: Answer) -> bool:
    """Return whether an answer is what a proxy makes of a request that lasts too long."""
    if isinstance(answer, Response):
        return answer.status in CUT_STATUSES
    return answer.phase in CUT_PHASES


class End(StrEnum):
    """What the end of a hold says."""

    REACHED = "reached"
    """The asked rung, or one above it."""
    NO_NEWS = "no news"
    """It was held as long as it may be: hold again."""
    EARLY = "early"
    """It came back too soon with the rung unreached: is anything held at all?"""
    OTHER = "other"
    """An answer like that to a plain look: an error, or a generation that is not known."""


def end(reading: Reading, *, elapsed: float, limit: float, reached: bool, cut: bool) -> End:
    """Return what the end of a hold says that lasted `elapsed` seconds.

    `cut` is `is_cut` of the answer, `reached` whether the asked rung was seen.
    """
    if isinstance(reading, Seen):
        if reached:
            return End.REACHED
        return End.NO_NEWS if _was_held(elapsed, limit) else End.EARLY
    if not isinstance(reading, Trouble) or reading.malformed or not cut:
        return End.OTHER
    late = elapsed >= min(NO_NEWS_AFTER, limit * NO_NEWS_SHARE)
    return End.NO_NEWS if late else End.OTHER


def _was_held(elapsed: float, limit: float) -> bool:
    """Return whether it took so long that something was held, if not for all of the limit."""
    return elapsed >= min(NO_NEWS_AFTER, limit / 2)


def after_no_news(began: float, now: float, luck: float) -> float:
    """Return when to hold again after a hold without news; `luck` in [0, 1) spreads a crowd."""
    return max(now + JITTER * luck, began + SHORTEST)


@dataclass(slots=True, kw_only=True)
class Limit:
    """How long a provider holds, in seconds: what its pages tell, or where three holds ended.

    A proxy on the way may cut earlier than the provider lets go, always at the same age.
    """

    told: float
    seconds: float = field(init=False)
    ends: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Begin with what is told."""
        self.seconds = self.told

    @property
    def timeout(self) -> float:
        """How many seconds to wait for the answer to a hold."""
        return self.seconds + SLACK

    def ended(self, elapsed: float) -> bool:
        """Note at which age a hold was cut or let go; return whether this shows a new limit."""
        if elapsed < LEAST:
            return False
        self.ends = (*self.ends, elapsed)[-AT_ONE_AGE:]
        if len(self.ends) < AT_ONE_AGE or max(self.ends) - min(self.ends) > ALIKE:
            return False
        age = min(self.told, sorted(self.ends)[AT_ONE_AGE // 2])
        if abs(age - self.seconds) <= ALIKE:
            return False
        self.seconds = age
        return True


@dataclass(slots=True, kw_only=True)
class Trust:
    """Whether a provider really holds. Moments are seconds on a clock that never goes back.

    Two holds in a row that come back before half of the limit, and within 25 s, with the asked
    rung unreached say that holding is not honoured: plain looks then, and a trial after ten
    minutes, twenty, … A trial is one hold: the others wait for what it says.
    """

    early: int = 0
    trials: int = 0
    again_at: float = float("-inf")
    trial: float | None = None
    """When the trial began that is under way."""

    def holds(self, now: float) -> bool:
        """Return whether to hold now."""
        return now >= self.again_at and self.trial is None

    def opened(self, now: float) -> None:
        """Note that a hold begins: while holding is doubted it is the trial."""
        if self.trials:
            self.trial = now

    def closed(self, began: float) -> None:
        """Note that a hold is over which says nothing of this: a trial may follow."""
        if self.trial == began:
            self.trial = None

    def returned(self, *, elapsed: float, limit: float, reached: bool, now: float) -> bool:
        """Note a hold's answer; return whether it has just shown that nothing is held."""
        if now < self.again_at:
            return False  # out already when others showed it: it says no more than they did
        self.trial = None
        held = _was_held(elapsed, limit)
        if reached or held:
            self.early = 0
            self.trials = 0 if held else self.trials
            return False
        self.early += 1
        if self.early < 2:
            return False
        # The next trial needs one early answer only: the provider has shown what it does.
        self.early = 1
        self.again_at = now + min(LAST_TRIAL, FIRST_TRIAL * 2.0 ** min(self.trials, 30))
        self.trials += 1
        return True
