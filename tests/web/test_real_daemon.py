"""The API of a daemon that runs as a process, and the commands that talk to it."""

import json
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import anyio
import httpx
import pytest

from bridge.core.delivering.signing import read_key
from bridge.simulator.receiver import Receiver
from bridge.telemetry.clock import SystemClock
from tests.cli.calling import genbridge
from tests.e2e.daemon import Daemon
from tests.e2e.scene import (
    KEY,
    TOKEN,
    Theatre,
    accepted,
    facts,
    free_port,
    place,
    posted,
    settings,
    source,
    webhook,
)

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(60)]

OWN = "whsec_canaryOfTheCallerWhoBringsItAlong000000000A="


class Scene:
    """A daemon with one source and one webhook, and a caller with a receiver of its own."""

    def __init__(self, folder: Path, stack: AsyncExitStack) -> None:
        self.folder = folder
        self.stack = stack
        self.port = free_port()

    async def open(self, *, answers: tuple[int, ...] = ()) -> None:
        enter = self.stack.enter_async_context
        self.upstream = await enter(Theatre())
        self.studio = await enter(Receiver(clock=SystemClock(), keys=[KEY]))
        self.own = await enter(
            Receiver(clock=SystemClock(), keys=[read_key(OWN)], answers=answers)
        )
        self.upstream.curtain.ready()
        self.daemon = await enter(Daemon(self.folder))
        self.client = await enter(
            httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{self.port}",
                headers={"authorization": f"Bearer {TOKEN}"},
            )
        )
        await self.daemon.start(
            settings(
                {"luma": source(self.upstream.url("luma-agents"), "luma-agents")},
                {"studio": webhook(place(self.studio, "studio"))},
                [],
                port=self.port,
            )
        )

    def generation(self) -> str:
        script = (("dreaming", 0.3), ("completed", None))
        return self.upstream.add("luma-agents", script=script)

    async def order(self, **more: Any) -> httpx.Response:
        return await self.client.post("/v1/watches", json={"source": "luma", **more})

    async def command(self, *arguments: str) -> CompletedProcess[str]:
        call = partial(genbridge, *arguments, "-c", self.daemon.config)
        return await anyio.to_thread.run_sync(call)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_a_callback_of_ones_own_is_signed_with_its_own_secret(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        scene = Scene(tmp_path, stack)
        await scene.open()
        id_ = scene.generation()
        response = await scene.order(
            id=id_, callback_url=place(scene.own, "own"), secret=OWN, metadata={"order": 1}
        )
        assert response.status_code == 201
        await accepted(scene.own, 1, state="completed")
        assert all(facts(one)["metadata"] == {"order": 1} for one in scene.own.accepted)
        assert not scene.studio.deliveries

        # Whoever joins later is told the latest at once.
        again = await scene.order(id=id_, webhooks=["studio"])
        assert (again.status_code, again.json()["active"]) == (200, False)
        await accepted(scene.studio, 1, state="completed")
        timeline = (await scene.client.get(f"/v1/watches/luma/{id_}")).json()
        last = timeline["events"][-1]
        assert {one["webhook"] for one in last["deliveries"]} == {"studio", "callback 2"}


async def test_what_is_pending_for_a_callback_goes_out_after_a_kill(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        scene = Scene(tmp_path, stack)
        await scene.open(answers=(503, 503))
        id_ = scene.generation()
        await scene.order(id=id_, callback_url=place(scene.own, "own"), secret=OWN)
        await posted(scene.own, 1)
        await scene.daemon.kill()
        first = scene.own.deliveries[0]
        await scene.daemon.start()
        await accepted(scene.own, 1, state="completed")
        ids = {one.headers["webhook-id"] for one in scene.own.accepted}
        assert first.headers["webhook-id"] in ids
        listed = (await scene.client.get("/v1/webhooks")).json()["webhooks"]
        assert [one["callback"] for one in listed] == [False, True]


async def test_a_watch_goes_on_for_its_callback_over_a_reload(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        scene = Scene(tmp_path, stack)
        await scene.open()
        id_ = scene.generation()
        await scene.order(id=id_, callback_url=place(scene.own, "own"), secret=OWN)
        assert (await scene.client.post("/v1/reload")).status_code == 200
        await accepted(scene.own, 1, state="completed")
        scene.daemon.config.write_text("webhoks: {}\n")
        refused = await scene.client.post("/v1/reload")
        assert refused.status_code == 409
        assert "did you mean webhooks?" in refused.json()["detail"]


async def test_the_commands_talk_to_the_daemon(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        scene = Scene(tmp_path, stack)
        await scene.open()
        id_ = scene.generation()
        done = await scene.command("watch", "luma", id_, "--metadata", "order=1042")
        assert (done.returncode, done.stdout) == (
            0,
            "watching until completed; told: studio\n",
        )
        await accepted(scene.studio, 1, state="completed")
        assert facts(scene.studio.accepted[0])["metadata"] == {"order": 1042}

        done = await scene.command("status", "luma", id_, "--json")
        document = json.loads(done.stdout)
        assert document["events"][-1]["type"] == "generation.completed"
        done = await scene.command("status", "luma", id_)
        assert "generation.completed" in done.stdout
        assert "studio: delivered after 1 attempt" in done.stdout

        assert (await scene.command("status")).stdout == "0 watches\n"
        assert id_ in (await scene.command("status", "--all")).stdout
        assert (await scene.command("unwatch", "luma", id_)).returncode == 0
        unknown = await scene.command("unwatch", "luma", "none")
        assert unknown.returncode == 1
        assert unknown.stderr == "genbridge: this generation has never been watched\n"

        wrong = await scene.command("watch", "nobody", "x", "--until", "failed")
        assert wrong.returncode == 2
        assert "$.source: there is no such source; there is luma" in wrong.stderr
        assert "$.until" in wrong.stderr
        stranger = await scene.command("status", "--token", "x")
        assert stranger.returncode == 2
        assert "the token is missing or wrong" in stranger.stderr
        await scene.daemon.kill()
        gone = await scene.command("status")
        assert gone.returncode == 3
        assert "cannot be reached" in gone.stderr
