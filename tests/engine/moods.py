"""An API with moods: it says the truth, or what it pleases, and remembers each question."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from math import inf

import anyio

from bridge.core.ladder import State
from bridge.core.looking import (
    Abilities,
    Asking,
    Batch,
    Busy,
    Get,
    Hold,
    Listing,
    Look,
    Missing,
    Observation,
    Output,
    Reading,
    Refused,
    Rejected,
    Seen,
    Trouble,
    asked,
)
from bridge.core.network.exchange import Answer, Phase, Request, Response, Unanswered
from bridge.core.network.way import DIRECT, Way
from bridge.core.ports import Clock

AGES = timedelta(days=30)
"""What a confused API asks us to wait."""

OUTPUT = Output(type="video", url="https://cdn.example/v.mp4")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What becomes of a generation: dreams from one moment on, and ends at another."""

    dreams: float
    ends: float
    end: State = State.COMPLETED

    def at(self, moment: float) -> State:
        """Return the state at a moment."""
        if moment >= self.ends:
            return self.end
        return State.DREAMING if moment >= self.dreams else State.QUEUED

    def reaches(self, state: State) -> float:
        """Return when at least this state is reached."""
        if state <= State.QUEUED:
            return -inf
        return self.ends if state >= State.COMPLETED else min(self.dreams, self.ends)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question: when it came, what it was, and the mood that it met."""

    at: float
    look: Look
    mood: str

    def about(self, one: str) -> bool:
        """Return whether it is about a generation by name."""
        return one in asked(self.look)


def _shortened(reading: Reading, look: Look) -> Reading:
    """Say no more than it has to of those whose rank is known, as providers do."""
    if not isinstance(look, Batch) or not isinstance(reading, Seen):
        return reading
    fresh = [one for one in reading.observations if look.known.get(one.id) != one.state]
    still = {one.id for one in reading.observations} - {one.id for one in fresh}
    at = next((one.observed_at for one in reading.observations), None)
    return replace(reading, observations=tuple(fresh), still=tuple(still), observed_at=at)


@dataclass(kw_only=True)
class Moody:
    """The API; `mood` is how it is now, `touched` whom that concerns (None: everybody)."""

    clock: Clock
    abilities: Abilities
    fates: dict[str, Fate] = field(default_factory=dict)
    mood: str = "truthful"
    touched: frozenset[str] | None = None
    latency: float = 0.05
    questions: list[Asked] = field(default_factory=list)

    def ask(self, look: Look) -> Asking:
        """Ask; the answer's mood is that of the moment at which it comes."""
        number = len(self.questions)
        self.questions.append(
            Asked(at=self.clock.monotonic(), look=look, mood=self._mood(look))
        )
        answer = yield Request(method="GET", url=f"https://moody.example/{number}")
        if isinstance(answer, Unanswered):
            return Trouble(why=answer.reason)
        return _shortened(READINGS[self._mood(look)](self, look), look)

    def _mood(self, look: Look) -> str:
        concerned = self.touched is None or not asked(look) or self.touched & {*asked(look)}
        return self.mood if concerned else "truthful"

    # ---------------------------------------------------------------- the Http

    async def send(
        self,
        request: Request,
        *,
        timeout: timedelta,  # noqa: ASYNC109  (the port's word)
        limit: int,
        way: Way = DIRECT,
    ) -> Answer:
        """Let the time pass that an answer takes."""
        question = self.questions[int(request.url.rpartition("/")[2])]
        with anyio.move_on_after(timeout.total_seconds()):
            await anyio.sleep(self.latency)
            await self._hold(question.look)
            if self._mood(question.look) == "silent":
                await anyio.sleep_forever()
            if self._mood(question.look) == "broken":
                return Unanswered(phase=Phase.ANSWER, reason="the connection broke")
            return Response(status=200, received_at=self.clock.now())
        return Unanswered(phase=Phase.DEADLINE, reason="no answer in time")

    async def _hold(self, look: Look) -> None:
        """Hold as long as nothing changes, as long as it is in the mood for it."""
        hold = self.abilities.hold
        if not isinstance(look, Hold) or hold is None:
            return
        began = self.clock.monotonic()
        until = min(began + hold.total_seconds(), self.fates[look.id].reaches(look.until))
        while self._mood(look) == "truthful" and self.clock.monotonic() < until:  # noqa: ASYNC110  (moods have no bell)
            await anyio.sleep_until(min(until, self.clock.monotonic() + 0.5))

    # ---------------------------------------------------------------- what it says

    def observation(
        self, one: str, state: State | None, *, whole: bool = True
    ) -> Observation:
        """Return what it says of a generation."""
        completed = state is State.COMPLETED and whole
        return Observation(
            id=one,
            native_state="pondering" if state is None else state.word,
            state=state,
            observed_at=self.clock.now(),
            outputs=(OUTPUT,) if completed else (),
        )

    def about(self, look: Look) -> Sequence[str]:
        """Return whom a look asks about."""
        return list(self.fates) if isinstance(look, Listing) else asked(look)

    def truth(self, one: str) -> State:
        """Return the state of a generation now."""
        return self.fates[one].at(self.clock.monotonic())


