"""The daemon: builds every part from the settings, introduces them to each other, runs them.

The only file that knows all parts. Order at the start: database, webhooks, watches, loops,
address; then READY. At the end: no new looks, no new claims, attempts under way get a moment,
everything is settled, the database is closed.
"""

import gc
import os
import signal
import socket
import uuid
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TypeAlias

import anyio
from anyio.abc import TaskGroup

from bridge import __version__
from bridge.core.delivering.callback import Callback, callback_name
from bridge.core.delivering.delivery import Condition, WebhookState
from bridge.core.delivering.signing import read_key
from bridge.core.listing import ListedWatch, ListedWebhook
from bridge.core.network.exchange import Answer, Phase, Request, Unanswered
from bridge.core.network.way import DIRECT, Way
from bridge.core.order import Ordered, WatchOrder
from bridge.core.ports import Clock, Enlisted, Lists, Log, Store
from bridge.core.settings import Settings, Source, Webhook, shared
from bridge.core.sharing.liveness import Fit, Pace
from bridge.core.watch import Generation, Origin, Watch, WatchWish
from bridge.engine.calendar import Calendar, Job
from bridge.engine.callbacks import Callbacks, revived
from bridge.engine.crew import Crew
from bridge.engine.desk import Desk
from bridge.engine.membership import Membership, Register
from bridge.engine.poller import Poller
from bridge.engine.sender import SWEEP, Sender
from bridge.engine.supervisor import Supervisor
from bridge.engine.writer import Writer
from bridge.errors import ConfigError, GenbridgeError, StoreRefused, StoreUnavailable
from bridge.formats.standard import Format as Standard
from bridge.http import Client
from bridge.store.sqlite import SqliteStore
from bridge.telemetry.clock import SystemChance, SystemClock, steady
from bridge.telemetry.notify import Notifier

Reread: TypeAlias = Callable[[], Settings]
"""Reads the configuration again; raises ConfigError."""

DRAIN = 8.0
"""Seconds that attempts under way get at the end, for their answer saves a duplicate."""

FLUSH = 1.5
"""Seconds that the last settlements get after that; what is not written is sent again."""

STUCK = 15.0
"""Seconds after which a loop that has not turned over counts as stuck (OPERATIONS.md, 1)."""

NUDGE = timedelta(seconds=5)
PRUNE = timedelta(minutes=10)
SHARED_SWEEP = 5.0
"""Seconds after which a replica asks what is due, whatever it remembers: others write, too."""

PACE = Pace()

Duty: TypeAlias = Callable[[str, timedelta], Awaitable[bool]]
"""Says whether a duty that one replica does for all is ours now."""

BREATH = 0.1
"""Seconds between two steps of the retention, for everybody else's transactions."""


class Wire:
    """The pooled HTTP client, replaced as a whole when the address guard changes."""

    def __init__(self, clock: Clock, fit: Fit) -> None:
        self._clock = clock
        self._fit = fit
        self._client: Client | None = None
        self._allow: object = None

    async def open(self, settings: Settings) -> None:
        """Use the guard of these settings; a pool opened under another one is closed."""
        if self._client is not None and settings.allow == self._allow:
            return
        old, self._allow = self._client, settings.allow
        client = Client(allow=settings.allow, clock=self._clock)
        self._client = await client.__aenter__()
        if old is not None:
            await old.__aexit__(None, None, None)

    async def close(self) -> None:
        """Close the pool."""
        if self._client is not None:
            await self._client.__aexit__(None, None, None)

    async def send(
        self,
        request: Request,
        *,
        timeout: timedelta,  # noqa: ASYNC109  (the port's word)
        limit: int,
        way: Way = DIRECT,
    ) -> Answer:
        """Send under the present guard, if this replica can show that it lives."""
        if not self._fit():
            return Unanswered(phase=Phase.LOCAL, reason="not sent: the database is away")
        assert self._client is not None  # noqa: S101  (opened before anybody is introduced)
        return await self._client.send(request, timeout=timeout, limit=limit, way=way)


