"""Whatever is asked of them, the twin and the file answer alike and keep the laws of order."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import fields, is_dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar
from uuid import UUID

import anyio.from_thread
import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bridge.core.change import Born, Change, Recipient
from bridge.core.delivering.delivery import (
    Alert,
    Condition,
    Delivery,
    Settlement,
    Status,
    WebhookState,
)
from bridge.core.delivering.health import HEALTHY, Health
from bridge.core.delivering.receipt import Receipt
from bridge.core.ladder import State
from bridge.core.listing import DeliveryFilter, DeliveryPage, ListedDelivery
from bridge.core.message import Message
from bridge.core.ports import Room
from bridge.core.replay import Missing, ReplayFilter
from bridge.core.watch import Generation, Origin, Watch, WatchWish
from tests.fakes.postgres import Server
from tests.store.postgres_world import PostgresWorld
from tests.store.world import (
    LEASE,
    Kept,
    Logged,
    MemoryWorld,
    SqliteWorld,
    World,
    message,
    settled,
    wish,
)

GENERATIONS = [f"g{i}" for i in range(4)]
WEBHOOKS = [1, 2]
SECOND = timedelta(seconds=1)
ILL = Health(open=True, opened=2, streak=3, failing=timedelta(hours=1), failures=9, told=70)

wishes = st.builds(
    lambda id_, hooks, until, origin, order, deadline: wish(
        id_, *hooks, until=until, origin=origin, metadata=order, deadline=deadline
    ),
    st.sampled_from(GENERATIONS),
    st.lists(st.sampled_from(WEBHOOKS), min_size=1, max_size=3),
    st.sampled_from([State.QUEUED, State.DREAMING, State.COMPLETED]),
    st.sampled_from(Origin),
    st.sampled_from([{}, {"a": 1}, {"text": "\0\ud800", "n": 2**64}]),
    st.sampled_from([timedelta(minutes=1), timedelta(hours=24)]),
)
recipients = st.lists(
    st.builds(
        Recipient,
        webhook=st.sampled_from(WEBHOOKS),
        room=st.booleans(),
        lease=st.just(LEASE),
        latest=st.booleans(),
    ),
    max_size=3,
    unique_by=lambda recipient: recipient.webhook,
)
rooms = st.lists(
    st.builds(
        Room,
        webhook=st.sampled_from(WEBHOOKS),
        slots=st.integers(0, 3),
        lease=st.sampled_from([LEASE, 2 * LEASE]),
    ),
    max_size=2,
    unique_by=lambda room: room.webhook,
)
steps = st.fixed_dictionaries(
    {
        "id_": st.sampled_from(GENERATIONS),
        "state": st.sampled_from(State),
        "tag": st.sampled_from(["", "", "", "lost", "stalled:1"]),
        "ended": st.booleans(),
        "told": recipients,
        "stale": st.sampled_from([0, 0, 0, 0, 1]),
    }
)
settlements = st.fixed_dictionaries(
    {
        "which": st.integers(0, 5),
        "status": st.sampled_from(
            [Status.DELIVERED, Status.DELIVERED, Status.PENDING, Status.FAILED]
        ),
        "wait": st.sampled_from([0, 1, 60]),
        "step": st.booleans(),
        "answer": st.sampled_from([b"", b"ok", b"no"]),
        "condition": st.sampled_from(
            [None, None, None, Condition.ACTIVE, Condition.DISABLED]
        ),
        "health": st.sampled_from([HEALTHY, Health(streak=1), ILL]),
        "alert": st.sampled_from([None, None, 1, 2, 3]),
        "receipt": st.sampled_from([None, None, "1001", "1002", "\0\ud800"]),
    }
)
moments = st.sampled_from([None, None, -60, 0, 3600])
replays = st.builds(
    ReplayFilter,
    status=st.sampled_from([*Status, Status.FAILED, Missing.MISSING]),
    webhook=st.sampled_from(WEBHOOKS),
    tags=st.sampled_from([("queued", "completed", "lost"), ("stalled",)]),
)


class Pair(RuleBasedStateMachine):
    """Asks both the same and compares what they say and what they keep."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        portal = anyio.from_thread.start_blocking_portal()
        self.portal = self.stack.enter_context(portal)
        self.other = self.portal.call(self.opened)
        self.worlds: list[World] = [self.portal.call(_twin), self.other]
        self.watches: list[dict[str, Watch]] = [{}, {}]
        self.held: list[list[Delivery]] = [[], []]
        self.last: list[tuple[Sequence[Change], Sequence[Settlement]]] = [
            ((), ()),
            ((), ()),
        ]
        self.both(lambda world, _: world.store.webhooks(["name:one", "name:two"]))

    async def opened(self) -> World:
        """Return what the twin is compared with."""
        folder = self.stack.enter_context(TemporaryDirectory())
        file = SqliteWorld(Path(folder) / "genbridge.db")
        await file.open()
        return file

    def teardown(self) -> None:
        self.portal.call(self.other.close)
        self.stack.close()

    def both(self, ask: Callable[[World, int], Awaitable[Any]]) -> list[Any]:
        """Ask both; return their answers, which must be alike."""
        answers = [self.portal.call(ask, world, i) for i, world in enumerate(self.worlds)]
        first, second = (
            plain(answer, self.names(world))
            for answer, world in zip(answers, self.worlds, strict=True)
        )
        assert first == second
        return answers

    def names(self, world: World) -> "Names":
        """Return what ids are compared by: here they are the same on both sides."""
        return NO_NAMES

    @rule(wishes=st.lists(wishes, max_size=4))
    def register(self, wishes: list[WatchWish]) -> None:
        for i, enlisted in enumerate(self.both(lambda w, _: w.store.register(wishes))):
            self.know(i, enlisted.started)

    @rule(wishes=st.lists(wishes, max_size=3), digest=st.sampled_from("abc"))
    def configure(self, wishes: list[WatchWish], digest: str) -> None:
        for i, enlisted in enumerate(
            self.both(lambda w, _: w.store.configure(wishes, digest))
        ):
            self.know(i, enlisted.started)

    @rule(ids=st.lists(st.sampled_from(GENERATIONS), max_size=2))
    def unwatch(self, ids: list[str]) -> None:
        self.both(lambda w, _: w.store.unwatch([Generation("luma", id_) for id_ in ids]))

    @rule(limit=st.integers(1, 3))
    def claim_watches(self, limit: int) -> None:
        for i, found in enumerate(self.both(lambda w, _: w.store.claim_watches(limit))):
            self.know(i, found)

    @rule(id_=st.sampled_from(GENERATIONS))
    def watch(self, id_: str) -> None:
        answers = self.both(lambda w, _: w.store.watch(Generation("luma", id_)))
        for i, found in enumerate(answers):
            self.know(i, [found] if found else [])

    @rule(
        steps=st.lists(steps, max_size=4),
        settlements=st.lists(settlements, max_size=3),
    )
    def write(self, steps: list[Any], settlements: list[Any]) -> None:
        for i in range(2):
            changes = [
                self.change(i, **one) for one in steps if one["id_"] in self.watches[i]
            ]
            self.last[i] = (
                changes,
                [self.settlement(i, **s) for s in settlements if self.held[i]],
            )
        for i, written in enumerate(self.both(lambda w, i: w.store.write(*self.last[i]))):
            for change, recorded in zip(self.last[i][0], written.recorded, strict=True):
                if recorded.accepted and change.watch == self.watches[i].get(
                    change.watch.generation.id
                ):
                    self.know(i, [replace(change.watch, seq=change.seq, rank=change.rank)])
                self.held[i] += [
                    _held(change, born) for born in recorded.deliveries if born.claimed
                ]

    @rule()
    def repeat(self) -> None:
        self.both(lambda world, i: world.store.write(*self.last[i]))

    @rule(rooms=rooms)
    def claim(self, rooms: list[Room]) -> None:
        before = self.portal.call(self.other.deliveries)
        for i, found in enumerate(self.both(lambda w, _: w.store.claim_deliveries(rooms))):
            self.held[i] = [*self.held[i], *found][-6:]
            for delivery in found:
                assert not overtaken(delivery, before)

    @rule(which=st.integers(0, 5))
    def retry(self, which: int) -> None:
        self.both(lambda w, _: _retried(w, which))

    @rule(wanted=replays, since=moments, until=moments)
    def replay(self, wanted: ReplayFilter, since: int | None, until: int | None) -> None:
        wanted = replace(wanted, since=self.at(since), until=self.at(until))
        self.both(lambda w, _: w.store.preview_replay(wanted))
        self.both(lambda w, _: w.store.begin_replay(wanted))

    @rule()
    def advance_replay(self) -> None:
        self.both(lambda w, _: w.store.advance_replay())

    @rule(
        webhook=st.sampled_from(WEBHOOKS),
        since=moments,
        discard=st.sampled_from([False, False, True]),
    )
    def resume(self, webhook: int, since: int | None, discard: bool) -> None:
        at = self.at(since)
        self.both(lambda w, _: w.store.resume_webhook(webhook, since=at, discard=discard))

    @rule(
        status=st.sampled_from([None, *Status]),
        webhook=st.sampled_from([None, *WEBHOOKS]),
        since=moments,
        until=moments,
        limit=st.integers(1, 4),
    )
    def look_at_deliveries(
        self,
        status: Status | None,
        webhook: int | None,
        since: int | None,
        until: int | None,
        limit: int,
    ) -> None:
        wanted = DeliveryFilter(
            status=status, webhook=webhook, since=self.at(since), until=self.at(until)
        )
        pages = self.both(lambda w, _: w.store.list_deliveries(wanted, limit=limit))
        for place in range(len(pages[0].deliveries)):
            ids = [page.deliveries[place].delivery.id for page in pages]
            self.look_at(ids)

    def look_at(self, ids: Sequence[int]) -> None:
        self.both(lambda w, i: w.store.history(ids[i]))

    def at(self, seconds: int | None) -> datetime | None:
        """Return a moment so many seconds ago."""
        now = self.worlds[0].clock.now()
        return None if seconds is None else now - seconds * SECOND

    @rule(
        id_=st.sampled_from(WEBHOOKS),
        condition=st.sampled_from([Condition.ACTIVE, Condition.ACTIVE, Condition.PAUSED]),
        gate=st.sampled_from([None, None, SECOND, 60 * SECOND]),
    )
    def set_webhook(self, id_: int, condition: Condition, gate: timedelta | None) -> None:
        state = WebhookState(id=id_, key="", condition=condition, gate=gate, why="by hand")
        self.both(lambda w, _: w.store.set_webhook(state))

    @rule(seconds=st.sampled_from([1, 1, 5, 30, 60, 3600, 86400]))
    def pass_(self, seconds: int) -> None:
        for world in self.worlds:
            world.clock.pass_(seconds * SECOND)

    @rule()
    def restart(self) -> None:
        self.both(lambda world, _: world.restart())

    @rule(days=st.sampled_from([0, 0.01, 1]))
    def prune(self, days: float) -> None:
        age = timedelta(days=days)
        self.both(lambda w, _: w.store.prune(attempts=age, bodies=age, deliveries=age))

    @invariant()
    def both_keep_the_same(self) -> None:
        self.both(lambda world, _: world.deliveries())
        self.both(lambda world, _: world.attempts())
        self.both(lambda world, _: _receipts(world))
        self.both(lambda world, _: world.store.next_due())
        self.both(lambda world, _: world.store.census())
        self.both(lambda world, _: world.store.webhooks(["name:one", "name:two"]))

    def know(self, i: int, watches: Sequence[Watch]) -> None:
        self.watches[i] |= {watch.generation.id: watch for watch in watches}

    def change(
        self,
        i: int,
        *,
        id_: str,
        state: State,
        tag: str,
        ended: bool,
        told: list[Recipient],
        stale: int,
    ) -> Change:
        watch = self.watches[i][id_]
        tag = tag or state.word
        return Change(
            watch=replace(watch, seq=watch.seq + stale),
            rank=watch.rank if tag != state.word else state,
            native_state="\0" + tag,
            ended=tag if ended else None,
            tag=tag,
            message=message(watch, tag),
            recipients=tuple(told),
        )

    def settlement(
        self,
        i: int,
        *,
        which: int,
        status: Status,
        wait: int,
        step: bool,
        answer: bytes,
        condition: Condition | None,
        health: Health,
        alert: int | None,
        receipt: str | None,
    ) -> Settlement:
        delivery = self.held[i][which % len(self.held[i])]
        state = condition is not None and WebhookState(
            id=delivery.webhook,
            key="",
            condition=condition,
            gate=wait * SECOND,
            health=health,
        )
        return settled(
            delivery,
            status,
            wait=wait * SECOND,
            step=step,
            answer=answer,
            why="because\ud800",
            webhook=state or None,
            alerts=() if alert is None else (_alert(alert),),
            receipt=receipt and Receipt(place="here", text=receipt),
        )


