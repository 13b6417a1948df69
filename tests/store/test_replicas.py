"""What the PostgreSQL store promises where several replicas use it."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any

import anyio
import pytest

from bridge.core.delivering.delivery import Condition, WebhookState
from bridge.core.delivering.health import Health
from bridge.core.ladder import State
from bridge.core.sharing.liveness import Pace
from bridge.core.sharing.share import Spare
from bridge.core.watch import Generation, Origin, Watch
from bridge.errors import StoreRefused, StoreUnavailable
from bridge.store.pool import Pool
from bridge.store.postgres import SERVER, PostgresStore, fit
from bridge.store.share import AT_ONCE
from tests.fakes.postgres import Server
from tests.store.postgres_world import HINTING, PostgresWorld
from tests.store.test_pacing import table
from tests.store.world import (
    LEASE,
    SECOND,
    announced,
    claimed,
    room,
    sent,
    settled,
    step,
    to,
    uids,
    watching,
    wish,
)

pytestmark = pytest.mark.anyio

BEATS = timedelta(seconds=31)
ILL = Health(open=True, streak=2, failures=70)


class Fleet:
    """Several replicas of one database, on one clock."""

    def __init__(self, url: str, stack: AsyncExitStack) -> None:
        self._url = url
        self._stack = stack
        self.worlds: list[PostgresWorld] = []

    async def add(self, pace: Pace = HINTING) -> PostgresWorld:
        world = PostgresWorld(self._url)
        if self.worlds:
            world.clock = self.worlds[0].clock
        await world.open(pace=pace)
        self._stack.push_async_callback(world.close)
        self.worlds.append(world)
        return world


@pytest.fixture
async def fleet(database: str) -> AsyncIterator[Fleet]:
    async with AsyncExitStack() as stack:
        yield Fleet(database, stack)


async def vanish(world: PostgresWorld) -> None:
    """Lose the session, as a kill does."""
    await world.store._session.close()  # noqa: SLF001  (nobody else may end it alone)


async def buried(by: PostgresWorld) -> list[int]:
    """Let a replica declare dead whom it sees gone."""
    seen = await by.store.look_around()
    dead, _ = await by.store.bury([one.id for one in seen if one.gone or one.silent])
    return list(dead)


async def owners(world: PostgresWorld) -> dict[str, int | None]:
    rows = await world.sql("SELECT generation_id, owner FROM watches ORDER BY id")
    return {row[0]: row[1] for row in rows}


# ------------------------------------------------------------------------------ alive, dead


async def test_every_replica_has_an_id_of_its_own_that_never_comes_again(
    fleet: Fleet,
) -> None:
    one, two = await fleet.add(), await fleet.add()
    first = one.store.me
    await one.restart()
    assert len({first, two.store.me, one.store.me}) == 3


async def test_the_living_are_seen_alive(fleet: Fleet) -> None:
    one, two = await fleet.add(), await fleet.add()
    (seen,) = await one.store.look_around()
    assert (seen.id, seen.gone, seen.silent) == (two.store.me, False, False)
    assert await buried(one) == []


async def test_a_lost_session_is_seen(fleet: Fleet) -> None:
    one, two = await fleet.add(), await fleet.add()
    await vanish(two)
    (seen,) = await one.store.look_around()
    assert (seen.gone, seen.silent) == (True, False)


async def test_overdue_beats_are_seen_and_a_beat_ends_that(fleet: Fleet) -> None:
    one, two = await fleet.add(), await fleet.add()
    one.clock.pass_(BEATS)
    (seen,) = await one.store.look_around()
    assert (seen.gone, seen.silent) == (False, True)
    assert await two.store.beat()
    (seen,) = await one.store.look_around()
    assert not seen.silent


async def test_a_verdict_looks_again(fleet: Fleet) -> None:
    one, two = await fleet.add(), await fleet.add()
    await vanish(two)
    assert await two.store.join()
    assert await one.store.bury([two.store.me]) == ([], frozenset())


async def test_the_dead_hear_of_it_and_return_as_somebody_else(fleet: Fleet) -> None:
    one, two = await fleet.add(), await fleet.add()
    before = two.store.me
    one.clock.pass_(BEATS)
    assert await buried(one) == [before]
    assert not await two.store.beat()
    assert not await two.store.join()
    assert two.store.me > before
    assert await two.store.beat()


async def test_a_session_that_was_cut_in_time_changes_nothing(fleet: Fleet) -> None:
    one, two = await fleet.add(), await fleet.add()
    watch = await watching(two.store)
    before = two.store.me
    await vanish(two)
    with pytest.raises(StoreUnavailable):
        await two.store.beat()
    assert await two.store.join()
    assert two.store.me == before
    assert await two.store.watch(watch.generation) == watch
    assert [one_.gone for one_ in await one.store.look_around()] == [False]


async def test_a_replica_that_was_cut_off_during_a_contract_is_refused(
    fleet: Fleet,
) -> None:
    one = await fleet.add()
    await vanish(one)
    await one.sql("UPDATE meta SET value = '99'")
    with pytest.raises(StoreRefused, match="newer genbridge"):
        await one.store.join()


async def test_a_server_that_lets_nobody_in_for_a_while_ends_no_replica(
    server: Server, database: str
) -> None:
    server.sql("CREATE ROLE somebody LOGIN SUPERUSER")
    world = PostgresWorld(database.replace("//postgres@", "//somebody@"))
    try:
        await world.open()
        await vanish(world)
        server.sql("ALTER ROLE somebody NOLOGIN")
        with pytest.raises(StoreUnavailable, match="not permitted to log in"):
            await world.store.join()
        server.sql("ALTER ROLE somebody LOGIN")
        assert await world.store.join()
        await world.close()
    finally:
        server.sql("REASSIGN OWNED BY somebody TO CURRENT_USER", database)
        server.sql("DROP ROLE somebody")


async def test_two_buriers_make_one_verdict(fleet: Fleet) -> None:
    one, two, three = await fleet.add(), await fleet.add(), await fleet.add()
    await vanish(three)
    verdicts = [await buried(one), await buried(two)]
    assert verdicts == [[three.store.me], []]


async def test_the_dead_are_forgotten_once_nothing_names_them(fleet: Fleet) -> None:
    one, two = await fleet.add(), await fleet.add()
    await watching(two.store)
    await vanish(two)
    await buried(one)
    await one.store.forget()
    assert len(await one.store.replicas()) == 2
    await one.store.claim_watches(10)
    await one.store.forget()
    assert [replica.id for replica in await one.store.replicas()] == [one.store.me]


# ------------------------------------------------------------------------- watches, owners


async def test_a_watch_is_owned_by_one_replica_only(fleet: Fleet) -> None:
    one, two = await fleet.add(), await fleet.add()
    watch = await watching(one.store)
    assert await two.store.watch(watch.generation) is None
    assert await two.store.claim_watches(10) == []


async def test_watches_of_the_dead_are_taken_up_and_their_owner_is_refused(
    fleet: Fleet,
) -> None:
    one, two = await fleet.add(), await fleet.add()
    watch = await watching(two.store)
    await vanish(two)
    await buried(one)
    (taken,) = await one.store.claim_watches(10)
    assert taken.fence == watch.fence + 1
    late = await two.store.write([step(watch, State.QUEUED, to())], [])
    assert not late.recorded[0].accepted
    ours = await one.store.write([step(taken, State.QUEUED, to())], [])
    assert ours.recorded[0].accepted
    assert (await one.store.census()).events == 1


async def test_the_dead_take_up_nothing(fleet: Fleet) -> None:
    one, two = await fleet.add(), await fleet.add()
    await vanish(two)
    await buried(one)
    await one.sql("UPDATE watches SET owner = NULL")
    with pytest.raises(StoreUnavailable, match="declared dead"):
        await two.store.claim_watches(10)


async def test_many_claimers_take_up_each_watch_once(fleet: Fleet) -> None:
    worlds = [await fleet.add() for _ in range(4)]
    await worlds[0].store.webhooks(["name:one"])
    await worlds[0].store.register([wish(f"g{i}") for i in range(400)])
    await worlds[0].sql("UPDATE watches SET owner = NULL")
    taken: list[Watch] = []

    async def claim(world: PostgresWorld) -> None:
        while some := await world.store.claim_watches(30):
            taken.extend(some)

    async with anyio.create_task_group() as tasks:
        for world in worlds:
            tasks.start_soon(claim, world)
    assert len(taken) == len({watch.id for watch in taken}) == 400
    per = await worlds[0].sql("SELECT count(*) FROM watches GROUP BY owner")
    assert [row[0] for row in per] == [100, 100, 100, 100] or max(r[0] for r in per) <= 120


async def test_nobody_takes_more_than_its_share_and_a_little(fleet: Fleet) -> None:
    one, _ = await fleet.add(), await fleet.add()
    await one.store.webhooks(["name:one"])
    await one.store.register([wish(f"g{i}") for i in range(300)])
    await one.sql("UPDATE watches SET owner = NULL")
    await one.store.beat()
    assert await all_claimed(one) == 170


async def test_what_nobody_takes_up_is_anybodys_after_ten_seconds(fleet: Fleet) -> None:
    one, _ = await fleet.add(), await fleet.add()
    await one.store.webhooks(["name:one"])
    await one.store.register([wish(f"g{i}") for i in range(300)])
    await one.sql("UPDATE watches SET owner = NULL")
    await one.store.beat()
    await all_claimed(one)
    one.clock.pass_(11 * SECOND)
    assert await all_claimed(one) == 130


async def all_claimed(world: PostgresWorld) -> int:
    """Claim until nothing more is ours; return how many there were."""
    count = 0
    while some := await world.store.claim_watches(1000):
        assert len(some) <= AT_ONCE
        count += len(some)
    return count


async def test_what_is_given_back_keeps_its_next_look(fleet: Fleet) -> None:
    one, two = await fleet.add(), await fleet.add()
    watch = await watching(one.store)
    assert await one.store.give_back([Spare(watch=watch, wait=60.0)]) == [watch.id]
    one.clock.pass_(20 * SECOND)
    (taken,) = await two.store.claim_watches(10)
    assert taken.wait == timedelta(seconds=40)
    (recorded,) = (await one.store.write([step(watch, State.QUEUED)], [])).recorded
    assert not recorded.accepted


async def test_what_is_no_longer_ours_cannot_be_given_back(fleet: Fleet) -> None:
    one, two = await fleet.add(), await fleet.add()
    watch = await watching(two.store)
    await vanish(two)
    await buried(one)
    await one.store.claim_watches(10)
    assert await two.store.give_back([Spare(watch=watch, wait=0.0)]) == []
    assert await owners(one) == {"g1": one.store.me}


async def test_a_departing_replica_leaves_nothing_its_own(fleet: Fleet) -> None:
    one = await fleet.add()
    two = PostgresWorld(one.url)
    two.clock = one.clock
    await two.open()
    await announced(two.store, await watching(two.store), State.QUEUED)
    (flying,) = await claimed(two.store)
    await two.close()
    assert await owners(one) == {"g1": None}
    (again,) = await claimed(one.store)
    assert (again.id, again.fence) == (flying.id, flying.fence + 2)


async def test_what_is_begun_above_the_share_belongs_to_nobody_yet(fleet: Fleet) -> None:
    one, two = await fleet.add(), await fleet.add()
    await one.store.webhooks(["name:one"])
    await one.store.bulletin()
    for i in range(100):
        await one.store.register([wish(f"g{i}")])
    mine = [name for name, owner in (await owners(one)).items() if owner == one.store.me]
    assert 50 <= len(mine) <= 75
    assert len(await two.store.claim_watches(100)) == 100 - len(mine)


async def test_files_that_begin_together_are_registered_once(fleet: Fleet) -> None:
    worlds = [await fleet.add() for _ in range(3)]
    await worlds[0].store.webhooks(["name:one"])
    wishes = [wish(f"g{i}", origin=Origin.FILE) for i in range(1500)]
    started: list[Watch] = []

    async def begin(world: PostgresWorld) -> None:
        started.extend((await world.store.configure(wishes, "same")).started)

    async with anyio.create_task_group() as tasks:
        for world in worlds:
            tasks.start_soon(begin, world)
    assert len(started) == 1500


# ----------------------------------------------------------------------- what others change


async def test_a_change_by_another_replica_reaches_the_owner(fleet: Fleet) -> None:
    one, two = await fleet.add(), await fleet.add()
    watch = await watching(one.store, "g1", 1)
    assert (await two.store.register([wish("g1", 2)])).started == ()
    news = await one.store.bulletin()
    assert [(w.webhooks, w.fence) for w in news.changed] == [((1, 2), watch.fence + 1)]
    assert (await one.store.bulletin()).changed == ()


async def test_a_watch_that_another_replica_ends_ends_at_its_owner(fleet: Fleet) -> None:
    one, two = await fleet.add(), await fleet.add()
    watch = await watching(one.store)
    await two.store.unwatch([watch.generation])
    assert (await one.store.bulletin()).ended == (watch.generation,)
    assert await owners(one) == {"g1": None}


async def test_every_replica_hears_how_webhooks_stand(fleet: Fleet) -> None:
    one, two = await fleet.add(), await fleet.add()
    (state,) = (await one.store.webhooks(["name:one"])).values()
    assert (await two.store.bulletin()).states == {}
    shut = replace(state, condition=Condition.PAUSED, gate=60 * SECOND, why="by hand")
    await one.store.set_webhook(shut)
    assert (await two.store.bulletin()).states == {state.id: shut}


async def test_of_two_replicas_that_settle_at_once_the_longer_gate_counts(
    fleet: Fleet,
) -> None:
    one, two = await fleet.add(), await fleet.add()
    told = [
        WebhookState(id=1, key="name:one", gate=60 * SECOND, why="429", health=ILL),
        WebhookState(id=1, key="name:one", gate=5 * SECOND, why="503"),
    ]
    for turn in range(5):
        for id_ in ("a", "b"):
            watch = await watching(one.store, f"{id_}{turn}")
            await announced(one.store, watch, State.QUEUED)
        await one.store.set_webhook(WebhookState(id=1, key="name:one"))
        (first,) = await claimed(one.store, room(slots=1))
        (second,) = await claimed(two.store, room(slots=1))
        async with anyio.create_task_group() as tasks:
            for world, mine, state in ((one, first, told[0]), (two, second, told[1])):
                tasks.start_soon(world.store.write, [], [settled(mine, webhook=state)])
        now = (await one.store.webhooks(["name:one"]))["name:one"]
        assert (now.gate, now.why, now.health.streak) == (60 * SECOND, "429", 2)


async def test_a_hint_is_heard(fleet: Fleet) -> None:
    one, two = await fleet.add(Pace()), await fleet.add()
    heard = anyio.Event()
    two.store.listen(heard.set)
    watch = await watching(one.store)
    await one.store.unwatch([watch.generation])
    with anyio.fail_after(5):
        await heard.wait()


async def test_of_many_hints_at_once_the_last_one_is_heard_as_well(fleet: Fleet) -> None:
    one, two = await fleet.add(Pace()), await fleet.add()
    watches = [await watching(one.store, f"g{n}") for n in range(4)]
    heard: list[int] = []
    ended, all_heard = 0, anyio.Event()

    def hear() -> None:
        heard.append(ended)
        if ended == len(watches):
            all_heard.set()

    two.store.listen(hear)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one.store.hint_later)
        for watch in watches:
            await one.store.unwatch([watch.generation])
            ended += 1
        with anyio.fail_after(5):
            await all_heard.wait()
        tasks.cancel_scope.cancel()
    assert len(heard) <= 1 + len(watches)


class Ear:
    """Hears of generations until it has heard of so many."""

    def __init__(self, most: int) -> None:
        self.all: list[Generation] = []
        self.full = anyio.Event()
        self._most = most

    def heard(self, some: Sequence[Generation]) -> None:
        self.all += some
        if len(self.all) >= self._most:
            self.full.set()


async def test_generations_that_may_have_changed_are_named_to_every_replica(
    fleet: Fleet,
) -> None:
    one, two = await fleet.add(pace=Pace()), await fleet.add(pace=Pace())
    some = [Generation("luma", f"{i} " + "\U0001f680" * 200) for i in range(20)]
    ears = [Ear(len(some)), Ear(len(some))]
    one.store.listen_for_hints(ears[0].heard)
    two.store.listen_for_hints(ears[1].heard)
    await one.store.pass_on(some)
    with anyio.fail_after(5):
        for ear in ears:
            await ear.full.wait()
    assert [ear.all for ear in ears] == [some, some]


async def test_without_hints_no_generation_is_named(fleet: Fleet) -> None:
    one, two = await fleet.add(pace=Pace(hints=False)), await fleet.add()
    heard: list[Generation] = []
    two.store.listen_for_hints(heard.extend)
    await one.store.pass_on([Generation("luma", "g1")])
    await anyio.sleep(0.2)
    assert heard == []


async def test_what_was_learnt_is_taken_along_under_a_new_id(fleet: Fleet) -> None:
    one, two = await fleet.add(), await fleet.add()
    await two.store.save_pace("luma", [table()])
    await vanish(two)
    assert await buried(one) == [two.store.me]
    assert not await two.store.join()
    assert (await two.store.pace("luma")).own == (table(),)
    assert (await one.store.pace("luma")).others == (table(),)


async def test_without_hints_none_is_sent(fleet: Fleet) -> None:
    one, two = await fleet.add(pace=Pace(hints=False)), await fleet.add()
    heard: list[None] = []
    two.store.listen(lambda: heard.append(None))
    await one.store.unwatch([(await watching(one.store)).generation])
    await two.store.beat()
    assert heard == []


async def test_without_hints_a_verdict_and_a_departure_send_none_either(
    fleet: Fleet,
) -> None:
    quiet = Pace(hints=False)
    one, two, three = [await fleet.add(pace=quiet) for _ in range(3)]
    heard: list[None] = []
    one.store.listen(lambda: heard.append(None))
    await vanish(two)
    assert await buried(three) == [two.store.me]
    await three.close()
    await one.store.beat()
    assert heard == []


async def test_a_registration_that_races_a_record_leaves_no_webhook_out(
    fleet: Fleet,
) -> None:
    one, two = await fleet.add(), await fleet.add()
    watches = [await watching(one.store, f"g{i}") for i in range(30)]
    refused = 0

    async def record(watch: Watch) -> None:
        nonlocal refused
        change = step(watch, State.QUEUED, to(1))
        (recorded,) = (await one.store.write([change], [])).recorded
        if not recorded.accepted:
            refused += 1
            told = await one.store.watch(watch.generation)
            assert told is not None
            assert told.webhooks == (1, 2)
            await one.store.write([step(told, State.QUEUED, to(1), to(2))], [])

    async def add(watch: Watch) -> None:
        await two.store.register([wish(watch.generation.id, 2)])

    async with anyio.create_task_group() as tasks:
        for watch in watches:
            tasks.start_soon(record, watch)
            tasks.start_soon(add, watch)
    rows = await one.sql(
        "SELECT watch_id, array_agg(webhook_id ORDER BY webhook_id) AS told"
        " FROM deliveries GROUP BY watch_id"
    )
    assert [row[1] for row in rows] == [[1, 2]] * 30
    assert refused < 30


# ------------------------------------------------------------------------------ deliveries


async def test_eight_claimers_get_each_delivery_once(fleet: Fleet) -> None:
    worlds = [await fleet.add() for _ in range(8)]
    one = worlds[0]
    await one.store.webhooks(["name:one"])
    watches = (await one.store.register([wish(f"g{i}") for i in range(200)])).started
    await one.store.write([step(w, State.QUEUED, to(room=False)) for w in watches], [])
    got: list[int] = []

    async def claim(world: PostgresWorld) -> None:
        while some := await claimed(world.store, room(slots=7)):
            got.extend(delivery.id for delivery in some)

    async with anyio.create_task_group() as tasks:
        for world in worlds:
            tasks.start_soon(claim, world)
    assert len(got) == len(set(got)) == 200


async def test_deliveries_of_the_dead_are_free_at_once_and_fenced(fleet: Fleet) -> None:
    one, two = await fleet.add(), await fleet.add()
    change = step(await watching(two.store), State.QUEUED, to())
    flying = sent(change, (await two.store.write([change], [])).recorded[0])
    assert await claimed(one.store) == ()
    await vanish(two)
    seen = await one.store.look_around()
    assert (await one.store.bury([s.id for s in seen]))[1] == {1}
    (again,) = await claimed(one.store)
    assert again.id == flying.id
    assert (await two.store.write([], [settled(flying)])).fenced == 1


async def test_order_holds_over_replicas(fleet: Fleet) -> None:
    one, two = await fleet.add(), await fleet.add()
    await announced(one.store, await watching(one.store), State.QUEUED, State.DREAMING)
    (first,) = await claimed(one.store)
    assert await claimed(two.store) == ()
    written = await one.store.write([], [settled(first)])
    assert written.woken == {1}
    (second,) = await claimed(two.store)
    assert second.seq == 1


async def test_a_claim_that_nobody_settles_is_free_after_its_lease(fleet: Fleet) -> None:
    one, two = await fleet.add(), await fleet.add()
    await announced(one.store, await watching(one.store), State.QUEUED)
    await claimed(one.store)
    one.clock.pass_(LEASE)
    assert len(await claimed(two.store)) == 1


# ------------------------------------------------------------------------ shared in turns


async def test_replicas_take_turns_in_a_rate(fleet: Fleet) -> None:
    one, two = await fleet.add(), await fleet.add()
    second = timedelta(seconds=1)
    begins = [await world.store.chunk("source:luma", second) for world in (one, two, one)]
    assert begins == [timedelta(), second, 2 * second]
    one.clock.pass_(10 * SECOND)
    assert await two.store.chunk("source:luma", second) == timedelta()


async def test_a_duty_is_done_by_one_for_all(fleet: Fleet) -> None:
    one, two = await fleet.add(), await fleet.add()
    hour = timedelta(hours=1)
    assert await one.store.duty("retention", hour)
    assert not await two.store.duty("retention", hour)
    one.clock.pass_(hour)
    assert await two.store.duty("retention", hour)


# ---------------------------------------------------------------------------- lost answers


async def test_what_a_lost_answer_hid_is_handed_out(postgres: PostgresWorld) -> None:
    await watching(postgres.store, "g1")
    # The commit was done and its answer was not: the watch is ours, and nobody knows it.
    await postgres.sql("UPDATE watches SET owner = NULL")
    postgres.store._mine.clear()  # noqa: SLF001  (as if the answer had not come)
    postgres.store._certain = False  # noqa: SLF001
    await postgres.sql("UPDATE watches SET owner = $1", postgres.store.me)
    assert [w.generation.id for w in await postgres.store.claim_watches(10)] == ["g1"]
    assert await postgres.store.claim_watches(10) == []


# ------------------------------------------------------------------------------ the server


@pytest.fixture
def fresh(server: Server) -> Iterator[str]:
    url = server.database()
    yield url
    server.drop(url)


async def test_a_server_that_may_lose_what_it_acknowledged_is_refused(
    server: Server, fresh: str
) -> None:
    server.sql(f"ALTER DATABASE {fresh.rpartition('/')[2]} SET synchronous_commit = off")
    with pytest.raises(StoreRefused, match="synchronous_commit=off"):
        await PostgresWorld(fresh).open()


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (("130011", "UTF8", "on", "on"), "PostgreSQL 14 or newer"),
        (("150011", "SQL_ASCII", "on", "on"), "encoding is SQL_ASCII"),
        (("150011", "UTF8", "off", "on"), "fsync=off"),
        (("150011", "UTF8", "on", "off"), "synchronous_commit=off"),
    ],
)
def test_a_server_that_says_so_of_itself_is_refused(said: Sequence[str], why: str) -> None:
    asking = fit("there")
    assert next(asking).statement is SERVER
    with pytest.raises(StoreRefused, match=why):
        asking.send([said])


async def test_what_a_server_says_of_itself_is_asked_for(database: str) -> None:
    pool = await Pool.open(database)
    await pool.read(lambda: fit("there"))
    await pool.close()


async def test_connections_to_a_primary_that_was_demoted_are_made_anew(
    database: str,
) -> None:
    before: set[int] = set()
    demoted = False

    async def prepare(connection: Any) -> None:
        if not demoted:
            before.add(connection.get_server_pid())
        elif connection.get_server_pid() in before:
            await connection.execute("SET default_transaction_read_only = on")

    store = await PostgresStore.open(database, uid=uids().__next__, prepare=prepare)
    async with store:
        demoted = True
        with pytest.raises(StoreUnavailable, match="read-only"):
            await store.alive()
        await store.alive()


async def test_an_unknown_database_is_refused_without_its_password(fresh: str) -> None:
    url = f"{fresh}_not_there".replace("postgres@", "postgres:canary@")
    with pytest.raises(StoreRefused) as caught:
        await PostgresWorld(url).open()
    assert "canary" not in str(caught.value)


async def test_no_server_at_all_is_no_mistake_of_the_configuration() -> None:
    with pytest.raises(StoreUnavailable):
        await PostgresWorld("postgresql://nobody@127.0.0.1:1/none").open()


async def test_a_newer_schema_is_refused(fresh: str) -> None:
    world = PostgresWorld(fresh)
    await world.open()
    await world.close()
    await world.sql("UPDATE meta SET value = '99'")
    with pytest.raises(StoreRefused, match="newer genbridge"):
        await world.open()


async def test_a_transaction_that_deadlocks_runs_again(fleet: Fleet) -> None:
    one, two = await fleet.add(), await fleet.add()
    await one.store.webhooks(["name:one"])
    names = [f"g{i}" for i in range(50)]
    await one.store.register([wish(name) for name in names])

    async def change(world: PostgresWorld, order: list[str], mark: int) -> None:
        for i in range(5):
            await world.store.register([wish(n, metadata={"n": [mark, i]}) for n in order])

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(change, one, names, 1)
        tasks.start_soon(change, two, names[::-1], 2)
    rows = await one.sql("SELECT DISTINCT fence FROM watches")
    assert [row[0] for row in rows] == [10]