class Daemon:
    """One running genbridge."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        *,
        reread: Reread,
        clock: Clock,
        log: Log,
        register: Register | None = None,
        pace: Pace = PACE,
    ) -> None:
        self.settings = settings
        self.calendar: Calendar | None = None
        self._store = store
        self._reread = reread
        self._reloading = anyio.Lock()
        self._clock = clock
        self._log = log
        self._chance = SystemChance()
        self._register = register
        self._membership: Membership | None = None
        self._wire = Wire(clock, self._fit)
        self._writer = Writer(store, clock=clock, log=log)
        self._sender = Sender(
            outbox=store,
            settler=self._writer,
            http=self._wire,
            clock=clock,
            chance=self._chance,
            log=log,
            version=__version__,
            sweep=SWEEP if register is None else SHARED_SWEEP,
            fit=self._fit,
            purse=register,
        )
        self._writer.on_written = self._sender.written
        self._supervisor = Supervisor(self._poller)
        self._callbacks = Callbacks(store, self._sender, _callers_webhook)
        self._crew = Crew(self._supervisor, self._sender, self._callbacks)
        if register is not None:
            self._membership = Membership(
                register,
                self._crew,
                steady=steady,
                chance=self._chance,
                log=log,
                pace=pace,
            )
        self._duty: Duty = _always if register is None else register.duty
        self._desk = Desk(store, self._callbacks, self._enlist)
        self._states: dict[str, WebhookState] = {}
        self.phase: str | None = "starting"
        """Why nothing can be ordered now; None: it can."""

    def _poller(self, source: Source) -> Poller:
        return Poller(
            source,
            http=self._wire,
            recorder=self._writer,
            audience=self._sender,
            rereader=self,
            clock=self._clock,
            chance=self._chance,
            log=self._log,
            fit=self._fit,
            purse=self._register,
        )

    def _fit(self) -> bool:
        """Whether anything may begin: a replica must be able to show that it lives."""
        return self._membership is None or self._membership.fit()

    # ---------------------------------------------------------------- settings

    async def apply(self, settings: Settings) -> None:
        """Work under these settings from now on: webhooks, sources and watches of the file."""
        await self._wire.open(settings)
        await self._set_webhooks(settings)
        self._supervisor.set_sources(settings.sources)
        wishes = [
            WatchWish(
                generation=Generation(watch.source, watch.id),
                origin=Origin.FILE,
                until=watch.until,
                webhooks=tuple(self._states[name].id for name in watch.webhooks),
                metadata=watch.metadata,
                deadline=watch.deadline,
            )
            for watch in settings.watches
        ]
        await self._enlist(await self._store.configure(wishes, settings.digest))
        self.settings = settings

    async def _set_webhooks(self, settings: Settings) -> None:
        keys = {name: f"name:{name}" for name in settings.webhooks}
        known = await self._store.webhooks(list(keys.values()))
        self._states = {
            name: await revived(self._store, known[key]) for name, key in keys.items()
        }
        own = [(webhook, self._states[n]) for n, webhook in settings.webhooks.items()]
        self._sender.set_lanes([*own, *await self._callbacks.lanes()])

    async def _enlist(self, enlisted: Enlisted) -> None:
        await self._meet(enlisted.started)
        self._supervisor.drop(enlisted.ended)
        self._supervisor.add(enlisted.started)
        self._sender.woken(enlisted.woken)

    async def take_up(self) -> None:
        """Take up every watch that waits for an owner, and what is pending for callers."""
        while watches := await self._store.claim_watches(5000):
            await self._meet(watches)
            self._supervisor.add(watches)
        await self._callbacks.meet(await self._store.next_due())

    async def _meet(self, watches: Iterable[Watch]) -> None:
        """Open the lanes of callers' webhooks before a watch runs that names them."""
        await self._callbacks.meet({id_ for watch in watches for id_ in watch.webhooks})

    async def watch(self, generation: Generation) -> Watch | None:
        """Return a running watch as it stands, for its poller."""
        watch = await self._store.watch(generation)
        await self._meet([] if watch is None else [watch])
        return watch

    async def reload(self) -> str | None:
        """Read the configuration again and work under it; return what is wrong, if anything is.

        A bad file changes nothing.
        """
        async with self._reloading:
            return await self._reload()

    async def _reload(self) -> str | None:
        try:
            settings = await anyio.to_thread.run_sync(self._reread)
        except ConfigError as error:
            self._log.error("reload refused", reason=str(error))
            return str(error)
        if (settings.database, settings.server) != (
            self.settings.database,
            self.settings.server,
        ):
            self._log.warning("database and server change only with a restart")
        try:
            await self.apply(settings)
        except StoreUnavailable as error:
            self._log.error("reload refused", reason=str(error))
            return f"{error}; ask for it again"
        self._log.info("reloaded", **_counts(settings))
        return None

    # ---------------------------------------------------------------- for the API

    @property
    def lists(self) -> Lists:
        """What is kept, for people to read."""
        return self._store

    async def order(self, orders: Sequence[WatchOrder]) -> Sequence[Ordered]:
        """Begin or change watches; once this returns they are on the disk."""
        ids = {name: state.id for name, state in self._states.items()}
        return await self._desk.order(orders, ids)

    async def call_off(self, generation: Generation) -> ListedWatch | None:
        """End a watch; None: there never was one."""
        return await self._desk.call_off(generation)

    async def addressees(self, webhooks: Iterable[int]) -> Mapping[int, ListedWebhook]:
        """Return webhooks by their ids; those that there are."""
        wanted = set(webhooks)
        await self._callbacks.meet(wanted)
        found = {id_: self._callbacks.known(id_) for id_ in wanted}
        return {id_: one for id_, one in found.items() if one is not None}

    def jobs(self) -> Sequence[Job]:
        """Return what recurs."""
        return () if self.calendar is None else self.calendar.jobs()

    def watching(self, source: str) -> int:
        """Return how many generations of a source are watched by this process."""
        return self._supervisor.watching(source)

    # ---------------------------------------------------------------- life

    @asynccontextmanager
    async def working(self, tasks: TaskGroup) -> AsyncIterator[None]:
        """Run every loop inside; drain and settle at the end."""
        if self._membership is not None:
            await self._membership.begin()
            tasks.start_soon(self._membership.run)
        with _collecting_later():
            await self.apply(self.settings)
            await self.take_up()
        tasks.start_soon(self._writer.run)
        tasks.start_soon(self._sender.run)
        tasks.start_soon(self._supervisor.run)
        self.phase = None
        try:
            yield
        finally:
            self.phase = "stopping"
            with anyio.CancelScope(shield=True):
                await self._wind_up()

    async def _wind_up(self) -> None:
        if self._membership is not None:
            await self._membership.leave()
        self._supervisor.set_sources({})
        if not await self._sender.drain(DRAIN):
            self._log.warning(
                "attempts were cut off; they are made again after the next start"
            )
        with anyio.move_on_after(FLUSH):
            await self._writer.flushed()
        self._writer.give_up()
        await self._wire.close()

    def readiness(self) -> Sequence[str]:
        """Return why the daemon is not ready; nothing: it is."""
        away = None if self._membership is None else self._membership.trouble()
        return [reason for reason in (self.phase, self._writer.trouble, away) if reason]

    def nudge(self) -> None:
        """Let every loop turn over once."""
        self._sender.nudge()
        for poller in self._supervisor.pollers():
            poller.nudge()

    def alive(self) -> bool:
        """Return whether every loop has turned over of late."""
        turned = [self._sender.turned, *(p.turned for p in self._supervisor.pollers())]
        return self._clock.monotonic() - min(turned) < STUCK

    async def status(self) -> str:
        """Return a line for people."""
        census = await self._store.census()
        failing = [
            c for c in self._sender.conditions().values() if c is not Condition.ACTIVE
        ]
        text = f"watching {self._supervisor.watching()}, {census.pending} pending"
        return text + (f", {len(failing)} webhooks off" if failing else "")

    async def prune(self) -> None:
        """Delete what is older than the retention, in small steps; one replica does it for all."""
        if not await self._duty("retention", PRUNE / 2):
            return
        ages = self.settings.retention
        gone = 1
        while gone:
            await anyio.sleep(BREATH)
            gone = await self._store.prune(
                attempts=ages.attempts, bodies=ages.bodies, deliveries=ages.deliveries
            )