async def _receipts(world: World) -> list[Receipt | None]:
    watches = await world.store.listed([Generation("luma", id_) for id_ in GENERATIONS])
    return [
        await world.store.receipt(watch.id, webhook)
        for watch in sorted(watches, key=lambda one: one.generation)
        for webhook in WEBHOOKS
    ]


def _alert(number: int) -> Alert:
    body = b'{"type":"webhook.failing","data":{"n":%d}}' % number
    return Alert(
        webhook=number,
        tag=f"failing:{number}",
        message=Message(id=UUID(int=2**90 + number), body=body),
    )


def overtaken(delivery: Delivery, rows: Sequence[Kept]) -> bool:
    """Say whether something earlier of the same generation and webhook was pending."""
    return not delivery.manual and any(
        row.watch == delivery.watch
        and row.webhook == delivery.webhook
        and row.seq < delivery.seq
        and row.status is Status.PENDING
        and not row.manual
        for row in rows
    )


Names = Mapping[str, Mapping[int, int]]
"""The places of ids among those of their table."""

NO_NAMES: Names = {}

NAMED = {
    (Watch, "id"): "watches",
    (Delivery, "id"): "deliveries",
    (Delivery, "watch"): "watches",
    (Kept, "id"): "deliveries",
    (Kept, "watch"): "watches",
    (Logged, "delivery"): "deliveries",
    (Born, "id"): "deliveries",
    (ListedDelivery, "id"): "deliveries",
    (DeliveryPage, "before"): "deliveries",
}


