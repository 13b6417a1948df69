"""Progress in one message of a channel: over kills, a restart, and what moderators delete."""

import random
import sqlite3
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing

import anyio
import pytest
from aiohttp import web

from bridge.core.network.exchange import Request
from tests.e2e.scene import CANARY, eventually, settings, source, webhook
from tests.e2e.stage import Stage, scene
from tests.fakes.chats import Discord

pytestmark = pytest.mark.timeout(120)

API = "luma-agents"
WORDS = ("Queued", "Dreaming", "Completed")
TOKEN = f"/api/webhooks/1/{CANARY}-token"


class Channel(Discord):
    """A channel of Discord's that is served; while it is `mute` it takes what it never answers."""

    url = ""
    mute = False

    @property
    def read(self) -> list[str]:
        """The titles of what stands there, the oldest first."""
        return [message.title for message in self.messages.values()]

    async def serve(self, request: web.Request) -> web.Response:
        """Take one request."""
        body = await request.read()
        headers = tuple(request.headers.items())
        url = str(request.url)
        asked = Request(method=request.method, url=url, headers=headers, body=body)
        answer = self.take(asked)
        if self.mute:
            await anyio.sleep(60)
        return web.json_response(body=answer.body, status=answer.status)


@asynccontextmanager
async def channel() -> AsyncIterator[Channel]:
    """Serve a channel on a port of the loopback address."""
    served = Channel()
    app = web.Application()
    app.router.add_route("*", TOKEN, served.serve)
    app.router.add_route("*", TOKEN + "/messages/{id}", served.serve)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        served.url = f"http://127.0.0.1:{port}{TOKEN}"
        yield served
    finally:
        await runner.cleanup()


def told(stage: Stage, talk: Channel, ids: Sequence[str]) -> None:
    """Watch generations that are queued, for a channel."""
    for id_ in ids:
        stage.upstream.add(API, id=id_, script=(("queued", None),))
    stage.upstream.curtain.ready()
    stage.daemon.configure(
        settings(
            {"luma": source(stage.upstream.url(API), API)},
            {"talk": webhook(talk.url, format="discord", live=True, timeout="5s")},
            [{"source": "luma", "ids": list(ids)}],
        )
    )


def go_on(stage: Stage, state: str, *ids: str) -> None:
    """Let generations come to a state, where they stay."""
    for id_ in ids:
        stage.upstream.add(API, id=id_, script=((state, None),))


async def reads(talk: Channel, *titles: str) -> None:
    await eventually(lambda: talk.read == list(titles), talk.told)


async def recorded(stage: Stage, count: int) -> None:
    """Wait until so many receipts are on the disk: a record follows its post a little later."""
    with closing(
        sqlite3.connect(f"{stage.daemon.database.as_uri()}?mode=ro", uri=True)
    ) as db:

        def receipts() -> int:
            found: int = db.execute("SELECT count(*) FROM receipts").fetchone()[0]
            return found

        await eventually(lambda: receipts() == count, receipts())


@scene
async def test_progress_is_edited_also_after_a_kill_and_the_end_is_a_new_message(
    stage: Stage,
) -> None:
    async with channel() as talk:
        told(stage, talk, ["g1"])
        await stage.daemon.start()
        await reads(talk, "Queued: luma g1")
        await recorded(stage, 1)
        await stage.daemon.kill()
        await stage.daemon.start()
        go_on(stage, "dreaming", "g1")
        await reads(talk, "Dreaming: luma g1")
        go_on(stage, "completed", "g1")
        await reads(talk, "Dreaming: luma g1", "Completed: luma g1")
        assert await stage.daemon.stop() == 0
        assert [method for method, _ in talk.asked] == ["POST", "PATCH", "POST"]
        assert talk.faults == []


@scene
async def test_a_message_that_was_deleted_is_posted_anew_and_edited_from_then_on(
    stage: Stage,
) -> None:
    async with channel() as talk:
        told(stage, talk, ["g1", "g2"])
        await stage.daemon.start()
        await recorded(stage, 2)
        talk.clear()
        go_on(stage, "dreaming", "g1")
        await reads(talk, "Dreaming: luma g1")
        assert [method for method, _ in talk.asked] == ["POST", "POST", "PATCH", "POST"]
        assert len({id_ for id_, title in talk.told if title == "Dreaming: luma g1"}) == 1
        assert not stage.daemon.logs("attempt failed")
        assert await stage.daemon.stop() == 0


@scene
async def test_a_post_that_a_kill_cut_off_comes_again_and_the_second_one_is_edited(
    stage: Stage,
) -> None:
    async with channel() as talk:
        talk.mute = True
        told(stage, talk, ["g1"])
        await stage.daemon.start()
        await reads(talk, "Queued: luma g1")
        await stage.daemon.kill()
        talk.mute = False
        await stage.daemon.start()
        await reads(talk, "Queued: luma g1", "Queued: luma g1")
        await recorded(stage, 1)
        go_on(stage, "dreaming", "g1")
        await reads(talk, "Queued: luma g1", "Dreaming: luma g1")
        first, second = talk.messages.values()
        assert first.ids == second.ids[:1]
        assert await stage.daemon.stop() == 0


KILLS = 6


@scene
async def test_kills_at_random_lose_disorder_and_fork_nothing(stage: Stage) -> None:
    chance = random.Random(7)
    ids = [f"g{number}" for number in range(5)]
    async with channel() as talk:
        told(stage, talk, ids)
        await stage.daemon.start()
        for kill in range(KILLS):
            going = ("queued", "queued", "dreaming", "dreaming", "completed", "completed")
            go_on(stage, going[kill], *chance.sample(ids, 3))
            await anyio.sleep(chance.uniform(0.0, 0.4))
            await stage.daemon.kill()
            await stage.daemon.start()
        go_on(stage, "completed", *ids)
        ends = {f"Completed: luma {id_}" for id_ in ids}
        await eventually(lambda: ends <= set(talk.read), talk.told)
        assert await stage.daemon.stop() == 0
        assert "PATCH" in [method for method, _ in talk.asked]
        check(talk, ids)


def check(talk: Channel, ids: Sequence[str]) -> None:
    """No state after a newer one, each under one id, and few messages of progress."""
    assert talk.faults == []
    named = defaultdict(set)
    for id_, title in talk.told:
        named[title].add(id_)
    assert all(len(ids) == 1 for ids in named.values())
    for generation in ids:
        titles = [title for _, title in talk.told if title.endswith(f" {generation}")]
        ranks = [WORDS.index(title.partition(":")[0]) for title in titles]
        assert ranks == sorted(ranks), titles
        standing = [title for title in talk.read if title.endswith(f" {generation}")]
        progress = [title for title in standing if not title.startswith("Completed")]
        # One, and one more for each kill between a post and its record.
        assert len(progress) <= 1 + KILLS
        assert standing[-1] == f"Completed: luma {generation}"
