"""One daemon and every simulated API at once: each end, good and bad, is told once and whole."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import anyio
import pytest

from bridge.core.ladder import State
from bridge.core.looking import Abilities
from bridge.plugins import Plugins
from bridge.simulator.apis import APIS
from bridge.simulator.receiver import Received, Receiver
from bridge.simulator.timeline import Script
from bridge.telemetry.clock import SystemClock
from tests.e2e.daemon import Daemon
from tests.e2e.scene import (
    API_KEY,
    KEY,
    PATIENCE,
    Theatre,
    facts,
    settings,
    source,
    states,
    webhook,
)

pytestmark = pytest.mark.timeout(120)

TWO_PARTS = f"{API_KEY}:of-two-parts"
OPTIONS: Mapping[str, dict[str, Any]] = {
    "kling": {"api_key": TWO_PARTS},
    "relay-midjourney": {"auth": "mj-api-secret"},
}
"""What some sources need beside the usual: a token made of two parts, the proxy with a list."""

LIVES: Mapping[str, timedelta] = {
    "luma-agents": timedelta(hours=1),
    "relay-luma": timedelta(hours=1),
    "relay-luma-own": timedelta(hours=1),
    "flux": timedelta(minutes=10),
    "runway": timedelta(hours=24),
    "kling": timedelta(days=30),
    "replicate": timedelta(hours=1),
    "minimax": timedelta(hours=9),
    "minimax-v2": timedelta(hours=9),
    "veo": timedelta(hours=48),
    "stability": timedelta(hours=24),
    "heygen": timedelta(days=7),
    "ideogram": timedelta(hours=24),
}
"""How long links live by PROVIDERS.md, section 1; of the others it is not known."""

KEYED = ("openai-videos", "openai-batch", "veo", "stability")
"""Their links open with the source's key only."""

FILES: Mapping[str, Sequence[str]] = {
    "aimlapi-suno": ("audio", "video"),
    "flux": ("image",),
    "ideogram": ("image",),
    "openai-batch": ("file",),
    "relay-suno": ("audio", "video") * 2,
    "relay-udio": ("audio",),
    "stability": ("file",),
}
"""The types of what comes of a generation; one video, where nothing is said."""

OWN_CODE = "generation_failed"
FAILURES: Mapping[str, str] = {
    "luma-agents": OWN_CODE,
    "runway": OWN_CODE,
    "aimlapi-video": OWN_CODE,
    "aimlapi-suno": OWN_CODE,
    "openai-videos": OWN_CODE,
    "openai-batch": OWN_CODE,
    "fal": OWN_CODE,
    "flux": "error",
    "heygen": "40119",
    "minimax": "1027",
    "minimax-v2": "1026",
    "relay-midjourney": "failure",
    "relay-suno": "failure",
    "relay-udio": "failure",
    "stability": "CONTENT_FILTERED",
    "veo": "13",
}
"""The code of a failure: the API's own, or its word for it; mostly `failed`."""

WHY = "The simulated generation was told to fail"
SILENT = ("pika", "stability")
"""They do not say why."""

SIGNED = (None, timedelta(hours=1))
"""Of a link that is signed its end is known, also where no page tells of it."""

SLOWLY, RARELY = timedelta(seconds=5), timedelta(seconds=10)
"""Who has a longer floor than the one is not seen in the queue here, nor, than the other, before
the end."""

BAD = ("warning", "error", "critical")

