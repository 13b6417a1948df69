"""Webhooks that people pause, try and show tokens to; rates and replays over a `kill -9`."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from uuid import uuid4

import anyio
import pytest
from aiohttp import web

from bridge.core.change import Change, Recipient
from bridge.core.delivering.delivery import Attempt, Delivery, Settlement, Status
from bridge.core.event import Event, envelope, event_id
from bridge.core.ladder import State
from bridge.core.message import Message
from bridge.core.network.exchange import Timings
from bridge.core.watch import Generation, Origin, Watch, WatchWish
from bridge.simulator.receiver import Scripted
from bridge.simulator.serving import LoopbackServer
from bridge.simulator.timeline import Script
from bridge.store.sqlite import SqliteStore
from bridge.telemetry.clock import SystemClock
from tests.e2e.api import Caller, calling
from tests.e2e.scene import (
    CANARY,
    KEY,
    PATIENCE,
    accepted,
    eventually,
    facts,
    free_port,
    place,
    posted,
    settings,
    source,
    states,
    until,
    webhook,
)
from tests.e2e.stage import Stage, scene

pytestmark = pytest.mark.timeout(120)

AIML = "aimlapi-luma"
WORDS = ["queued", "dreaming", "completed"]
QUEUED: Script = (("queued", None),)


def configured(stage: Stage, port: int, **options: object) -> None:
    """Configure one webhook, and nothing to watch."""
    stage.daemon.configure(
        settings(
            {"aiml": source(stage.upstream.url(AIML))},
            {"studio": webhook(place(stage.receiver, "studio"), **options)},
            [],
            port=port,
        )
    )


async def watch(stage: Stage, api: Caller, count: int, script: Script = QUEUED) -> None:
    """Order watches of new generations."""
    ids = [f"g{number}" for number in range(count)]
    for id_ in ids:
        stage.upstream.add(AIML, id=id_, script=script)
    stage.upstream.curtain.ready()
    for id_ in ids:
        await api.post("/v1/watches", {"source": "aiml", "id": id_})


# ---------------------------------------------------------------- people and webhooks


@scene
async def test_a_paused_webhook_holds_what_waits_and_gets_it_in_order_once_resumed(
    stage: Stage,
) -> None:
    port = free_port()
    configured(stage, port)
    await stage.daemon.start()
    async with calling(port) as api:
        paused = await api.post("/v1/webhooks/studio/pause", {"why": "maintenance"})
        assert (paused["condition"], paused["reason"]) == ("paused", "maintenance")
        await watch(
            stage, api, 3, (("queued", 0.4), ("dreaming", 0.4), ("completed", None))
        )
        for number in range(3):
            await stage.daemon.logged("generation completed", generation_id=f"g{number}")
        # It stays paused, whatever happens to the daemon.
        await stage.daemon.kill()
        await stage.daemon.start()
        assert (await api.get("/v1/webhooks/studio"))["condition"] == "paused"
        assert not stage.receiver.deliveries
        resumed = await api.post("/v1/webhooks/studio/resume")
        assert resumed["waiting"] == 9
        assert resumed["webhook"]["condition"] == "active"
    await accepted(stage.receiver, 9)
    for number in range(3):
        assert states(stage.receiver.accepted, f"g{number}") == WORDS
    assert await stage.daemon.stop() == 0


@scene
async def test_a_webhook_that_is_gone_stays_off_until_somebody_resumes_it(
    stage: Stage,
) -> None:
    port = free_port()
    configured(stage, port)
    stage.receiver.answers.append(410)
    await stage.daemon.start()
    async with calling(port) as api:
        await watch(stage, api, 1)
        await stage.daemon.logged("webhook disabled", webhook="studio", level="error")
        # The log is ahead of the disk.
        await condition(api, "disabled")
        await stage.daemon.kill()
        await stage.daemon.start()
        await api.post("/v1/reload")
        shown = await api.get("/v1/webhooks/studio")
        assert shown["condition"] == "disabled"
        assert "410" in shown["reason"]
        assert len(stage.receiver.deliveries) == 1
        assert (await api.post("/v1/webhooks/studio/resume"))["waiting"] == 1
    await accepted(stage.receiver, 1, state="queued")
    assert len({one.headers["webhook-id"] for one in stage.receiver.deliveries}) == 1
    assert await stage.daemon.stop() == 0


@scene
async def test_a_callers_webhook_that_was_off_at_the_start_is_sent_to_once_it_is_resumed(
    stage: Stage,
) -> None:
    port = free_port()
    configured(stage, port)
    stage.receiver.answers.append(410)
    await stage.daemon.start()
    own = {"callback_url": place(stage.receiver, "own"), "secret": KEY.text}
    async with calling(port) as api:
        stage.upstream.add(AIML, id="g0", script=(("completed", None),))
        stage.upstream.curtain.ready()
        await api.post("/v1/watches", {"source": "aiml", "id": "g0", **own})
        await stage.daemon.logged("webhook disabled", level="error")
        (brought,) = (
            one
            for one in (await api.get("/v1/webhooks"))["webhooks"]
            if one["name"] != "studio"
        )
        await condition(api, "disabled", brought["name"])
        # Its watch is over and nothing of it is due: at the start nobody meets it.
        await stage.daemon.kill()
        await stage.daemon.start()
        resumed = await api.post(f"/v1/webhooks/{brought['name']}/resume")
        assert resumed["waiting"] == 1
    await accepted(stage.receiver, 1, state="completed")
    assert len(stage.receiver.deliveries) == 2
    assert await stage.daemon.stop() == 0


async def condition(api: Caller, wanted: str, webhook: str = "studio") -> None:
    """Wait until a webhook stands so on the disk."""
    with anyio.fail_after(PATIENCE):
        while (await api.get(f"/v1/webhooks/{webhook}"))["condition"] != wanted:  # noqa: ASYNC110  (it must be asked)
            await anyio.sleep(0.02)


@scene
async def test_a_trial_is_sent_and_explained_and_leaves_no_trace(stage: Stage) -> None:
    port = free_port()
    configured(stage, port)
    refusal = Scripted(status=500, body=b"the database is away")
    stage.receiver.answers.append(refusal)
    await stage.daemon.start()
    async with calling(port) as api:
        failed = await api.post("/v1/webhooks/studio/test")
        good = await api.post("/v1/webhooks/studio/test", {"event": "queued"})
        kept = await api.get("/v1/deliveries")
    assert CANARY not in json.dumps([failed, good])
    first, second = stage.receiver.deliveries
    assert first.seal.good
    assert second.seal.good
    assert facts(second)["state"] == "queued"
    assert "500" in json.dumps(failed)
    assert "the database is away" in json.dumps(failed)
    assert kept["deliveries"] == []
    assert await stage.daemon.stop() == 0


# ---------------------------------------------------------------- OAuth2


@dataclass
class Tokens:
    """A token server and a receiver that takes the second token only."""

    fetched: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.content.read()
        if request.path.endswith("/token"):
            self.fetched.append(body.decode())
            token = f"{CANARY}-token-{len(self.fetched)}"
            document = {"access_token": token, "token_type": "bearer", "expires_in": 3600}
            return web.json_response(document)
        self.shown.append(request.headers.get("authorization", ""))
        if self.shown[-1] != f"Bearer {CANARY}-token-2":
            return web.Response(status=401)
        self.told.append(json.loads(body)["data"]["state"])
        return web.Response(status=204)


@scene
async def test_a_receiver_behind_oauth2_is_shown_a_token_and_a_new_one_after_a_401(
    stage: Stage,
) -> None:
    tokens = Tokens()
    async with LoopbackServer(tokens.handle) as server:
        auth = {
            "type": "oauth2",
            "token_url": f"{server.origin}/{CANARY}/token",
            "client_id": "genbridge",
            "client_secret": f"{CANARY}-client-secret",
            "scope": "events",
        }
        id_ = stage.upstream.add(AIML, id="g0", script=tuple((w, 0.3) for w in WORDS))
        stage.upstream.curtain.ready()
        await stage.daemon.start(
            settings(
                {"aiml": source(stage.upstream.url(AIML))},
                {"studio": webhook(f"{server.origin}/{CANARY}/hook", auth=auth)},
                [{"source": "aiml", "id": id_}],
            )
        )
        await eventually(lambda: "completed" in tokens.told, tokens)
        assert await stage.daemon.stop() == 0
    assert tokens.told == sorted(tokens.told, key=WORDS.index)
    assert len(tokens.fetched) == 2
    assert all("scope=events" in one for one in tokens.fetched)
    assert tokens.shown[0] == f"Bearer {CANARY}-token-1"
    assert not stage.daemon.logs("attempt failed")


# ---------------------------------------------------------------- over a kill


@scene
async def test_a_rate_holds_over_a_kill(stage: Stage) -> None:
    port = free_port()
    configured(stage, port, rate_limit="20/m")
    await stage.daemon.start()
    async with calling(port) as api:
        await watch(stage, api, 3)
    await accepted(stage.receiver, 1)
    await stage.daemon.kill()
    await stage.daemon.start()
    await accepted(stage.receiver, 3)
    moments = [one.at for one in stage.receiver.deliveries]
    pauses = [later - sooner for sooner, later in pairwise(moments)]
    # A fast machine has to wait as a slow one has: a tenth is for the way to the receiver.
    assert min(pauses) >= timedelta(seconds=2.7)
    assert await stage.daemon.stop() == 0


MANY = 4000


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[tuple[SqliteStore, int]]:
    """Open a database as the daemon does, while there is none; give its webhook's id."""
    store = await SqliteStore.open(path, clock=SystemClock(), uid=uuid4, version="test")
    async with store:
        yield store, (await store.webhooks(["name:studio"]))["name:studio"].id


