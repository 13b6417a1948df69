"""The daemon: builds every part from the settings, introduces them to each other, runs them.

The only file that knows all parts. Order at the start: database, webhooks, watches, loops,
address; then READY. At the end: no new looks, no new claims, attempts under way get a moment,
everything is settled, the database is closed.
"""

import os
import signal
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TypeAlias

import anyio
from anyio.abc import TaskGroup

from bridge import __version__
from bridge.core.delivery import Condition, WebhookState
from bridge.core.exchange import Answer, Request
from bridge.core.ports import Clock, Enlisted, Log, Store
from bridge.core.settings import Settings, Source
from bridge.core.watch import Generation, Origin, WatchWish
from bridge.engine.calendar import Calendar
from bridge.engine.poller import Poller
from bridge.engine.sender import Sender
from bridge.engine.supervisor import Supervisor
from bridge.engine.writer import Writer
from bridge.errors import ConfigError, GenbridgeError
from bridge.http import Client
from bridge.store.sqlite import SqliteStore
from bridge.telemetry.clock import SystemChance, SystemClock
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
BREATH = 0.1
"""Seconds between two steps of the retention, for everybody else's transactions."""


class Wire:
    """The pooled HTTP client, replaced as a whole when the address guard changes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
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
    ) -> Answer:
        """Send under the present guard."""
        assert self._client is not None  # noqa: S101  (opened before anybody is introduced)
        return await self._client.send(request, timeout=timeout, limit=limit)


class Daemon:
    """One running genbridge."""

    def __init__(self, settings: Settings, store: Store, *, clock: Clock, log: Log) -> None:
        self.settings = settings
        self._store = store
        self._clock = clock
        self._log = log
        self._chance = SystemChance()
        self._wire = Wire(clock)
        self._writer = Writer(store, clock=clock, log=log)
        self._sender = Sender(
            outbox=store,
            settler=self._writer,
            http=self._wire,
            clock=clock,
            chance=self._chance,
            log=log,
            version=__version__,
        )
        self._writer.on_written = self._sender.written
        self._supervisor = Supervisor(self._poller)
        self._states: dict[str, WebhookState] = {}
        self._phase: str | None = "starting"

    def _poller(self, source: Source) -> Poller:
        return Poller(
            source,
            http=self._wire,
            recorder=self._writer,
            audience=self._sender,
            rereader=self._store,
            clock=self._clock,
            chance=self._chance,
            log=self._log,
        )

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
        self._enlist(await self._store.configure(wishes, settings.digest))
        self.settings = settings

    async def _set_webhooks(self, settings: Settings) -> None:
        keys = {name: f"name:{name}" for name in settings.webhooks}
        known = await self._store.webhooks(list(keys.values()))
        self._states = {name: await self._revived(known[key]) for name, key in keys.items()}
        self._sender.set_lanes(
            (webhook, self._states[name]) for name, webhook in settings.webhooks.items()
        )

    async def _revived(self, state: WebhookState) -> WebhookState:
        """Give a webhook that was switched off another chance: somebody has looked at the file."""
        if state.condition is not Condition.DISABLED:
            return state
        state = WebhookState(id=state.id, key=state.key)
        await self._store.set_webhook(state)
        return state

    def _enlist(self, enlisted: Enlisted) -> None:
        self._supervisor.drop(enlisted.ended)
        self._supervisor.add(enlisted.started)
        self._sender.woken(enlisted.woken)

    async def take_up(self) -> None:
        """Take up every watch that waits for an owner."""
        while watches := await self._store.claim_watches(5000):
            self._supervisor.add(watches)

    async def reload(self, reread: Reread) -> str:
        """Read the configuration again and work under it; return what to tell the operator.

        A bad file changes nothing.
        """
        try:
            settings = await anyio.to_thread.run_sync(reread)
        except ConfigError as error:
            self._log.error("reload refused", reason=str(error))
            return f"reload refused: {str(error).splitlines()[0]}"
        if (settings.database, settings.server) != (
            self.settings.database,
            self.settings.server,
        ):
            self._log.warning("database and server change only with a restart")
        await self.apply(settings)
        self._log.info("reloaded", **_counts(settings))
        return "reloaded"

    # ---------------------------------------------------------------- life

    @asynccontextmanager
    async def working(self, tasks: TaskGroup) -> AsyncIterator[None]:
        """Run every loop inside; drain and settle at the end."""
        await self.apply(self.settings)
        await self.take_up()
        tasks.start_soon(self._writer.run)
        tasks.start_soon(self._sender.run)
        tasks.start_soon(self._supervisor.run)
        self._phase = None
        try:
            yield
        finally:
            self._phase = "stopping"
            with anyio.CancelScope(shield=True):
                await self._wind_up()

    async def _wind_up(self) -> None:
        self._supervisor.set_sources({})
        if not await self._sender.drain(DRAIN):
            self._log.warning(
                "attempts were cut off; they are made again after the next start"
            )
        with anyio.move_on_after(FLUSH):
            await self._writer.flushed()
        await self._wire.close()

    def readiness(self) -> Sequence[str]:
        """Return why the daemon is not ready; nothing: it is."""
        return [reason for reason in (self._phase, self._writer.trouble) if reason]

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
        """Delete what is older than the retention, in small steps."""
        ages = self.settings.retention
        gone = 1
        while gone:
            await anyio.sleep(BREATH)
            gone = await self._store.prune(
                attempts=ages.attempts, bodies=ages.bodies, deliveries=ages.deliveries
            )


async def serve(settings: Settings, *, reread: Reread, log: Log) -> None:
    """Run the daemon until it is asked to stop (SIGTERM, SIGINT).

    Raises GenbridgeError where it cannot start or go on.
    """
    try:
        await _serve(settings, reread, log)
    except BaseExceptionGroup as group:
        ours, rest = group.split(GenbridgeError)
        if ours is None or rest is not None:
            raise
        raise _first(ours) from group


def _first(error: BaseException) -> BaseException:
    return _first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


async def _serve(settings: Settings, reread: Reread, log: Log) -> None:
    clock = SystemClock()
    notifier = Notifier.from_environment(clock)
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(
            await SqliteStore.open(
                Path(settings.database), clock=clock, uid=uuid.uuid4, version=__version__
            )
        )
        daemon = Daemon(settings, store, clock=clock, log=log)
        tasks = await stack.enter_async_context(anyio.create_task_group())
        stack.callback(tasks.cancel_scope.cancel)
        with anyio.open_signal_receiver(
            signal.SIGTERM, signal.SIGINT, signal.SIGHUP
        ) as signals:
            await _open_doors(stack, daemon)
            await stack.enter_async_context(daemon.working(tasks))
            calendar = await stack.enter_async_context(
                _calendar(daemon, notifier, clock, log)
            )
            tasks.start_soon(partial(notifier.keep_beating, alive=daemon.alive))
            for warning in settings.warnings:
                log.warning(warning)
            log.info(
                "ready", version=__version__, jobs=len(calendar.jobs()), **_counts(settings)
            )
            notifier.ready(await daemon.status())
            await _obey(signals, daemon, notifier, reread)
        log.info("stopping")
        notifier.stopping()
        tasks.start_soon(_second_signal)
    log.info("stopped")


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
    from bridge.web.health import application
    from bridge.web.server import listening

    app = application(readiness=daemon.readiness)
    await stack.enter_async_context(listening(app, host=server.host, port=server.port))


async def _obey(
    signals: AsyncIterator[signal.Signals],
    daemon: Daemon,
    notifier: Notifier,
    reread: Reread,
) -> None:
    """Reload on SIGHUP; return on the first signal to stop."""
    async for number in signals:
        if number is not signal.SIGHUP:
            return
        notifier.reloading()
        notifier.ready(await daemon.reload(reread))


async def _second_signal() -> None:
    """End at once when somebody insists: what is not settled is sent again after the next start."""
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            os._exit(0)