def plain(answer: object, names: Names = NO_NAMES) -> object:
    """Return an answer without its uuids, which each store draws on its own."""
    if isinstance(answer, UUID):
        return "uuid"
    if is_dataclass(answer) and not isinstance(answer, type):
        return (
            type(answer),
            *(
                _named(answer, f.name, names) or plain(getattr(answer, f.name), names)
                for f in fields(answer)
            ),
        )
    if isinstance(answer, list | tuple):
        return [plain(one, names) for one in answer]
    if isinstance(answer, dict):
        return {key: plain(one, names) for key, one in answer.items()}
    return answer


def _named(answer: object, field: str, names: Names) -> str | None:
    table = NAMED.get((type(answer), field))
    value = getattr(answer, field)
    if table is None or table not in names or value is None:
        return None
    return f"{table} {names[table].get(value)}"


def _held(change: Change, born: Any) -> Delivery:
    return Delivery(
        id=born.id,
        fence=born.fence,
        webhook=born.webhook,
        watch=change.watch.id,
        seq=change.seq,
        attempt=1,
        tries=0,
        manual=False,
        message=change.message,
    )


async def _retried(world: World, which: int) -> int | None:
    rows = await world.deliveries()
    return await world.store.retry(rows[which % len(rows)].id if rows else 1)


