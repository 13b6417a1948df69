"""The end: what is under way is finished, the rest waits for the next start."""

import signal
import sqlite3
from contextlib import closing

import pytest

from bridge.simulator.receiver import Scripted
from tests.e2e.scene import accepted, place, posted, settings, source, webhook
from tests.e2e.stage import Stage, scene

pytestmark = pytest.mark.timeout(120)

HANGING = Scripted(pause=300)
COUNT = 3


def queued(stage: Stage) -> None:
    """Watch three generations that stay queued, at a source that holds."""
    script = (("queued", None),)
    ids = [stage.upstream.add("aimlapi-luma", script=script) for _ in range(COUNT)]
    stage.upstream.curtain.ready()
    configure(stage, ids)


def configure(stage: Stage, ids: list[str], provider: str = "aimlapi-luma") -> None:
    stage.daemon.configure(
        settings(
            {"luma": source(stage.upstream.url(provider), provider)},
            {"studio": webhook(place(stage.receiver, "studio"))},
            [{"source": "luma", "ids": ids}],
        )
    )


@scene
async def test_holds_are_dropped_and_the_end_is_in_order(stage: Stage) -> None:
    daemon, receiver = stage.daemon, stage.receiver
    queued(stage)
    for number in (signal.SIGTERM, signal.SIGINT):
        await daemon.start()
        await accepted(receiver, COUNT)
        daemon.send(number)
        assert await daemon.ended() == 0
        assert "STOPPING=1" in daemon.notices
        assert [entry["event"] for entry in daemon.entries[-2:]] == ["stopping", "stopped"]
        assert not daemon.database.with_name("genbridge.db-wal").exists()


@scene
async def test_a_post_under_way_gets_its_answer_and_is_not_repeated(stage: Stage) -> None:
    daemon, receiver = stage.daemon, stage.receiver
    queued(stage)
    receiver.otherwise = Scripted(pause=1.5)
    await daemon.start()
    await posted(receiver, COUNT)
    assert await daemon.stop() == 0
    receiver.otherwise = 200
    await daemon.start()
    assert await daemon.stop() == 0
    assert len(receiver.deliveries) == COUNT


@scene
async def test_a_receiver_that_hangs_does_not_hold_up_the_end(stage: Stage) -> None:
    daemon, receiver = stage.daemon, stage.receiver
    queued(stage)
    receiver.otherwise = HANGING
    await daemon.start()
    await posted(receiver, COUNT)
    # The receiver's five minutes are far beyond the patience of `stop`.
    assert await daemon.stop() == 0
    assert daemon.logs("attempts were cut off; they are made again after the next start")
    assert daemon.logs("stopped")
    before = {one.headers["webhook-id"] for one in receiver.deliveries}
    receiver.deliveries.clear()
    receiver.otherwise = 200
    await daemon.start()
    await accepted(receiver, COUNT)
    assert {one.headers["webhook-id"] for one in receiver.deliveries} == before


@scene
async def test_a_second_signal_ends_it_at_once_and_loses_nothing(stage: Stage) -> None:
    daemon, receiver = stage.daemon, stage.receiver
    queued(stage)
    receiver.otherwise = HANGING
    await daemon.start()
    await posted(receiver, COUNT)
    daemon.send(signal.SIGTERM)
    await daemon.told("STOPPING=1")
    daemon.send(signal.SIGTERM)
    assert await daemon.ended() == 0
    assert not daemon.logs("stopped"), "it has waited for the drain"
    receiver.deliveries.clear()
    receiver.otherwise = 200
    await daemon.start()
    await accepted(receiver, COUNT)


@scene
async def test_a_reload_that_comes_too_late_does_not_disturb_the_end(stage: Stage) -> None:
    daemon, receiver = stage.daemon, stage.receiver
    queued(stage)
    receiver.otherwise = Scripted(pause=1.0)
    await daemon.start()
    await posted(receiver, COUNT)
    daemon.send(signal.SIGTERM)
    await daemon.told("STOPPING=1")
    daemon.send(signal.SIGHUP)
    assert await daemon.ended() == 0
    assert daemon.logs("stopped")


@scene
async def test_news_that_cannot_be_written_down_does_not_hold_up_the_end(
    stage: Stage,
) -> None:
    daemon, receiver = stage.daemon, stage.receiver
    id_ = stage.upstream.add("luma-agents", script=(("queued", None),))
    configure(stage, [id_], "luma-agents")
    await daemon.start()
    await accepted(receiver, 1)
    with closing(sqlite3.connect(daemon.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        stage.upstream.finish("luma-agents", id_)
        await daemon.logged("the store cannot write")
        assert await daemon.stop() == 0
        assert len(receiver.deliveries) == 1, "it was told before it was written down"
    await daemon.start()
    await accepted(receiver, 1, state="completed")


@scene
async def test_the_watchdog_hears_from_it_before_and_after_a_reload(stage: Stage) -> None:
    daemon = stage.daemon
    queued(stage)
    daemon.environment["WATCHDOG_USEC"] = "600000"
    await daemon.start()
    await daemon.told("WATCHDOG=1", times=2)
    daemon.send(signal.SIGHUP)
    await daemon.told("READY=1", times=2)
    await daemon.told("WATCHDOG=1", times=daemon.notices.count("WATCHDOG=1") + 2)
    assert await daemon.stop() == 0


@scene
async def test_without_a_watchdog_nothing_is_said_to_it(stage: Stage) -> None:
    queued(stage)
    await stage.daemon.start()
    assert await stage.daemon.stop() == 0
    said = [word for word in stage.daemon.notices if word.endswith("=1")]
    assert said == ["READY=1", "STOPPING=1"]
