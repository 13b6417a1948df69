"""SIGHUP: a good file is worked under from now on, a bad one changes nothing and is told why."""

import signal
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from tests.e2e.daemon import Daemon
from tests.e2e.scene import (
    accepted,
    at,
    facts,
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

ETERNAL = (("queued", None),)
DONE = (("completed", None),)


def configured(
    stage: Stage, watches: dict[str, str], *webhooks: str, **more: Any
) -> dict[str, Any]:
    """Return settings: watches as ids with their sources, and webhooks by name."""
    providers = {"aiml": "aimlapi-luma", "dream": "dream-machine", "luma": "luma-agents"}
    return settings(
        {
            name: source(stage.upstream.url(providers[name]), providers[name])
            for name in sorted(set(watches.values()))
        },
        {name: webhook(place(stage.receiver, name)) for name in webhooks},
        [{"source": where, "id": id_} for id_, where in watches.items()],
        **more,
    )


async def reload(daemon: Daemon, new: dict[str, Any]) -> None:
    """Let the daemon read another configuration; return when it has said that it has."""
    count = daemon.notices.count("READY=1")
    daemon.configure(new)
    daemon.send(signal.SIGHUP)
    await daemon.told("READY=1", times=count + 1)


@scene
async def test_a_source_a_webhook_and_a_watch_that_are_added_work_at_once(
    stage: Stage,
) -> None:
    upstream, receiver, daemon = stage.upstream, stage.receiver, stage.daemon
    old = upstream.add("aimlapi-luma", script=ETERNAL)
    new = upstream.add("dream-machine", script=DONE)
    await daemon.start(configured(stage, {old: "aiml"}, "studio"))
    await accepted(receiver, 1)
    await reload(daemon, configured(stage, {old: "aiml", new: "dream"}, "studio", "sheet"))
    await until(receiver, lambda one: states(at(one, "studio"), new) == ["completed"])
    await until(receiver, lambda one: states(at(one, "sheet"), new) == ["completed"])
    # The watch that was there gets the new webhook too, and that one the latest event.
    await until(receiver, lambda one: states(at(one, "sheet"), old) == ["queued"])
    assert states(at(receiver, "studio"), old) == ["queued"]
    assert daemon.notices.count("RELOADING=1") == 1
    assert [line for line in daemon.notices if line.startswith("MONOTONIC_USEC=")]
    assert "STATUS=reloaded" in daemon.notices
    assert await daemon.stop() == 0


@scene
async def test_a_watch_that_is_removed_is_ended(stage: Stage) -> None:
    upstream, receiver, daemon = stage.upstream, stage.receiver, stage.daemon
    kept, removed = (upstream.add("luma-agents", script=ETERNAL) for _ in range(2))
    both = {removed: "luma", kept: "luma"}
    await daemon.start(configured(stage, both, "studio"))
    await accepted(receiver, 2)
    await reload(daemon, configured(stage, {kept: "luma"}, "studio"))
    upstream.finish("luma-agents", removed, kept)
    await accepted(receiver, 1, state="completed")
    assert await daemon.stop() == 0
    assert states(receiver.accepted, removed) == ["queued"]
    assert states(receiver.accepted, kept) == ["queued", "completed"]


@scene
async def test_a_source_that_is_removed_is_asked_no_more(stage: Stage) -> None:
    upstream, receiver, daemon = stage.upstream, stage.receiver, stage.daemon
    first = upstream.add("aimlapi-luma", script=ETERNAL)
    second = upstream.add("dream-machine", script=ETERNAL)
    await daemon.start(configured(stage, {first: "aiml", second: "dream"}, "studio"))
    await accepted(receiver, 2)
    await until(receiver, lambda _: upstream.open == 1)
    new = configured(stage, {second: "dream"}, "studio")
    await reload(daemon, new)
    assert await daemon.stop() == 0
    asked = [call.provider for call in upstream.requests].count("aimlapi-luma")
    await daemon.start()
    assert await daemon.stop() == 0
    assert [call.provider for call in upstream.requests].count("aimlapi-luma") == asked


@scene
async def test_a_changed_url_is_used_for_what_is_pending(stage: Stage) -> None:
    upstream, receiver, daemon = stage.upstream, stage.receiver, stage.daemon
    id_ = upstream.add("aimlapi-luma", script=DONE)
    receiver.otherwise = 500
    first = configured(stage, {id_: "aiml"}, "studio")
    await daemon.start(first)
    await posted(receiver, 2)
    first["webhooks"]["studio"]["url"] = place(receiver, "elsewhere")
    await reload(daemon, first)
    receiver.otherwise = 200
    await accepted(receiver, 1)
    (one,) = receiver.accepted
    assert one.path.endswith("/elsewhere")
    (uid,) = {one.headers["webhook-id"] for one in receiver.deliveries}
    assert one.headers["webhook-id"] == uid
    assert int(one.headers["webhook-attempt"]) > 2
    assert await daemon.stop() == 0


@scene
async def test_a_webhook_that_is_removed_is_told_nothing_more(stage: Stage) -> None:
    upstream, receiver, daemon = stage.upstream, stage.receiver, stage.daemon
    id_ = upstream.add("luma-agents", script=ETERNAL)
    await daemon.start(configured(stage, {id_: "luma"}, "studio", "sheet"))
    await accepted(receiver, 2)
    await reload(daemon, configured(stage, {id_: "luma"}, "studio"))
    upstream.finish("luma-agents", id_)
    await accepted(receiver, 1, state="completed")
    assert await daemon.stop() == 0
    assert states(at(receiver, "studio"), id_) == ["queued", "completed"]
    assert states(at(receiver, "sheet"), id_) == ["queued"]


@scene
async def test_a_bad_file_changes_nothing_and_its_mistakes_are_told(stage: Stage) -> None:
    upstream, receiver, daemon = stage.upstream, stage.receiver, stage.daemon
    id_ = upstream.add("luma-agents", script=ETERNAL)
    good = configured(stage, {id_: "luma"}, "studio")
    await daemon.start(good)
    await accepted(receiver, 1)
    bad = {**good, "webhooks": {}, "watches": [{"source": "nobody", "id": "x"}]}
    await reload(daemon, bad)
    refused = await daemon.logged("reload refused", level="error")
    assert "nobody" in refused["reason"]
    assert "config.yaml:" in refused["reason"]
    told = [line for line in daemon.notices if line.startswith("STATUS=reload refused: ")]
    assert len(told) == 1
    upstream.finish("luma-agents", id_)
    await accepted(receiver, 1, state="completed")
    # And a good one is taken as if nothing had been.
    await reload(daemon, good)
    assert "STATUS=reloaded" in daemon.notices
    assert await daemon.stop() == 0


@scene
async def test_a_reload_that_cannot_be_written_down_is_refused_and_can_be_repeated(
    stage: Stage,
) -> None:
    upstream, receiver, daemon = stage.upstream, stage.receiver, stage.daemon
    old = upstream.add("aimlapi-luma", script=ETERNAL)
    new = upstream.add("aimlapi-luma", script=DONE)
    await daemon.start(configured(stage, {old: "aiml"}, "studio"))
    await accepted(receiver, 1)
    both = configured(stage, {old: "aiml", new: "aiml"}, "studio")
    with closing(sqlite3.connect(daemon.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        await reload(daemon, both)
        refused = await daemon.logged("reload refused")
        assert "database is locked" in refused["reason"]
    await reload(daemon, both)
    await accepted(receiver, 1, state="completed")
    assert facts(receiver.accepted[-1])["generation_id"] == new
    assert await daemon.stop() == 0


@scene
async def test_many_reloads_during_deliveries_lose_and_repeat_nothing(stage: Stage) -> None:
    upstream, receiver, daemon = stage.upstream, stage.receiver, stage.daemon
    script = (("queued", 0.6), ("dreaming", 0.6), ("completed", None))
    ids = [upstream.add("aimlapi-luma", script=script) for _ in range(8)]
    upstream.curtain.ready()
    whole = configured(stage, dict.fromkeys(ids, "aiml"), "studio")
    await daemon.start(whole)
    for number in range(8):
        whole["sources"]["aiml"]["max_connections"] = 100 + number
        await reload(daemon, whole)
    await accepted(receiver, len(ids), state="completed")
    assert await daemon.stop() == 0
    for id_ in ids:
        told = states(receiver.accepted, id_)
        assert told == [
            word for word in ("queued", "dreaming", "completed") if word in told
        ]
