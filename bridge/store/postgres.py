"""The store in a PostgreSQL database, for one or several replicas."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from datetime import datetime, timedelta
from functools import partial
from types import TracebackType
from typing import Self, TypeVar
from uuid import UUID

import anyio
from sqlalchemy import Text, TextClause, func, literal_column, select

from bridge.core.change import Change
from bridge.core.delivering.delivery import Delivery, Settlement, WebhookState
from bridge.core.delivering.receipt import Receipt
from bridge.core.pacing.heirloom import Heirloom
from bridge.core.pacing.saved import SavedTable
from bridge.core.ports import Census, Enlisted, Room, Written
from bridge.core.replay import Replayed
from bridge.core.sharing.liveness import Pace, Sighting
from bridge.core.sharing.share import Bulletin, Spare, Tally
from bridge.core.watch import Generation, Watch, WatchWish
from bridge.errors import StoreError, StoreRefused, StoreUnavailable
from bridge.store import (
    budgeting,
    days,
    ddl,
    keeping,
    liveness,
    pacing,
    receipts,
    retention,
    sending,
    share,
    watching,
    writing,
)
from bridge.store.answering import Answering
from bridge.store.pool import Make, Pool, Prepare
from bridge.store.session import Session
from bridge.store.sql import Query, Statement, Transaction, given
from bridge.store.tables import REVISION

T = TypeVar("T")

OLDEST = 140000
"""PostgreSQL 14: what is tested is 15 and 18."""

BETWEEN_HINTS = 0.05
"""Seconds between two hints of one replica at least: the commit of each takes a global lock."""

AHEAD = timedelta(seconds=60)
CHUNKS = 100
"""How far replicas may be ahead together with a rate: a minute, and a chunk for each of so many.
(The server's clock is hardly ever set.)"""

PACE = Pace()

LEAVING = 5.0
"""Seconds that a replica takes at most to let go of what it owns when it ends."""

PATIENCE = {"lock_timeout": "30s", "statement_timeout": "60s"}
"""What the registration of a whole file may take: replicas that start together wait in turn."""

_SETTINGS = ("server_version_num", "server_encoding", "fsync", "synchronous_commit")
SERVER = Statement(
    "read the server's settings",
    select(*(func.current_setting(name) for name in _SETTINGS)),
)
EMPTY = Statement(
    "see whether there is a schema", select(func.to_regclass("meta").is_(None))
)
PATIENT = Statement(
    "take one's time",
    select(
        *(
            func.set_config(name, value, literal_column("true"))
            for name, value in PATIENCE.items()
        )
    ),
)
TURN = Statement(
    "wait for one's turn",
    select(func.pg_advisory_xact_lock(func.hashtext(given("what", Text())))),
)


class PostgresStore(Answering):
    """A Store in a database that other replicas use, too.

    `me` is this replica's id; it changes when the others have declared it dead.
    """

    def __init__(
        self,
        pool: Pool,
        session: Session,
        *,
        uid: Callable[[], UUID],
        name: str,
        version: str,
        pace: Pace,
    ) -> None:
        self.me = 0
        self._pool = pool
        self._session = session
        self._uid = uid
        self._name = name
        self._version = version
        self._silent = round(pace.silent * 1e6)
        self._hints = pace.hints
        self._mine: set[int] = set()
        self._certain = True
        self._tally: Tally
        self._births = 0
        self._hinted = float("-inf")
        self._owed = anyio.Event()

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        uid: Callable[[], UUID],
        session_url: str | None = None,
        name: str = "genbridge",
        version: str = "0",
        pace: Pace = PACE,
        prepare: Prepare | None = None,
    ) -> Self:
        """Connect, make the schema where there is none, and enter this replica.

        `session_url` leads to the server itself where `url` leads to a pooler. Raises
        StoreRefused or StoreUnavailable.
        """
        async with AsyncExitStack() as opened:
            pool = await Pool.open(url, prepare=prepare, pooled=session_url is not None)
            opened.push_async_callback(pool.close)
            session = Session(session_url or url, prepare=prepare)
            opened.push_async_callback(session.close)
            store = cls(pool, session, uid=uid, name=name, version=version, pace=pace)
            await store._begin()
            opened.pop_all()
        return store

    async def _begin(self) -> None:
        await self._pool.read(partial(fit, self._pool.where))
        await self._pool.write(_made)
        keeping.supported(await self._pool.read(keeping.described), self._pool.where)
        await self.join()
        await self._session.prove()
        await self._pool.write(keeping.clamp)
        with suppress(StoreUnavailable):
            # Without a day, attempts are logged all the same.
            await self._pool.write(days.tend)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    # ---------------------------------------------------------------- the port

    async def webhooks(self, keys: Sequence[str]) -> Mapping[str, WebhookState]:
        """Make the webhooks known by their keys (`name:studio`) and return their state."""
        return await self._pool.write(partial(keeping.known_webhooks, keys))

    async def set_webhook(self, state: WebhookState) -> None:
        """Set a webhook's condition and gate."""
        await self._pool.write(partial(keeping.set_webhook, state))

    async def register(self, wishes: Sequence[WatchWish]) -> Enlisted:
        """Begin watches, or change those that are; above its share this replica owns none."""
        return await self._enlist(
            partial(
                watching.register,
                wishes,
                uid=self._uid,
                me=self.me,
                known=self._known,
                owning=self._has_room(),
            ),
            len(wishes),
        )

    async def configure(self, wishes: Sequence[WatchWish], digest: str) -> Enlisted:
        """Register the watches of the file and end those of an earlier file that it lacks.

        Replicas that begin with the same file together do so in turn: the first one writes.
        """
        return await self._enlist(
            partial(
                _in_turn,
                "configure",
                partial(
                    watching.configure,
                    wishes,
                    digest,
                    uid=self._uid,
                    me=self.me,
                    known=self._known,
                    anyway=not self._certain,
                    owning=self._has_room(),
                ),
            ),
            len(wishes),
        )

    async def unwatch(self, generations: Sequence[Generation]) -> Enlisted:
        """End watches; pending deliveries still go out."""
        enlisted = await self._pool.write(
            partial(watching.unwatch, generations, me=self.me)
        )
        await self._hint()
        return enlisted

    async def claim_watches(self, limit: int) -> Sequence[Watch]:
        """Take up watches as far as the fair share goes; what is overdue is anybody's."""
        if not self._certain:
            return await self._stock(limit)
        found = await self._noted(partial(share.claim, self.me, limit))
        self._mine.update(watch.id for watch in found)
        return found

    async def watch(self, generation: Generation) -> Watch | None:
        """Return a running watch of ours as it stands; None: it is over or not ours."""
        found = await self._pool.read(partial(watching.one, generation, me=self.me))
        self._mine.update([found.id] if found else [])
        return found

    async def write(
        self, changes: Sequence[Change], settlements: Sequence[Settlement]
    ) -> Written:
        """Commit changes first, then settlements, in one transaction."""
        written = await self._pool.write(
            partial(writing.write, changes, settlements, me=self.me)
        )
        for change, recorded in zip(changes, written.recorded, strict=True):
            if change.ended is not None or not recorded.accepted:
                self._mine.discard(change.watch.id)
        if any(not to.room for change in changes for to in change.recipients):
            await self._hint()
        return written

    async def claim_deliveries(self, rooms: Sequence[Room]) -> Sequence[Delivery]:
        """Claim due deliveries, oldest due first, never past a pending predecessor."""
        return await self._pool.write(partial(sending.claim, rooms, self.me, together=True))

    async def receipt(self, watch: int, webhook: int) -> Receipt | None:
        """Return what names the message that tells of a watch's progress."""
        return await self._pool.read(partial(receipts.find, watch, webhook))

    async def next_due(self) -> Mapping[int, timedelta]:
        """Return per webhook how long until something pending can be claimed."""
        return await self._pool.read(sending.next_due)

    async def prune(
        self, *, attempts: timedelta, bodies: timedelta, deliveries: timedelta
    ) -> int:
        """Delete what is older; a watch goes whole, and counts as one row.

        Attempts go by whole days, which are not counted. The days ahead are made as well, so it
        must be called once in three days at least.
        """
        await self._pool.write(partial(days.tend, attempts))
        return await self._pool.write(
            partial(
                retention.prune,
                attempts=attempts,
                bodies=bodies,
                deliveries=deliveries,
                days=True,
            )
        )

    async def census(self) -> Census:
        """Count running watches, pending deliveries and events."""
        return await self._pool.read(keeping.census)

    async def pending(self) -> int:
        """Count pending deliveries."""
        return await self._pool.read(keeping.pending)

    async def alive(self) -> None:
        """Prove that a durable write is possible now."""
        await self._pool.write(keeping.prove)

    async def close(self) -> None:
        """Let go of all that this replica owns, and of the database."""
        with anyio.CancelScope(shield=True):
            with anyio.move_on_after(LEAVING), suppress(StoreError):
                await self._pool.attempt(
                    partial(liveness.depart, self.me, hinting=self._hints)
                )
                await self._pool.attempt(liveness.forget)
            await self._session.close()
            await self._pool.close()

    # ---------------------------------------------------------------- as one of several

    @property
    def certain(self) -> bool:
        """Whether all that this replica owns was handed out, as far as is known."""
        return self._certain

    @property
    def present(self) -> bool:
        """Whether the session is unbroken, as far as is known."""
        return self._session.open

    def listen(self, heard: Callable[[], None]) -> None:
        """Call `heard` whenever another replica hints that there is something to do."""
        self._session.heard = heard

    def listen_for_hints(self, heard: Callable[[Sequence[Generation]], None]) -> None:
        """Call `heard` with generations that may have changed, as any replica was told."""
        self._session.passed = lambda note: heard(liveness.noted(note))

    async def hint_later(self) -> None:
        """Send for ever, in time, the hints that came too soon after another one."""
        while True:
            await self._owed.wait()
            self._owed = anyio.Event()
            await anyio.sleep_until(self._hinted + BETWEEN_HINTS)
            await self._hint()

    async def pass_on(self, generations: Sequence[Generation]) -> None:
        """Tell every replica of generations that may have changed; that may get lost."""
        if self._hints:
            await self._pool.write(partial(liveness.pass_on, generations))

    async def join(self) -> bool:
        """Open a session and take the lock; return whether this replica is the one it was.

        Raises StoreUnavailable where that cannot be done yet.
        """
        if not self._session.open:
            await self._connect()
        if self.me:
            lives = await self._session.run(liveness.retake(self.me))
            if lives is None:
                await self._session.close()
                raise StoreUnavailable(f"database {self._session.where}: the lock is taken")
            if lives:
                return True
            await self._connect()
        self._mine = set()
        self._certain = True
        former = self.me
        self.me = await self._session.run(
            liveness.enter(name=self._name, version=self._version)
        )
        if former:
            await self._session.run(pacing.rename(former, self.me))
        self._weigh(await self._session.look(share.tally(self.me)))
        return False

    async def _connect(self) -> None:
        """Open a session, and keep contracts of the schema away while it lasts.

        Raises StoreRefused for a schema that this code must not work on.
        """
        try:
            await self._session.connect()
        except StoreRefused as error:
            if not self.me:
                raise
            # We were let in before: a password is being changed, a server is being restored.
            raise StoreUnavailable(str(error)) from error
        if not await self._session.run(liveness.use(REVISION)):
            await self._session.close()
            raise StoreUnavailable(f"database {self._session.where}: its schema is changed")
        keeping.supported(
            await self._session.look(keeping.described()), self._session.where
        )

    async def beat(self) -> bool:
        """Show that this replica is alive; return whether it still counts as that."""
        return await self._session.run(liveness.beat(self.me))

    async def look_around(self) -> Sequence[Sighting]:
        """Look at the other replicas."""
        return await self._session.look(liveness.look(self.me, silent=self._silent))

    async def bury(self, ids: Sequence[int]) -> tuple[Sequence[int], frozenset[int]]:
        """Declare replicas dead that still look it.

        Return which, and the webhooks with deliveries that came free by it.
        """
        dead, freed = await self._session.run(
            liveness.bury(ids, silent=self._silent, hinting=self._hints)
        )
        return dead, frozenset(freed)

    async def forget(self) -> None:
        """Delete the dead whom no watch names any more."""
        await self._pool.write(liveness.forget)

    async def bulletin(self) -> Bulletin:
        """Return what others have done since the last time."""
        news = await self._pool.write(partial(share.bulletin, self.me))
        self._weigh(news.tally)
        return news

    async def give_back(self, spares: Sequence[Spare]) -> Sequence[int]:
        """Let go of watches; return the ids of those that were still ours."""
        gone = await self._pool.write(partial(share.give_back, self.me, spares))
        self._mine.difference_update(one.watch.id for one in spares)
        await self._hint()
        return gone

    async def retry(self, delivery: int) -> int | None:
        """Make a delivery due now, for whichever replica takes it."""
        webhook = await super().retry(delivery)
        await self._hint()
        return webhook

    async def advance_replay(self) -> Replayed | None:
        """Do the next step of a replay, for whichever replica takes what it makes due."""
        replayed = await super().advance_replay()
        if replayed is not None and replayed.woken:
            await self._hint()
        return replayed

    async def resume_webhook(
        self, webhook: int, *, since: datetime | None = None, discard: bool = False
    ) -> int:
        """Open a webhook, for all replicas at once."""
        waiting = await super().resume_webhook(webhook, since=since, discard=discard)
        await self._hint()
        return waiting

    async def chunk(self, key: str, length: timedelta) -> timedelta:
        """Take the next `length` of a rate that all share; return when it begins, from now."""
        ahead = AHEAD + CHUNKS * length
        return await self._pool.write(partial(budgeting.chunk, key, length, ahead))

    async def duty(self, name: str, every: timedelta) -> bool:
        """Return whether this replica is to do a duty now that one does for all."""
        return await self._pool.write(partial(budgeting.duty, self.me, name, every))

    async def pace(self, source: str) -> Heirloom:
        """Return the learned tables of a source; those of the dead are ours from now on."""
        return await self._pool.write(partial(pacing.inherit, source, me=self.me))

    async def save_pace(self, source: str, tables: Sequence[SavedTable]) -> None:
        """Set what this replica has learnt of some models' states."""
        await self._pool.write(partial(pacing.save, source, tables, me=self.me))

    # ---------------------------------------------------------------- inside

    async def _alter(self, make: Make[T]) -> T:
        return await self._pool.write(make)

    async def _ask(self, make: Make[T]) -> T:
        return await self._pool.read(make)

    async def _enlist(self, make: Make[Enlisted], wishes: int) -> Enlisted:
        """Run a registration, note what it hands out, and hint where others have the rest."""
        enlisted = await self._noted(make)
        self._mine.update(watch.id for watch in enlisted.started)
        self._births += len(enlisted.begun)
        if len(enlisted.started) < wishes or enlisted.ended:
            await self._hint()
        return enlisted

    async def _noted(self, make: Make[T]) -> T:
        """Run what hands out watches: if that fails its outcome is unknown, so count anew."""
        try:
            return await self._pool.write(make)
        except BaseException:
            self._certain = False
            raise

    async def _stock(self, limit: int) -> Sequence[Watch]:
        """Return what is ours and was never handed out: an answer was lost on its way."""
        found: list[Watch] = []
        cursor = 0
        while len(found) < limit:
            some = await self._pool.read(partial(share.mine, self.me, cursor, limit))
            found += [watch for watch in some if watch.id not in self._mine]
            if len(some) < limit:
                self._certain = True
                break
            cursor = some[-1].id
        self._mine.update(watch.id for watch in found)
        return found

    def _known(self, id_: int) -> bool:
        return id_ in self._mine

    def _weigh(self, tally: Tally) -> None:
        self._tally, self._births = tally, 0

    def _has_room(self) -> bool:
        """Whether what is begun now may be ours, as far as the last tally tells."""
        return self._tally.may_own(len(self._mine), self._births)

    async def _hint(self) -> None:
        """Tell the others to look; that none of it arrives is allowed."""
        now = anyio.current_time()
        if not self._hints:
            return
        if now < self._hinted + BETWEEN_HINTS:
            self._owed.set()
            return
        self._hinted = now
        with suppress(StoreError):
            await self._pool.write(liveness.hint)


