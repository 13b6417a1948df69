"""Whatever an API says for a while: once it tells the truth, all of it is told, once and soon.

Hypothesis writes a script of moods and of what happens to us meanwhile; it is played on virtual
time, and then the API is truthful again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import anyio
import pytest
import trio.testing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.core.ladder import State
from bridge.core.looking import Abilities, Batch, Hold
from bridge.core.pacing.due import LEAST
from bridge.core.settings import Rate, Source
from bridge.engine.looker import BURST
from tests.engine.moods import READINGS, Asked, Fate, Moody, names
from tests.engine.rig import Engine, Rig, webhook
from tests.fakes.clock import VirtualClock

SOON = 900.0 + 3 * 60.0
"""Seconds after which everything is told: the longest pause that an API may ask for, and then a
backoff, a look at the longest interval, and one more for what is left out of a batch."""

INTERVAL = timedelta(seconds=60)

JUMP = timedelta(days=3650)

DENIALS = ("missing", "rejected", "refused", "stale", "odd")
"""What is an answer and hides the end: with them a generation may be lost at its deadline."""

LOSES = 110.0
"""Seconds of misses from which on a generation may be called lost."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A mood, whom it concerns, for how long, and what happens to us at its beginning."""

    mood: str
    touched: int
    lasts: float
    event: str


@dataclass(frozen=True, slots=True)
class Play:
    """A whole script."""

    able: Abilities
    rate: float
    fates: Mapping[str, Fate]
    scenes: Sequence[Scene]
    connections: int
    terminal: bool
    deadline: float


class Counting(VirtualClock):
    """A clock that finds a loop which never sleeps."""

    def __init__(self) -> None:
        self._at, self._readings = 0.0, 0
        self.ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead

    def monotonic(self) -> float:
        now = anyio.current_time()
        self._readings = self._readings + 1 if now == self._at else 0
        self._at = now
        assert self._readings < 100_000, "a loop never sleeps"
        return now


scenes = st.builds(
    Scene,
    mood=st.sampled_from(sorted(READINGS)),
    touched=st.integers(0, 3),
    lasts=st.sampled_from([0.3, 2.0, 12.0, 45.0, 130.0, 700.0]),
    event=st.sampled_from(["", "", "", "reload", "crash", "hint", "jump", "handover"]),
)

fates = st.builds(
    lambda dreams, lasts, end: Fate(dreams=dreams, ends=dreams + lasts, end=end),
    dreams=st.sampled_from([0.0, 1.0, 20.0, 100.0]),
    lasts=st.sampled_from([0.0, 2.0, 33.0, 250.0, 1000.0]),
    end=st.sampled_from([State.COMPLETED, State.COMPLETED, State.FAILED]),
)

abilities = st.builds(
    Abilities,
    rate=st.just(10.0),
    floor=st.sampled_from([timedelta(), timedelta(seconds=1), timedelta(seconds=5)]),
    hold=st.sampled_from([None, timedelta(seconds=30), timedelta(seconds=120)]),
    batch=st.sampled_from([None, 3, 50]),
    listing=st.booleans(),
    promises_outputs=st.booleans(),
)

plays = st.builds(
    Play,
    able=abilities,
    rate=st.sampled_from([1.0, 5.0, 50.0]),
    fates=st.sampled_from([1, 2, 5, 30]).flatmap(
        lambda count: st.fixed_dictionaries(dict.fromkeys(names(count), fates))
    ),
    scenes=st.lists(scenes, max_size=5),
    connections=st.sampled_from([3, 10, 200]),
    terminal=st.booleans(),
    deadline=st.sampled_from([86_400.0, 86_400.0, 20.0, 200.0]),
)