def completed(watch: Watch, hook: int) -> Change:
    now = SystemClock().now()
    event = Event(
        tag="completed",
        occurred_at=now,
        source=watch.generation.source,
        provider=AIML,
        generation_id=watch.generation.id,
        state=State.COMPLETED,
        native_state="completed",
        previous_state=None,
        observed_at=now,
        sequence=0,
    )
    lease = timedelta(seconds=30)
    return Change(
        watch=watch,
        rank=State.COMPLETED,
        native_state="completed",
        ended="completed",
        tag=event.tag,
        message=Message(id=event_id(watch.uid, event.tag), body=envelope(event)),
        recipients=(Recipient(webhook=hook, room=True, lease=lease),),
    )


async def leave_failed(path: Path, count: int) -> set[str]:
    """Leave failed deliveries in a database; return their webhook-ids."""
    ids: set[str] = set()
    async with opened(path) as (store, hook):
        for start in range(0, count, 500):
            wishes = [
                WatchWish(
                    generation=Generation("aiml", f"old{number}"),
                    origin=Origin.API,
                    webhooks=(hook,),
                )
                for number in range(start, start + 500)
            ]
            watches = (await store.register(wishes)).started
            changes = [completed(watch, hook) for watch in watches]
            written = await store.write(changes, [])
            ids |= {str(change.message.id) for change in changes}
            born = [
                (one, change)
                for change, recorded in zip(changes, written.recorded, strict=True)
                for one in recorded.deliveries
            ]
            await store.write(
                [], [failed(one.id, one.fence, hook, change) for one, change in born]
            )
    return ids