def fit(where: str) -> Transaction[None]:
    """Raise StoreRefused for a server that would not keep what it has acknowledged."""
    ((version, encoding, fsync, commit),) = yield Query(SERVER)
    if int(version) < OLDEST:
        raise StoreRefused(f"database {where}: PostgreSQL 14 or newer is needed")
    if encoding != "UTF8":
        raise StoreRefused(f"database {where}: its encoding is {encoding}, must be UTF8")
    for name, value in (("fsync", fsync), ("synchronous_commit", commit)):
        if value == "off":
            raise StoreRefused(
                f"database {where}: with {name}=off a crash loses what was acknowledged; "
                "switch it on"
            )


def _made() -> Transaction[None]:
    """Make the schema where there is none, one replica at a time."""
    yield Query(TURN, {"what": "genbridge schema"})
    ((empty,),) = yield Query(EMPTY)
    if empty:
        for text in ddl.statements("postgresql+asyncpg"):
            yield Query(Statement("make the schema", TextClause(text)))
        yield from keeping.inscribe()


def _in_turn(what: str, make: Make[T]) -> Transaction[T]:
    """Run a long transaction that other replicas may begin at the same moment."""
    yield Query(PATIENT)
    yield Query(TURN, {"what": f"genbridge {what}"})
    return (yield from make())
