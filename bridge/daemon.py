"""The daemon: builds every part from the settings, introduces them to each other, runs them.

The only file that knows all parts. Order at the start: database, webhooks, watches of the file,
loops; then it is ready, and takes up what the database holds while it works. At the end: no new
looks, no new claims, attempts under way get a moment, everything is settled.
"""

import gc
import resource
import socket
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import Protocol, TypeAlias

import anyio
from anyio.abc import TaskGroup

from bridge import __version__
from bridge.core.delivering.callback import Callback, callback_name
from bridge.core.delivering.delivery import Condition, WebhookState
from bridge.core.delivering.signing import read_key
from bridge.core.order import WatchOrder
from bridge.core.pacing.connections import most
from bridge.core.ports import Clock, Enlisted, Log, Store
from bridge.core.settings import Settings, Source, Webhook
from bridge.core.sharing.liveness import Pace
from bridge.core.watch import Generation, Origin, Watch, WatchWish
from bridge.engine.awaited import AwaitedOutbox
from bridge.engine.calendar import Calendar
from bridge.engine.callbacks import Callbacks
from bridge.engine.courier import Courier
from bridge.engine.credentials import Credentials
from bridge.engine.crew import Crew
from bridge.engine.desk import Desk
from bridge.engine.discovery import Discoverer
from bridge.engine.experience import Experience
from bridge.engine.hinter import Hinter, Others
from bridge.engine.intake import Intake
from bridge.engine.membership import Membership, Register
from bridge.engine.meter import Purse
from bridge.engine.poller import Poller
from bridge.engine.renewal import Renewal
from bridge.engine.replaying import Replayer
from bridge.engine.sender import SWEEP, Sender
from bridge.engine.supervisor import Supervisor
from bridge.engine.trial import Trials
from bridge.engine.writer import Writer
from bridge.errors import ConfigError, GenbridgeError, StoreBroken
from bridge.formats.standard import Format as Standard
from bridge.telemetry.clock import SystemChance, steady
from bridge.wire import Wire

Reread: TypeAlias = Callable[[], Settings]
"""Reads the configuration again; raises ConfigError."""

DRAIN = 8.0
"""Seconds that attempts under way get at the end, for their answer saves a duplicate."""

FLUSH = 1.5
"""Seconds that the last settlements get after that; what is not written is sent again."""

STUCK = 15.0
"""Seconds after which a loop that has not turned over counts as stuck (OPERATIONS.md, 1)."""

PRUNE = timedelta(minutes=10)
REVIEW = 86400.0
"""Seconds after which it is looked which callers' webhooks the store has forgotten."""

SHARED_SWEEP = 5.0
"""Seconds after which a replica asks what is due, whatever it remembers: others write, too."""

MOST_SLOTS = 4096
"""Attempts under way at once, of all webhooks, at most (DELIVERY.md, section 5)."""

BREATH = 0.1
"""Seconds between two steps of the retention, for everybody else's transactions."""

PACE = Pace()

REMEMBER = timedelta(minutes=1)
"""How often it is kept what looks have taught (DETECTION.md, section 8)."""


class Fleet(Register, Others, Protocol):
    """The part of the store that knows the other replicas."""


Duty: TypeAlias = Callable[[str, timedelta], Awaitable[bool]]
"""Says whether a duty that one replica does for all is ours now."""


