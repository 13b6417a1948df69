"""`kill -9` at the worst moments: after the next start everything goes out, under the same id."""

import random
from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

import anyio
import pytest

from bridge.simulator.receiver import Received, Receiver, Scripted
from bridge.simulator.switches import Fault
from tests.e2e.daemon import Daemon
from tests.e2e.scene import (
    accepted,
    at,
    facts,
    place,
    posted,
    settings,
    source,
    until,
    webhook,
)
from tests.e2e.stage import Stage, scene

pytestmark = pytest.mark.timeout(120)

WORDS = ["queued", "dreaming", "completed"]
SCRIPT = (("queued", 0.2), ("dreaming", 0.2), ("completed", None))
STARTS = 4
"""Starts that are cut off."""


def five(stage: Stage) -> list[str]:
    """Watch five generations at a source that holds, for two webhooks; return their ids."""
    upstream, receiver = stage.upstream, stage.receiver
    ids = [upstream.add("aimlapi-luma", script=SCRIPT) for _ in range(5)]
    upstream.curtain.ready()
    stage.daemon.configure(
        settings(
            {"aiml": source(upstream.url("aimlapi-luma"))},
            {name: webhook(place(receiver, name)) for name in ("studio", "sheet")},
            [{"source": "aiml", "ids": ids}],
        )
    )
    return ids


def check(receiver: Receiver, ids: Sequence[str]) -> None:
    """Everything arrived or is named as skipped, in order, and each event under one id."""
    for name in ("studio", "sheet"):
        good = [facts(one) for one in at(receiver, name) if one.accepted]
        for id_ in ids:
            mine = [data for data in good if data["generation_id"] == id_]
            told = {
                word for data in mine for word in (data["state"], *data["skipped_states"])
            }
            assert told == set(WORDS), (name, id_, mine)
            numbers = [data["sequence"] for data in mine]
            assert numbers == sorted(numbers), "an older state after a newer one"
    events = named(receiver.deliveries)
    assert all(len(uids) == 1 for uids in events.values())
    assert len({uid for uids in events.values() for uid in uids}) == len(events)


def recorded(daemon: Daemon) -> set[tuple[str, str]]:
    """Return the events that the present run has said to have recorded."""
    return {
        (entry["generation_id"], entry["event"].removeprefix("generation "))
        for entry in daemon.entries
        if entry["event"].startswith("generation ")
    }


async def all_told(receiver: Receiver, events: set[tuple[str, str]]) -> None:
    """Wait until both webhooks have accepted these events."""
    await until(
        receiver,
        lambda one: all(
            events <= {*named([x for x in at(one, name) if x.accepted])}
            for name in ("studio", "sheet")
        ),
    )


def named(deliveries: Sequence[Received]) -> dict[tuple[str, str], set[UUID]]:
    """Return the webhook-ids under which each event was sent."""
    found = defaultdict(set)
    for one in deliveries:
        data = facts(one)
        found[data["generation_id"], data["state"]].add(UUID(one.headers["webhook-id"]))
    return found


@scene
async def test_a_kill_while_deliveries_are_pending_loses_none_of_them(stage: Stage) -> None:
    daemon, receiver, ids = stage.daemon, stage.receiver, five(stage)
    receiver.otherwise = 503
    await daemon.start()
    for id_ in ids:
        await daemon.logged("generation completed", generation_id=id_)
    await daemon.kill()
    said, before = recorded(daemon), named(receiver.deliveries)
    assert before
    assert not receiver.accepted
    # What is told from now on can only come from the database.
    stage.upstream.switch(fault=Fault.ERROR_500)
    receiver.otherwise = 200
    await daemon.start()
    await all_told(receiver, said)
    assert await daemon.stop() == 0
    check(receiver, ids)
    # Each webhook had heard of the first state alone, for what follows waits for it.
    assert len(before) == len(ids)


@scene
async def test_a_kill_while_a_post_is_unanswered_repeats_it_under_its_id(
    stage: Stage,
) -> None:
    daemon, receiver, ids = stage.daemon, stage.receiver, five(stage)
    receiver.otherwise = Scripted(pause=30)
    await daemon.start()
    await posted(receiver, 2 * len(ids))
    for id_ in ids:
        await daemon.logged("generation completed", generation_id=id_)
    await daemon.kill()
    said, unanswered = recorded(daemon), named(receiver.deliveries)
    receiver.deliveries.clear()
    receiver.otherwise = 200
    await daemon.start()
    await all_told(receiver, said)
    assert await daemon.stop() == 0
    check(receiver, ids)
    again = named(receiver.deliveries)
    assert {fact: again[fact] for fact in unanswered} == unanswered
    for one in receiver.deliveries:
        first = (facts(one)["generation_id"], facts(one)["state"]) not in unanswered
        assert one.headers["webhook-attempt"] == ("1" if first else "2")


@scene
async def test_what_was_recorded_an_instant_before_the_kill_is_told(stage: Stage) -> None:
    daemon, receiver, _ids = stage.daemon, stage.receiver, five(stage)
    receiver.otherwise = Scripted(pause=30)
    await daemon.start()
    await daemon.logged("generation completed")
    await daemon.kill()
    said = recorded(daemon)
    stage.upstream.switch(fault=Fault.ERROR_500)
    receiver.deliveries.clear()
    receiver.otherwise = 200
    await daemon.start()
    await all_told(receiver, said)
    assert await daemon.stop() == 0


@scene
async def test_kills_during_the_start_do_no_harm(stage: Stage) -> None:
    daemon, receiver, ids = stage.daemon, stage.receiver, five(stage)
    chance = random.Random(7)
    await daemon.begin()
    with anyio.move_on_after(20) as took:
        await daemon.told("READY=1")
    span = 20 - (took.deadline - anyio.current_time())
    await daemon.kill()
    for _ in range(STARTS):
        await daemon.begin()
        await anyio.sleep(span * chance.uniform(0.3, 1.1))
        await daemon.kill()
    await daemon.start()
    await accepted(receiver, 2 * len(ids), state="completed")
    assert await daemon.stop() == 0
    check(receiver, ids)


@scene
async def test_a_state_that_was_told_before_the_kill_is_not_told_again(
    stage: Stage,
) -> None:
    daemon, receiver, ids = stage.daemon, stage.receiver, five(stage)
    await daemon.start()
    await accepted(receiver, 2 * len(ids), state="completed")
    # The end of the run settles what was answered; a kill may repeat the last few.
    assert await daemon.stop() == 0
    count = len(receiver.deliveries)
    await daemon.start()
    assert await daemon.stop() == 0
    assert len(receiver.deliveries) == count
    check(receiver, ids)