async def _twin() -> MemoryWorld:
    return MemoryWorld()


class OnServer(Pair):
    """The same on a server, whose ids have gaps: only their order counts.

    What differs there by design is left out: a restart is another replica with another share,
    and attempts go by whole days.
    """

    lent: ClassVar[list[tuple[Server, str]]] = []
    restart = None  # type: ignore[assignment]  # no rule

    async def opened(self) -> World:
        """Return a database on the server of the session."""
        server, template = self.lent[-1]
        url = server.database(template=template)
        self.stack.callback(server.drop, url)
        world = PostgresWorld(url)
        await world.open()
        return world

    def names(self, world: World) -> Names:
        """Return the places of the ids that there are now."""
        if isinstance(world, MemoryWorld):
            disk = world.store.disk
            return {
                "watches": _places(disk.watches),
                "deliveries": _places(disk.deliveries),
            }
        assert isinstance(world, PostgresWorld)
        ((watches, deliveries),) = self.portal.call(world.sql, IDS)
        return {"watches": _places(watches), "deliveries": _places(deliveries)}

    @rule(days=st.sampled_from([0.01, 1]))
    def prune(self, days: float) -> None:
        age, long = timedelta(days=days), timedelta(days=10_000)
        self.both(lambda w, _: w.store.prune(attempts=long, bodies=age, deliveries=age))


IDS = """
SELECT array(SELECT id FROM watches ORDER BY id), array(SELECT id FROM deliveries ORDER BY id)
"""


def _places(ids: Iterable[int]) -> dict[int, int]:
    return {id_: place for place, id_ in enumerate(sorted(ids))}


@pytest.fixture(autouse=True, scope="module")
def _lent(server: Server, clocked: str) -> None:
    OnServer.lent.append((server, clocked))


TestOnServer = OnServer.TestCase
TestOnServer.settings = settings(
    max_examples=4,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)

TestPair = Pair.TestCase
TestPair.settings = settings(
    max_examples=15,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