def _truthful(api: Moody, look: Look) -> Reading:
    return Seen(
        observations=tuple(api.observation(one, api.truth(one)) for one in api.about(look))
    )


def _stale(api: Moody, look: Look) -> Reading:
    return Seen(
        observations=tuple(api.observation(one, State.QUEUED) for one in api.about(look))
    )


def _odd(api: Moody, look: Look) -> Reading:
    return Seen(observations=tuple(api.observation(one, None) for one in api.about(look)))


def _blank(api: Moody, look: Look) -> Reading:
    told = (api.observation(one, api.truth(one), whole=False) for one in api.about(look))
    return Seen(observations=tuple(told))


def _late(api: Moody, look: Look) -> Reading:
    told = (api.observation(one, api.truth(one)) for one in api.about(look))
    return Seen(observations=tuple(told), again=AGES)


def _half(api: Moody, look: Look) -> Reading:
    """The second call fails, where there is one."""
    ended = [one for one in asked(look) if api.truth(one) is State.COMPLETED]
    if not ended:
        return _truthful(api, look)
    if not isinstance(look, Get | Hold):
        return _left_out(api, look)
    seen = api.observation(ended[0], State.COMPLETED, whole=False)
    return Trouble(why="the second call failed", seen=seen)


def _left_out(_api: Moody, look: Look) -> Reading:
    return Seen(observations=(), unseen=tuple(asked(look)))


def _forgetful(_api: Moody, _look: Look) -> Reading:
    return Seen(observations=())


def _by_halves(api: Moody, look: Look) -> Reading:
    about = list(api.about(look))
    told = about[: len(about) // 2]
    left = () if isinstance(look, Listing) else tuple(about[len(about) // 2 :])
    return Seen(
        observations=tuple(api.observation(one, api.truth(one)) for one in told),
        unseen=left,
    )


def _raising(_api: Moody, _look: Look) -> Reading:
    raise ZeroDivisionError


def _always(reading: Reading) -> Callable[[Moody, Look], Reading]:
    return lambda _api, _look: reading


def _not_together(reading: Reading) -> Callable[[Moody, Look], Reading]:
    """Singles are answered, batches and lists are not."""

    def said(api: Moody, look: Look) -> Reading:
        return reading if isinstance(look, Batch | Listing) else _truthful(api, look)

    return said


READINGS: Mapping[str, Callable[[Moody, Look], Reading]] = {
    "truthful": _truthful,
    "hasty": _truthful,
    "silent": _truthful,
    "broken": _truthful,
    "stale": _stale,
    "odd": _odd,
    "blank": _blank,
    "late": _late,
    "half": _half,
    "left out": _left_out,
    "forgetful": _forgetful,
    "by halves": _by_halves,
    "raising": _raising,
    "missing": _always(Missing()),
    "busy": _always(Busy()),
    "busy at once": _always(Busy(after=timedelta())),
    "busy for ages": _always(Busy(after=AGES)),
    "refused": _always(Refused(why="401")),
    "rejected": _always(Rejected(why="400")),
    "trouble": _always(Trouble(why="500")),
    "trouble for ages": _always(Trouble(why="503", after=AGES)),
    "malformed": _always(Trouble(why="no JSON", malformed=True)),
    "no lists": _not_together(Trouble(why="500")),
    "odd lists": _not_together(Rejected(why="400")),
    "empty lists": _not_together(Seen(observations=())),
}
"""What it says in each mood; `hasty` does not hold, `silent` and `broken` never say it."""


def names(count: int) -> Iterator[str]:
    """Return ids."""
    return (f"g{number}" for number in range(count))