class Stage:
    """A rig with a moody API."""

    def __init__(self, play: Play) -> None:
        self.play = play
        self.rig = Rig()
        self.rig.clock = self.clock = Counting()
        self.api = Moody(clock=VirtualClock(), abilities=play.able, fates=dict(play.fates))
        self.rig.network.hosts["moody.example"] = self.api
        self.turns = 0
        self.resets: list[float] = []
        """When a poller began anew."""
        self.slept = 0.0

    @property
    def source(self) -> Source:
        return Source(
            name="moody",
            provider_name="moody",
            provider=self.api,
            rate=Rate(per_second=self.play.rate),
            interval=INTERVAL + timedelta(seconds=self.turns),
            max_connections=self.play.connections,
        )

    @property
    def hook(self) -> Any:
        ends = frozenset({State.COMPLETED, State.FAILED})
        return webhook(states=ends) if self.play.terminal else webhook()

    async def run(self) -> None:
        left = [*self.play.scenes]
        healed = False
        while not healed:
            async with self.rig.engine([self.source], [self.hook]) as engine:
                self.resets.append(anyio.current_time())
                if not engine.supervisor.watching() and not self.api.questions:
                    deadline = timedelta(seconds=self.play.deadline)
                    await engine.watch("moody", *self.play.fates, deadline=deadline)
                while left:
                    if await self.scene(left.pop(0), engine):
                        break
                else:
                    await self.heal()
                    healed = True
            self.rig.restart()

    async def scene(self, scene: Scene, engine: Engine) -> bool:
        everybody = list(self.play.fates)
        self.api.touched = frozenset(everybody[: scene.touched]) if scene.touched else None
        self.api.mood = scene.mood
        match scene.event:
            case "reload":
                self.turns += 1
                self.resets.append(anyio.current_time())
                engine.supervisor.set_sources({"moody": self.source})
            case "hint":
                self.resets.append(anyio.current_time())
                for one in everybody:
                    engine.supervisor.pollers()[0].hint(one)
            case "jump":
                self.clock.ahead += JUMP
            case "handover":
                self.resets.append(anyio.current_time())
                standing = engine.supervisor.pollers()[0].watches()
                engine.supervisor.drop(watch.generation for watch in standing[::2])
                engine.supervisor.add(standing[::2])
            case "crash":
                self.clock.ahead = timedelta()
                return True
            case _:
                pass
        await anyio.sleep(scene.lasts)
        return False

    async def heal(self) -> None:
        self.api.mood, self.api.touched = "truthful", None
        over = max(fate.ends for fate in self.play.fates.values())
        self.healed = anyio.current_time()
        await anyio.sleep(
            max(0.0, over - self.healed) + SOON + len(self.play.fates) / self.play.rate
        )


def played(play: Play) -> Stage:
    made: list[Stage] = []

    async def main() -> None:
        made.append(Stage(play))
        await made[0].run()

    clock: Any = trio.testing.MockClock(autojump_threshold=0)
    anyio.run(main, backend="trio", backend_options={"clock": clock})
    return made[0]


def check_told(stage: Stage) -> None:
    missed = sum(s.lasts for s in stage.play.scenes if s.mood == "missing")
    denied = any(scene.mood in DENIALS for scene in stage.play.scenes)
    for one, fate in stage.play.fates.items():
        told = [word for word in stage.rig.told(one) if word != "stalled"]
        rungs = [State.of(word) for word in told if word != "lost"]
        assert rungs == sorted(set(rungs)), (one, told)
        assert told, one
        deadline = stage.play.deadline
        given_up = missed >= LOSES or fate.ends >= deadline or (denied and deadline < 1e4)
        assert told[-1] == fate.end.word or (told[-1] == "lost" and given_up), (one, told)


def check_rate(stage: Stage) -> None:
    moments = [one.at for one in stage.api.questions]
    rate = stage.play.rate
    most = rate * (1.0 + BURST) + 1
    for number, first in enumerate(moments):
        inside = [
            at for at in moments[number : number + int(most) + 40] if at < first + 1.0
        ]
        fresh = sum(first <= reset <= first + 1.0 for reset in stage.resets)
        assert len(inside) <= most + fresh + 1e-6, (first, len(inside))


def _probes(question: Asked) -> bool:
    return isinstance(question.look, Batch) and question.look.until is not None


def check_floor(stage: Stage) -> None:
    floor = stage.play.able.floor.total_seconds()
    for one in stage.play.fates:
        asked = [question for question in stage.api.questions if question.about(one)]
        for before, after in pairwise(asked):
            calm = before.mood == after.mood == "truthful"
            fresh = any(before.at <= reset <= after.at for reset in stage.resets)
            last = before.at < stage.play.deadline <= after.at
            if calm and not fresh and not last:
                # What a batch waits for is probed beside the plain looks, which go on.
                waits = isinstance(after.look, Hold) or _probes(after) or _probes(before)
                least = floor if waits else max(LEAST, floor)
                assert after.at - before.at >= least - 1e-6, (one, before, after)
        for before, after in zip(asked, asked[20:], strict=False):
            assert after.at - before.at >= 4.0, (one, before, after)


def check_end(stage: Stage) -> None:
    for one in stage.play.fates:
        ends = [
            posted.at
            for posted in stage.rig.receiver.accepted
            if posted.document["data"]["generation_id"] == one
            and posted.document["type"].endswith(("completed", "failed", "lost"))
        ]
        late = [q for q in stage.api.questions if q.about(one) and q.at > ends[-1]]
        assert not late, (one, late[:3])


@pytest.mark.timeout(300)
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(play=plays)
def test_once_the_api_is_truthful_everything_is_told(play: Play) -> None:
    stage = played(play)
    check_told(stage)
    check_rate(stage)
    check_floor(stage)
    check_end(stage)
