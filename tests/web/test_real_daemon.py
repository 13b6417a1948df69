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
    CANARY,
    KEY,
    PATIENCE,
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

    def generation(self, lasting: float = 0.3) -> str:
        script = (("dreaming", lasting), ("completed", None))
        return self.upstream.add("luma-agents", script=script)

    async def order(self, **more: Any) -> httpx.Response:
        return await self.client.post("/v1/watches", json={"source": "luma", **more})

    async def held(self) -> list[Any]:
        query = {"status": "held"}
        response = await self.client.get("/v1/deliveries", params=query)
        found: list[Any] = response.json()["deliveries"]
        return found

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


async def test_a_source_tells_of_itself_and_takes_hints_from_outside(
    tmp_path: Path,
) -> None:
    async with AsyncExitStack() as stack:
        scene = Scene(tmp_path, stack)
        await scene.open()
        id_ = scene.generation()
        await scene.order(id=id_)
        (luma,) = (await scene.client.get("/v1/sources")).json()["sources"]
        assert (luma["standing"], luma["watching"]) == ("working", 1)
        url = f"http://127.0.0.1:{scene.port}{luma['hints_path']}"
        async with httpx.AsyncClient() as provider:
            body = {"data": {"task_id": id_}, "status": "done, believe me"}
            assert (await provider.post(url, json=body)).status_code == 204
            assert (await provider.post(url, content=b"\xff")).status_code == 204
            assert (await provider.post(url[:-1] + "x", json=body)).status_code == 404
        await accepted(scene.studio, 1, state="completed")
        told = [facts(one)["state"] for one in scene.studio.accepted]
        assert told.count("completed") == 1


async def test_what_was_learned_is_kept_at_the_end_and_known_at_the_start(
    tmp_path: Path,
) -> None:
    async with AsyncExitStack() as stack:
        scene = Scene(tmp_path, stack)
        await scene.open()
        # Long enough to be seen dreaming, also by a daemon that is slow to begin.
        await scene.order(id=scene.generation(lasting=2.0))
        await accepted(scene.studio, 1, state="completed")
        assert await scene.daemon.stop() == 0
        await scene.daemon.start()
        (luma,) = (await scene.client.get("/v1/sources")).json()["sources"]
        (table,) = (one for one in luma["tables"] if one["state"] == "dreaming")
        assert table["changes"] == 1.0
        assert sum(count for _, count in table["histogram"]) == pytest.approx(1, abs=0.01)


async def test_what_recurs_says_when_it_ran_and_when_it_runs_next(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        scene = Scene(tmp_path, stack)
        await scene.open()
        jobs = (await scene.client.get("/v1/schedule")).json()["jobs"]
        assert {one["name"] for one in jobs} >= {"liveness", "pace", "retention"}
        assert all(one["next_run"] for one in jobs)


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

        assert (await scene.command("status")).stdout.startswith("0 watches now")
        assert id_ in (await scene.command("status", "--all")).stdout
        assert (await scene.command("unwatch", "luma", id_)).returncode == 0
        unknown = await scene.command("unwatch", "luma", "none")
        assert unknown.returncode == 1
        assert unknown.stderr == "genbridge: this generation has never been watched\n"

        wrong = await scene.command("watch", "nobody", "x", "--until", "failed")
        assert wrong.returncode == 2
        assert "source: there is no such source; there is luma" in wrong.stderr
        assert "\n  until: one cannot wait" in wrong.stderr
        stranger = await scene.command("status", "--token", "x")
        assert stranger.returncode == 2
        assert "the token is missing or wrong" in stranger.stderr
        await scene.daemon.kill()
        gone = await scene.command("status")
        assert gone.returncode == 3
        assert "cannot be reached" in gone.stderr


async def test_a_delivery_is_shown_explained_and_sent_again(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        scene = Scene(tmp_path, stack)
        await scene.open(answers=(503,))
        id_ = scene.generation()
        await scene.order(id=id_, callback_url=place(scene.own, "own"), secret=OWN)
        await accepted(scene.own, 1, state="completed")
        listed = await scene.command("deliveries", "--json")
        first, *_ = reversed(json.loads(listed.stdout))
        assert (first["webhook"], first["generation_id"]) == ("callback 2", id_)
        one = await scene.command("deliveries", str(first["id"]))
        assert "503" in one.stdout
        assert "it means: the receiver has taken it" in one.stdout
        told = await scene.command("explain", str(first["id"]))
        assert "What comes next: nothing: the receiver has it." in told.stdout

        before = len(scene.own.accepted)
        again = await scene.command("replay", str(first["id"]))
        assert again.stdout == f"{first['id']} to callback 2: delivered\n"
        await accepted(scene.own, before + 1)
        assert scene.own.accepted[-1].headers["webhook-id"] == first["event"]

        dry = await scene.command("replay", "--status", "delivered", "--dry-run", "--json")
        count = json.loads(dry.stdout)["count"]
        assert count == before
        many = await scene.command("replay", "--status", "delivered", "--json")
        job = json.loads(many.stdout)
        assert (job["over"], job["done"]) == (True, count)
        await accepted(scene.own, before + 1 + count)


async def test_a_webhook_is_tried_paused_and_resumed(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        scene = Scene(tmp_path, stack)
        await scene.open()
        tried = await scene.command("send-test", "studio", "--event", "failed")
        assert tried.returncode == 0, tried.stderr
        assert "it means: the receiver has taken it" in tried.stdout
        assert "webhook-signature: " in tried.stdout
        assert CANARY not in tried.stdout
        (example,) = scene.studio.accepted
        assert facts(example)["state"] == "failed"
        assert (await scene.command("deliveries")).stdout == "0 deliveries\n"

        held = await scene.command("pause", "studio", "--why", "on holiday")
        assert held.returncode == 0, held.stderr
        id_ = scene.generation()
        await scene.order(id=id_)
        with anyio.fail_after(PATIENCE):
            while not (waiting := await scene.held()):  # noqa: ASYNC110  (nobody rings)
                await anyio.sleep(0.05)
        story = await scene.command("explain", str(waiting[0]["id"]))
        assert "nothing until studio is resumed (paused: on holiday)" in story.stdout
        assert len(scene.studio.accepted) == 1

        done = await scene.command("resume", "studio")
        assert done.stdout.startswith("studio is active; ")
        await accepted(scene.studio, 1, state="completed")
        assert not await scene.held()
        standing = (await scene.client.get("/v1/webhooks/studio")).json()
        assert (standing["condition"], standing["breaker"]) == ("active", "closed")
        assert standing["live"] is not None


async def test_a_receiver_that_is_away_is_diagnosed(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        scene = Scene(tmp_path, stack)
        await scene.open()
        await scene.studio.__aexit__(None, None, None)
        tried = await scene.command("send-test", "studio")
        assert tried.returncode == 1
        assert "no answer (connect)" in tried.stdout
        assert "next step: check that the receiver runs and listens there" in tried.stdout