ENDS: Mapping[str, Script] = {
    "good": (("completed", None),),
    "bad": (("failed", None),),
    "late": (("completed", None),),
}
"""The generations of each source; `late` is made, and over, while nobody looks at it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """What came of it.

    Ids and `walks` by (API, which of `ENDS`), everything that was sent, and what was warned of.
    """

    ids: Mapping[tuple[str, str], str]
    walks: Mapping[tuple[str, str], Sequence[str]]
    sent: Sequence[Received]
    warnings: Sequence[Mapping[str, Any]]

    def told(self, name: str, which: str) -> list[dict[str, Any]]:
        """Return the accepted events of a generation, in order."""
        id_ = self.ids[name, which]
        told = [facts(one) for one in self.sent if one.accepted]
        return [
            data for data in told if (data["source"], data["generation_id"]) == (name, id_)
        ]


@dataclass(slots=True, kw_only=True)
class Studio:
    """Who makes the generations, and moves them on when all that was to be told is told."""

    upstream: Theatre
    receiver: Receiver
    daemon: Daemon
    able: Mapping[str, Abilities]
    ids: dict[tuple[str, str], str] = field(default_factory=dict)

    def made(self, name: str, which: str, script: Script) -> None:
        """Begin a generation, or go on with it in another script."""
        id_ = self.ids.get((name, which))
        self.ids[name, which] = self.upstream.add(name, id=id_, script=script)

    def walk(self, name: str) -> Sequence[str]:
        """Return the states, before the end, that looks at an API have the time to see."""
        able = self.able[name]
        if able.floor > RARELY:
            return ()
        queues = State.QUEUED in APIS[name].words.rungs and able.floor <= SLOWLY
        return ("queued", "dreaming") if queues else ("dreaming",)

    def pairs(self) -> list[tuple[str, str]]:
        """Return what is watched from the beginning."""
        return [(n, w) for n in APIS for w in ("good", "bad") if self.walk(n)]

    def begin(self) -> None:
        """Begin what is watched from the beginning, and one for each list to be found by."""
        for name, which in self.pairs():
            end = ENDS[which]
            held: Script = (("queued", 3.0), ("dreaming", 6.0), *end)
            still: Script = ((self.walk(name)[0], None),)
            self.made(name, which, held if self.able[name].hold else still)
        for name in self.lists:
            self.upstream.add(name, id=f"text2video/{name}", script=(("dreaming", None),))

    @property
    def lists(self) -> list[str]:
        """Return the APIs with a list: nobody orders watches of what they make."""
        return [name for name, able in self.able.items() if able.listing]

    def settings(self) -> dict[str, Any]:
        """Return the configuration: every source, and watches where there is no list."""
        sources = {
            name: source(
                self.upstream.url(name),
                name,
                interval="1s",
                discover=name in self.lists,
                **OPTIONS.get(name, {}),
            )
            for name in APIS
        }
        watches = [
            {"source": name, "id": id_}
            for (name, _), id_ in self.ids.items()
            if name not in self.lists
        ]
        return settings(sources, {"studio": webhook(self.receiver.url)}, watches)

    async def told(self, state: str, pairs: Sequence[tuple[str, str]]) -> None:
        """Wait until a state of generations was told."""

        def missing() -> list[tuple[str, str]]:
            sent = self.receiver.accepted
            return [pair for pair in pairs if state not in states(sent, self.ids[pair])]

        with anyio.move_on_after(PATIENCE):
            await self.receiver.wait(lambda _: not missing())
        assert not missing(), f"{state} was not told of {missing()}"

    async def go_on(self) -> None:
        """Move everybody on, rung by rung, up to the end."""
        still = [pair for pair in self.pairs() if not self.able[pair[0]].hold]
        queued = [(name, which) for name, which in still if len(self.walk(name)) > 1]
        await self.told("queued", queued)
        for name, which in queued:
            self.made(name, which, (("dreaming", None),))
        await self.told("dreaming", still)
        for name, which in still:
            self.made(name, which, ENDS[which])

    async def find(self) -> None:
        """Make what is over before anybody looks, once the lists were read for the first time."""
        for name in self.lists:
            await self.daemon.logged("discovered generations", source=name)
            for which in ("good", "bad", "late"):
                if (name, which) not in self.ids:
                    self.made(name, which, ENDS[which])

    async def play(self) -> Night:
        """Play from the first question to the last end."""
        self.begin()
        self.upstream.curtain.ready()
        await self.daemon.start(self.settings())
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.go_on)
            tasks.start_soon(self.find)
        await self.told("failed", [pair for pair in self.ids if pair[1] == "bad"])
        await self.told("completed", [pair for pair in self.ids if pair[1] != "bad"])
        assert await self.daemon.stop() == 0
        return Night(
            ids=dict(self.ids),
            walks={pair: self.walk(pair[0]) for pair in self.pairs()},
            sent=list(self.receiver.deliveries),
            warnings=[one for one in self.daemon.entries if one["level"] in BAD],
        )


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Night:
    return anyio.run(play, tmp_path_factory.mktemp("night"))


async def play(folder: Path) -> Night:
    async with AsyncExitStack() as stack:
        upstream = await stack.enter_async_context(Theatre())
        upstream.switch("kling", key=TWO_PARTS)
        receiver = await stack.enter_async_context(
            Receiver(clock=SystemClock(), keys=[KEY])
        )
        daemon = await stack.enter_async_context(Daemon(folder))
        able = {name: abilities(name) for name in APIS}
        studio = Studio(upstream=upstream, receiver=receiver, daemon=daemon, able=able)
        return await studio.play()


def abilities(name: str) -> Abilities:
    options = {"api_key": API_KEY, "base_url": "http://127.0.0.1", **OPTIONS.get(name, {})}
    able: Abilities = Plugins().load("provider", name)(**options).abilities
    return able


def test_every_api_tells_each_state_of_each_generation_once_and_in_order(
    night: Night,
) -> None:
    assert {name for name, _ in night.ids} == set(APIS)
    for name, which in night.ids:
        climbed: list[str] = []
        for number, data in enumerate(night.told(name, which)):
            assert data["sequence"] == number
            assert data["previous_state"] == (climbed[-1] if number else None)
            climbed += [*data["skipped_states"], data["state"]]
        end = "failed" if which == "bad" else "completed"
        assert climbed == ["queued", "dreaming", end], (name, which)


def test_every_state_that_stood_long_enough_is_told_by_itself(night: Night) -> None:
    for (name, which), walk in night.walks.items():
        told = [data["state"] for data in night.told(name, which)]
        assert told[:-1] == list(walk), (name, which)


def test_every_event_is_signed_and_comes_once(night: Night) -> None:
    assert all(one.accepted for one in night.sent)
    named = [one.headers["webhook-id"] for one in night.sent]
    assert len(named) == len(set(named))


def test_every_completion_comes_with_its_outputs_and_the_end_of_their_links(
    night: Night,
) -> None:
    for name, which in night.ids:
        if which == "bad":
            continue
        last = night.told(name, which)[-1]
        outputs = last["outputs"]
        types = [output["type"] for output in outputs]
        assert types == list(FILES.get(name, ("video",))), name
        assert {output["needs_key"] for output in outputs} == {name in KEYED}, name
        assert last["failure"] is None
        assert last["progress"] == 1.0
        for output in outputs:
            lives = life(output, last)
            assert lives == LIVES[name] if name in LIVES else lives in SIGNED, name


def life(output: Mapping[str, Any], data: Mapping[str, Any]) -> timedelta | None:
    """How long a link lives from its signing on, or, where it is not signed, from the look on."""
    if output["expires_at"] is None:
        return None
    signed = parse_qs(urlsplit(output["url"]).query).get("X-Amz-Date")
    since = (
        datetime.strptime(signed[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if signed
        else datetime.fromisoformat(data["observed_at"])
    )
    return datetime.fromisoformat(output["expires_at"]) - since


def test_every_failure_comes_with_its_code_and_its_reason(night: Night) -> None:
    for name in APIS:
        last = night.told(name, "bad")[-1]
        assert last["outputs"] == [], name
        assert last["failure"]["code"] == FAILURES.get(name, "failed"), name
        reason = last["failure"]["reason"]
        assert reason == (None if name in SILENT else WHY), name


def test_where_all_goes_well_nothing_is_warned_of(night: Night) -> None:
    assert night.warnings == []
