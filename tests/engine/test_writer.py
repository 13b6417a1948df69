"""The writer: groups, a store that is away, a row that the store refuses."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import UUID

import anyio
import pytest

from bridge.core.change import Change, Recorded
from bridge.core.delivering.delivery import (
    Attempt,
    Delivery,
    Settlement,
    Status,
    WebhookState,
)
from bridge.core.ladder import State
from bridge.core.message import Message
from bridge.core.network.exchange import Timings
from bridge.core.ports import Written
from bridge.core.watch import Generation, Watch
from bridge.engine.writer import Writer
from bridge.errors import StoreError, StoreUnavailable
from tests.engine.rig import Lines
from tests.fakes.clock import VirtualClock

pytestmark = pytest.mark.anyio

MESSAGE = Message(id=UUID(int=1), body=b"{}")


class Ledger:
    """A store that takes a tenth of a second for each commit, and refuses what it is told to."""

    def __init__(self) -> None:
        self.groups: list[tuple[list[int], list[int]]] = []
        self.refuses: Callable[[set[int]], Exception | None] = lambda _: None
        self.dislikes: Callable[[Settlement], bool] = lambda _: False
        self.settled: list[Settlement] = []
        self.refused: list[Settlement] = []

    async def write(
        self, changes: Sequence[Change], settlements: Sequence[Settlement]
    ) -> Written:
        await anyio.sleep(0.1)
        ids = [c.watch.id for c in changes], [s.delivery.id for s in settlements]
        error = self.refuses({*ids[0], *ids[1]})
        if error is not None:
            raise error
        if any(self.dislikes(one) for one in settlements):
            raise StoreError("cannot be stored")
        self.settled += settlements
        self.groups.append(ids)
        return Written(recorded=tuple(Recorded(accepted=True) for _ in changes))

    @property
    def written(self) -> set[int]:
        return {id_ for group in self.groups for ids in group for id_ in ids}


@asynccontextmanager
async def writing(ledger: Ledger) -> AsyncIterator[Writer]:
    refused: list[Settlement] = ledger.refused
    writer = Writer(ledger, clock=VirtualClock(), log=Lines(), on_refused=refused.append)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(writer.run)
        yield writer
        tasks.cancel_scope.cancel()


def change(id_: int) -> Change:
    watch = Watch(
        id=id_,
        uid=UUID(int=id_),
        fence=0,
        generation=Generation("s", str(id_)),
        until=State.COMPLETED,
        webhooks=(1,),
        metadata={},
    )
    return Change(
        watch=watch,
        rank=0,
        native_state="queued",
        ended=None,
        tag="queued",
        message=MESSAGE,
    )


def settlement(id_: int) -> Settlement:
    delivery = Delivery(
        id=id_,
        fence=0,
        webhook=1,
        watch=1,
        seq=0,
        attempt=1,
        tries=0,
        manual=False,
        message=MESSAGE,
    )
    return Settlement(delivery=delivery, status=Status.DELIVERED, attempt=None)


async def record_all(writer: Writer, ids: Sequence[int]) -> list[bool]:
    accepted: list[bool] = []

    async def one(id_: int) -> None:
        accepted.append((await writer.record(change(id_))).accepted)

    async with anyio.create_task_group() as tasks:
        for id_ in ids:
            tasks.start_soon(one, id_)
    return accepted


async def test_an_idle_writer_commits_a_change_at_once() -> None:
    ledger = Ledger()
    async with writing(ledger) as writer:
        began = anyio.current_time()
        assert (await writer.record(change(1))).accepted
        assert anyio.current_time() - began == pytest.approx(0.1)


async def test_what_arrives_while_a_commit_runs_goes_into_the_next_one() -> None:
    ledger = Ledger()
    async with writing(ledger) as writer, anyio.create_task_group() as tasks:
        tasks.start_soon(record_all, writer, [1])
        await anyio.sleep(0.05)
        tasks.start_soon(record_all, writer, range(2, 12))
    assert [len(changes) for changes, _ in ledger.groups] == [1, 10]


async def test_no_commit_is_larger_than_five_hundred_rows() -> None:
    ledger = Ledger()
    async with writing(ledger) as writer:
        await record_all(writer, range(1, 1201))
    sizes = [len(changes) for changes, _ in ledger.groups]
    assert sum(sizes) == 1200
    assert max(sizes) == 500
    assert len(sizes) <= 4


async def test_settlements_wait_for_company_and_not_for_long() -> None:
    ledger = Ledger()
    async with writing(ledger) as writer:
        for id_ in range(5):
            writer.settle(settlement(id_))
            await anyio.sleep(0.005)
        await anyio.sleep(0.2)
    assert [settled for _, settled in ledger.groups] == [[0, 1, 2, 3, 4]]


async def test_settlements_that_come_while_a_commit_runs_wait_for_company_too() -> None:
    ledger = Ledger()
    async with writing(ledger) as writer, anyio.create_task_group() as tasks:
        tasks.start_soon(record_all, writer, [1])
        await anyio.sleep(0.09)
        writer.settle(settlement(1))
        await anyio.sleep(0.02)
        writer.settle(settlement(2))
        await anyio.sleep(0.2)
    assert ledger.groups == [([1], []), ([], [1, 2])]


async def test_five_hundred_settlements_are_company_enough() -> None:
    ledger = Ledger()
    async with writing(ledger) as writer:
        writer.settle(settlement(0))
        await anyio.sleep(0.01)
        for id_ in range(1, 500):
            writer.settle(settlement(id_))
        await anyio.sleep(0.1 + 0.001)
    assert [len(settled) for _, settled in ledger.groups] == [500]


async def test_a_change_takes_the_waiting_settlements_along() -> None:
    ledger = Ledger()
    async with writing(ledger) as writer:
        writer.settle(settlement(7))
        await writer.record(change(1))
    assert ledger.groups == [([1], [7])]


async def test_a_store_that_is_away_for_an_hour_loses_nothing() -> None:
    ledger = Ledger()
    ledger.refuses = lambda _: StoreUnavailable("disk full")
    async with writing(ledger) as writer, anyio.create_task_group() as tasks:
        tasks.start_soon(record_all, writer, [1, 2])
        writer.settle(settlement(9))
        await anyio.sleep(3600)
        assert writer.trouble == "disk full"
        ledger.refuses = lambda _: None
        await anyio.sleep(2)
        assert writer.trouble is None
    assert ledger.written == {1, 2, 9}


async def test_one_row_that_the_store_refuses_does_not_keep_the_others_out() -> None:
    ledger = Ledger()
    ledger.refuses = lambda ids: StoreError("no such row") if 13 in ids else None
    async with writing(ledger) as writer:
        for id_ in range(100, 110):
            writer.settle(settlement(id_))
        accepted = await record_all(writer, range(1, 41))
        await writer.flushed()
    assert sorted(accepted) == [False] + [True] * 39
    assert ledger.written == {*range(1, 41), *range(100, 110)} - {13}


async def test_flushing_returns_once_everything_is_written() -> None:
    ledger = Ledger()
    async with writing(ledger) as writer:
        for id_ in range(1000):
            writer.settle(settlement(id_))
        await writer.flushed()
        assert len(ledger.written) == 1000
        await writer.flushed()


async def test_who_waits_for_a_store_that_is_away_at_the_end_is_let_go() -> None:
    ledger = Ledger()
    ledger.refuses = lambda _: StoreUnavailable("disk full")
    async with writing(ledger) as writer:
        told: list[Recorded] = []

        async def record(id_: int) -> None:
            told.append(await writer.record(change(id_)))

        async with anyio.create_task_group() as tasks:
            for id_ in (1, 2):
                tasks.start_soon(record, id_)
            await anyio.sleep(5)
            assert told == []
            writer.give_up()
    assert [one.accepted for one in told] == [False, False]


ATTEMPT = Attempt(number=1, code=200, why="x", timings=Timings(), answer=b"bad")
STATE = WebhookState(id=1, key="name:studio")


async def test_what_is_for_people_is_left_out_if_the_store_cannot_take_it() -> None:
    ledger = Ledger()
    ledger.dislikes = lambda one: one.attempt is not None and one.attempt.answer == b"bad"
    async with writing(ledger) as writer:
        writer.settle(replace(settlement(1), attempt=ATTEMPT, webhook=STATE))
        await writer.flushed()
    (one,) = ledger.settled
    assert (one.status, one.webhook) == (Status.DELIVERED, STATE)
    assert one.attempt is not None
    assert (one.attempt.code, one.attempt.answer) == (200, b"")
    assert not ledger.refused


async def test_what_became_of_a_delivery_outlasts_what_became_of_its_webhook() -> None:
    ledger = Ledger()
    ledger.dislikes = lambda one: one.webhook is not None
    async with writing(ledger) as writer:
        writer.settle(replace(settlement(1), attempt=ATTEMPT, webhook=STATE))
        await writer.flushed()
    (one,) = ledger.settled
    assert (one.status, one.webhook) == (Status.DELIVERED, None)


async def test_a_settlement_that_is_taken_in_no_form_is_told_of() -> None:
    ledger = Ledger()
    ledger.dislikes = lambda one: one.delivery.id == 1
    async with writing(ledger) as writer:
        writer.settle(replace(settlement(1), attempt=ATTEMPT))
        writer.settle(settlement(2))
        await writer.flushed()
    assert [one.delivery.id for one in ledger.settled] == [2]
    assert [one.delivery.id for one in ledger.refused] == [1]


async def test_a_fault_of_our_own_costs_the_row_that_provokes_it_and_no_other() -> None:
    ledger = Ledger()
    ledger.refuses = lambda ids: KeyError("x") if 13 in ids else None
    async with writing(ledger) as writer:
        accepted = await record_all(writer, range(1, 41))
        assert (await writer.record(change(50))).accepted
    assert sorted(accepted) == [False] + [True] * 39


async def test_flushing_waits_for_what_is_handed_in_when_the_last_commit_is_told_of() -> (
    None
):
    # Who is told first, whoever flushes or whoever recorded, is chance: hence so many times.
    for round_ in range(30):
        ledger = Ledger()
        handed: set[int] = set()
        async with writing(ledger) as writer, anyio.create_task_group() as tasks:

            async def record(writer: Writer, id_: int, handed: set[int]) -> None:
                await writer.record(change(id_))
                writer.settle(settlement(id_ + 1))
                handed.add(id_ + 1)

            tasks.start_soon(record, writer, 10 * round_ + 1, handed)
            await anyio.sleep(0.05)
            await writer.flushed()
            assert handed <= ledger.written


async def test_what_comes_after_the_end_waits_for_nobody() -> None:
    async with writing(Ledger()) as writer:
        writer.give_up()
        assert not (await writer.record(change(1))).accepted
    assert not (await writer.record(change(2))).accepted