def failed(id_: int, fence: int, hook: int, change: Change) -> Settlement:
    delivery = Delivery(
        id=id_,
        fence=fence,
        webhook=hook,
        watch=change.watch.id,
        seq=change.seq,
        attempt=1,
        tries=0,
        manual=False,
        message=change.message,
    )
    attempt = Attempt(number=1, code=400, why="http-400: refused", timings=Timings())
    return Settlement(delivery=delivery, status=Status.FAILED, attempt=attempt)


@scene
async def test_a_replay_that_a_kill_cuts_short_goes_on_where_it_stood(stage: Stage) -> None:
    port = free_port()
    configured(stage, port)
    ids = await leave_failed(stage.daemon.database, MANY)
    await stage.daemon.start()
    async with calling(port) as api:
        begun = await api.post("/v1/deliveries/retry", {"status": "failed"})
        await posted(stage.receiver, 1)
        await stage.daemon.kill()
        assert not stage.daemon.logs("replay over"), "it was over too soon to be cut short"
        await stage.daemon.start()
        over = await stage.daemon.logged("replay over", replay=begun["id"])
        assert over["deliveries"] == MANY

    def whole(_: object) -> bool:
        return len(stage.receiver.deliveries) >= MANY and ids <= {
            one.headers["webhook-id"] for one in stage.receiver.accepted
        }

    await until(stage.receiver, whole)
    told = [one.headers["webhook-id"] for one in stage.receiver.deliveries]
    assert set(told) == ids
    # What was under way at the kill may come twice, and nothing else.
    assert len(told) <= MANY + 8
    assert all(int(one.headers["webhook-attempt"]) > 1 for one in stage.receiver.deliveries)
    assert await stage.daemon.stop() == 0