async def _always(_name: str, _every: timedelta) -> bool:
    """Say that a duty is ours: there is nobody else."""
    return True


@contextmanager
def _collecting_later() -> Iterator[None]:
    """Take up much without looking for garbage in it: it stays, now and later.

    100,000 watches start in 1.7 instead of 2.6 s (measured), and no later search through all of
    them holds up a delivery.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.freeze()


def _callers_webhook(callback: Callback, state: WebhookState) -> Webhook:
    """Return how a webhook that a caller brought along is sent to."""
    keys = () if callback.secret is None else (read_key(callback.secret),)
    return Webhook(
        name=callback_name(state.id), url=callback.url, keys=keys, format=Standard()
    )


async def serve(settings: Settings, *, reread: Reread, log: Log, pace: Pace = PACE) -> None:
    """Run the daemon until it is asked to stop (SIGTERM, SIGINT); `pace` is a replica's.

    Raises GenbridgeError where it cannot start or go on.
    """
    try:
        await _serve(settings, reread, log, pace)
    except BaseExceptionGroup as group:
        ours, rest = group.split(GenbridgeError)
        if ours is None or rest is not None:
            raise
        raise _first(ours) from group


def _first(error: BaseException) -> BaseException:
    return _first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


async def _serve(settings: Settings, reread: Reread, log: Log, pace: Pace) -> None:
    clock = SystemClock()
    notifier = Notifier.from_environment(clock)
    async with AsyncExitStack() as stack:
        store, register = await _opened(stack, settings, clock, pace)
        daemon = Daemon(
            *(settings, store),
            reread=reread,
            clock=clock,
            log=log,
            register=register,
            pace=pace,
        )
        # Kept to the very end: in between, a signal would find nobody and kill the process.
        signals = stack.enter_context(
            anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        )
        tasks = await stack.enter_async_context(anyio.create_task_group())
        stack.callback(tasks.cancel_scope.cancel)
        await _open_doors(stack, daemon)
        await stack.enter_async_context(daemon.working(tasks))
        calendar = await stack.enter_async_context(_calendar(daemon, notifier, clock, log))
        daemon.calendar = calendar
        tasks.start_soon(partial(notifier.keep_beating, alive=daemon.alive))
        for warning in settings.warnings:
            log.warning(warning)
        log.info(
            "ready", version=__version__, jobs=len(calendar.jobs()), **_counts(settings)
        )
        notifier.ready(await daemon.status())
        await _obey(signals, daemon, notifier)
        log.info("stopping")
        notifier.stopping()
        tasks.start_soon(_second_signal, signals)
    log.info("stopped")


async def _opened(
    stack: AsyncExitStack, settings: Settings, clock: Clock, pace: Pace
) -> tuple[Store, Register | None]:
    """Open the database that the settings name; one that replicas share is also a register."""
    if not shared(settings.database):
        file = await SqliteStore.open(
            Path(settings.database), clock=clock, uid=uuid.uuid4, version=__version__
        )
        return await stack.enter_async_context(file), None
    try:
        from bridge.store.postgres import PostgresStore
    except ImportError as error:
        raise StoreRefused(
            "PostgreSQL needs asyncpg: install genbridge[postgres]"
        ) from error

    database = await PostgresStore.open(
        settings.database,
        session_url=settings.session_url,
        uid=uuid.uuid4,
        name=f"{socket.gethostname()}:{os.getpid()}",
        version=__version__,
        pace=pace,
    )
    return await stack.enter_async_context(database), database


def _counts(settings: Settings) -> dict[str, int]:
    return {
        "sources": len(settings.sources),
        "webhooks": len(settings.webhooks),
        "watches": len(settings.watches),
    }


@asynccontextmanager
async def _calendar(
    daemon: Daemon, notifier: Notifier, clock: Clock, log: Log
) -> AsyncIterator[Calendar]:
    async def nudge() -> None:
        daemon.nudge()
        notifier.status(await daemon.status())

    async with Calendar(clock=clock, log=log) as calendar:
        calendar.add("liveness", NUDGE, nudge)
        calendar.add("retention", PRUNE, daemon.prune)
        yield calendar


async def _open_doors(stack: AsyncExitStack, daemon: Daemon) -> None:
    """Listen, where that is wanted: until the very end, for `/readyz` tells of the drain."""
    server = daemon.settings.server
    if server.host is None:
        return
    from bridge.web.doors import doors
    from bridge.web.server import listening

    await stack.enter_async_context(
        listening(doors(daemon), host=server.host, port=server.port)
    )


async def _obey(
    signals: AsyncIterator[signal.Signals], daemon: Daemon, notifier: Notifier
) -> None:
    """Reload on SIGHUP; return on the first signal to stop."""
    async for number in signals:
        if number is not signal.SIGHUP:
            return
        notifier.reloading()
        refusal = await daemon.reload()
        notifier.ready(
            "reloaded" if refusal is None else f"reload refused: {refusal.splitlines()[0]}"
        )


async def _second_signal(signals: AsyncIterator[signal.Signals]) -> None:
    """End at once when somebody insists: what is not settled is sent again after the next start."""
    async for number in signals:
        if number is not signal.SIGHUP:
            os._exit(0)