class Daemon:
    """One running genbridge.

    `register` is there where replicas share the database. `purse` is where starts of a rate are
    paid for, so that it holds over restarts.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        *,
        reread: Reread,
        clock: Clock,
        log: Log,
        purse: Purse,
        register: Fleet | None = None,
        pace: Pace = PACE,
    ) -> None:
        self.settings = settings
        self.store = store
        self.clock = clock
        self.calendar: Calendar | None = None
        self.phase: str | None = "starting"
        """Why nothing can be ordered now; None: it can."""
        self._reread = reread
        self._reloading = anyio.Lock()
        self.standing = anyio.Lock()
        """Held while it is taken over from the store how webhooks stand."""
        self._taking_up = anyio.CancelScope()
        self._log = log
        self._chance = SystemChance()
        self._register = register
        self._membership: Membership | None = None
        self._duty: Duty = _always if register is None else register.duty
        self._wire = Wire(clock, self._fit)
        self._writer = Writer(store, clock=clock, log=log)
        self.supervisor = Supervisor(self._poller, connections=_connections())
        self._experience = Experience(store, self.supervisor.pollers, log=log)
        self.hinter = Hinter(self.supervisor.hint, clock=clock, log=log, others=register)
        courier = Courier(
            http=self._wire,
            clock=clock,
            version=__version__,
            credentials=Credentials(http=self._wire, clock=clock, version=__version__),
            origin=socket.gethostname(),
        )
        self._outbox = AwaitedOutbox(store, clock=clock)
        self.sender = Sender(
            outbox=self._outbox,
            settler=self._writer,
            courier=courier,
            renewer=Renewal(self.supervisor, clock=clock),
            clock=clock,
            chance=self._chance,
            log=log,
            sweep=SWEEP if register is None else SHARED_SWEEP,
            fit=self._fit,
            purse=purse,
            slots=_slots(),
        )
        self._writer.on_written = self.sender.written
        self._writer.on_refused = self.sender.refused
        self.callbacks = Callbacks(store, self.sender, callers_webhook, clock=clock)
        self._reviewed = clock.monotonic()
        self._intake = Intake(
            *(store, self.callbacks, self.supervisor), chance=self._chance, log=log
        )
        self._crew = Crew(
            intake=self._intake,
            supervisor=self.supervisor,
            sender=self.sender,
            callbacks=self.callbacks,
        )
        if register is not None:
            self._membership = Membership(
                *(register, self._crew),
                steady=steady,
                chance=self._chance,
                log=log,
                pace=pace,
            )
        self.desk = Desk(store, self.callbacks, self._enlist)
        self._discoverer = Discoverer(
            store,
            page=self.supervisor.page,
            watch=self._discovered,
            duty=self._duty,
            clock=clock,
            log=log,
        )
        self.replayer = Replayer(store, wake=self._crew.wake, clock=clock, log=log)
        self.trials = Trials(courier=courier, turns=self.sender, clock=clock)
        self.ids: Mapping[str, int] = {}
        """The ids of the webhooks that the configuration has, by their names."""

    def _poller(self, source: Source) -> Poller:
        return Poller(
            source,
            http=self._wire,
            recorder=self._writer,
            audience=self.sender,
            rereader=self,
            clock=self.clock,
            chance=self._chance,
            log=self._log,
            fit=self._fit,
            purse=self._register,
            steady=steady,
        )

    def _fit(self) -> bool:
        """Whether anything may begin: a replica must be able to show that it lives."""
        return self._membership is None or self._membership.fit()

    # ---------------------------------------------------------------- settings

    async def apply(self, settings: Settings) -> None:
        """Work under these settings from now on: webhooks, sources and watches of the file.

        What the store refuses changes nothing.
        """
        async with self.standing:
            enlisted = await self._applied(settings)
        await self._enlist(enlisted)

    async def _applied(self, settings: Settings) -> Enlisted:
        keys = {name: f"name:{name}" for name in settings.webhooks}
        known = await self.store.webhooks(list(keys.values()))
        states = {name: known[key] for name, key in keys.items()}
        await self.callbacks.refresh()
        wishes = [
            WatchWish(
                generation=Generation(watch.source, watch.id),
                origin=Origin.FILE,
                until=watch.until,
                webhooks=tuple(states[name].id for name in watch.webhooks),
                metadata=watch.metadata,
                deadline=watch.deadline,
            )
            for watch in settings.watches
        ]
        enlisted = await self.store.configure(wishes, settings.digest)
        # It is on the disk: from here on nothing can refuse it.
        self.settings = settings
        self.ids = {name: state.id for name, state in states.items()}
        await self._wire.open(settings.allow)
        own = [(webhook, states[name]) for name, webhook in settings.webhooks.items()]
        self.sender.set_lanes([*own, *self.callbacks.lanes()])
        await self._experience.save()
        self.supervisor.set_sources(settings.sources)
        await self._experience.load()
        if self.calendar is not None:
            self._discoverer.keep(self.calendar, settings.sources)
        return enlisted

    async def _enlist(self, enlisted: Enlisted) -> None:
        self._intake.drop(enlisted.ended)
        await self._intake.begin(enlisted.started)
        self.sender.woken(enlisted.woken)

    def schedule(self, calendar: Calendar) -> None:
        """Let the calendar have what recurs for each source."""
        self.calendar = calendar
        self._discoverer.keep(calendar, self.settings.sources)

    async def _discovered(self, generations: Sequence[Generation]) -> None:
        names = tuple(self.settings.webhooks)
        orders = [WatchOrder(generation=one, webhooks=names) for one in generations]
        await self.desk.order(orders, self.ids)

    async def wake(self, webhooks: Iterable[int]) -> None:
        """Look for deliveries of these webhooks now."""
        await self._crew.wake(webhooks)

    async def watch(self, generation: Generation) -> Watch | None:
        """Return a running watch as it stands, for its poller; its lanes are open."""
        watch = await self.store.watch(generation)
        await self.callbacks.meet(() if watch is None else watch.webhooks)
        return watch

    async def reload(self) -> str | None:
        """Read the configuration again and work under it; return what is wrong, if anything is.

        A bad file changes nothing.
        """
        async with self._reloading:
            try:
                await self._reload()
            except StoreBroken:
                raise
            except ConfigError as error:
                return self._refused(str(error))
            except GenbridgeError as error:
                return self._refused(f"{error}; ask for it again")
            except Exception as error:  # noqa: BLE001  (a file must not end what works)
                return self._refused(f"genbridge itself failed: {type(error).__name__}")
        return None

    def _refused(self, why: str) -> str:
        self._log.error("reload refused", reason=why)
        return why

    async def _reload(self) -> None:
        settings = await anyio.to_thread.run_sync(self._reread)
        new, old = settings, self.settings
        if (new.database, new.server) != (old.database, old.server):
            self._log.warning("database and server change only with a restart")
        await self.apply(settings)
        tell_warnings(settings, self._log)
        self._log.info("reloaded", **counts(settings))

    # ---------------------------------------------------------------- life

    @asynccontextmanager
    async def working(self, tasks: TaskGroup) -> AsyncIterator[None]:
        """Run every loop inside; drain and settle at the end."""
        if self._membership is not None:
            await self._membership.begin()
            tasks.start_soon(self._membership.run)
        with _collecting_later():
            await self.apply(self.settings)
        for part in (
            *(self._writer, self.sender, self.supervisor),
            *(self.replayer, self.hinter),
        ):
            tasks.start_soon(part.run)
        tasks.start_soon(self._take_up)
        self.phase = None
        try:
            yield
        finally:
            self.phase = "stopping"
            self._taking_up.cancel()
            with anyio.CancelScope(shield=True):
                await self._wind_up()

    async def _take_up(self) -> None:
        with self._taking_up:
            with _collecting_later():
                await self._intake.take_up()
            await self._intake.run()

    async def _wind_up(self) -> None:
        if self._membership is not None:
            await self._membership.leave()
        with anyio.move_on_after(FLUSH):
            await self._experience.save()
        self.supervisor.set_sources({})
        if not await self.sender.drain(DRAIN):
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
        begun = None if self._intake.done else "taking up watches"
        reasons = (self.phase, self._writer.trouble, away, begun)
        return [reason for reason in reasons if reason]

    def nudge(self) -> None:
        """Let every loop turn over once."""
        self._crew.nudge()

    def alive(self) -> bool:
        """Return whether every loop has turned over of late, or waits for the store."""
        sending = max(self.sender.turned, self._outbox.excused)
        turned = [sending, *(p.turned for p in self.supervisor.pollers())]
        return self.clock.monotonic() - min(turned) < STUCK

    async def status(self) -> str:
        """Return a line for people."""
        pending = await self.store.pending()
        failing = [
            c for c in self.sender.conditions().values() if c is not Condition.ACTIVE
        ]
        text = f"watching {self.supervisor.watching()}, {pending} pending"
        return text + (f", {len(failing)} webhooks off" if failing else "")

    async def remember(self) -> None:
        """Keep what looks have taught since the last time."""
        await self._experience.save()

    async def prune(self) -> None:
        """Delete what is older than the retention, in small steps; one replica does it for all."""
        if self.clock.monotonic() - self._reviewed > REVIEW:
            self._reviewed = self.clock.monotonic()
            async with self.standing:
                await self.callbacks.refresh()
        if not await self._duty("retention", PRUNE / 2):
            return
        ages = self.settings.retention
        gone = 1
        while gone:
            await anyio.sleep(BREATH)
            gone = await self.store.prune(
                attempts=ages.attempts, bodies=ages.bodies, deliveries=ages.deliveries
            )


async def _always(_name: str, _every: timedelta) -> bool:
    """Say that a duty is ours: there is nobody else."""
    return True


def _slots() -> int:
    """Return how many attempts may be under way: half of the files that may be open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_SLOTS if soft == resource.RLIM_INFINITY else min(MOST_SLOTS, soft // 2)


def _connections() -> int:
    """Return how many looks may be open: three quarters of the files that may be."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return most(None if soft == resource.RLIM_INFINITY else soft)


def collect_seldom() -> None:
    """Look for garbage less often than a short-lived program would.

    Next to nothing here is garbage that only a search finds; the searches took a tenth of the
    CPU of a busy daemon (measured). The middle generation stays small: with 10,000 holds a search
    through it took up to 0.29 s at twenty of the youngest, at four 0.06 s.
    """
    gc.set_threshold(20_000, 4, 250)


@contextmanager
def _collecting_later() -> Iterator[None]:
    """Take up much without looking for garbage in it: it stays, now and later.

    100,000 watches are taken up in two thirds of the time (measured), and no later search
    through all of them holds up a delivery.
    """
    gc.disable()
    try:
        yield
    finally:
        # In this order: else the first object made after it sets off a search through them all.
        gc.freeze()
        gc.enable()


def counts(settings: Settings) -> dict[str, int]:
    """Return how much of what the configuration has, for the log."""
    return {
        "sources": len(settings.sources),
        "webhooks": len(settings.webhooks),
        "watches": len(settings.watches),
    }


def tell_warnings(settings: Settings, log: Log) -> None:
    """Write what the configuration is warned of, with its places."""
    for warning in settings.warnings:
        log.warning("the configuration is worth a look", reason=warning)


def callers_webhook(callback: Callback, state: WebhookState) -> Webhook:
    """Return how a webhook that a caller brought along is sent to."""
    keys = () if callback.secret is None else (read_key(callback.secret),)
    return Webhook(
        name=callback_name(state.id), url=callback.url, keys=keys, format=Standard()
    )
