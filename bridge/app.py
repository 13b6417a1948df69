"""The process: opens the database and the doors, runs a daemon, obeys signals.

Order at the start: database, doors, daemon; then READY. At the end the daemon winds up first,
then the doors close, then the database.
"""

import os
import signal
import socket
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

import anyio

from bridge import __version__
from bridge.core.ports import Clock, Log
from bridge.core.settings import Settings, shared
from bridge.core.sharing.liveness import Pace
from bridge.daemon import (
    PACE,
    PRUNE,
    REMEMBER,
    Daemon,
    Reread,
    collect_seldom,
    counts,
    tell_warnings,
)
from bridge.engine.calendar import Calendar
from bridge.errors import GenbridgeError, StoreRefused
from bridge.front import Front
from bridge.store.sqlite import SqliteStore
from bridge.telemetry.clock import SystemClock
from bridge.telemetry.notify import Notifier

NUDGE = timedelta(seconds=5)


async def serve(settings: Settings, *, reread: Reread, log: Log, pace: Pace = PACE) -> None:
    """Run the daemon until it is asked to stop (SIGTERM, SIGINT); `pace` is a replica's.

    Raises GenbridgeError where it cannot start or go on.
    """
    collect_seldom()
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
        daemon = await _built(
            stack, settings, reread=reread, clock=clock, log=log, pace=pace
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
        daemon.schedule(calendar)
        tasks.start_soon(partial(notifier.keep_beating, alive=daemon.alive))
        tell_warnings(settings, log)
        log.info(
            "ready", version=__version__, jobs=len(calendar.jobs()), **counts(settings)
        )
        notifier.ready(await daemon.status())
        await _obey(signals, daemon, notifier)
        log.info("stopping")
        notifier.stopping()
        tasks.start_soon(_second_signal, signals)
    log.info("stopped")


async def _built(
    stack: AsyncExitStack,
    settings: Settings,
    *,
    reread: Reread,
    clock: Clock,
    log: Log,
    pace: Pace,
) -> Daemon:
    """Open the database that the settings name; one that replicas share is also a register."""
    make = partial(Daemon, settings, reread=reread, clock=clock, log=log, pace=pace)
    if not shared(settings.database):
        file = await SqliteStore.open(
            Path(settings.database), clock=clock, uid=uuid.uuid4, version=__version__
        )
        await stack.enter_async_context(file)
        return make(file, purse=file)
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
    await stack.enter_async_context(database)
    return make(database, purse=database, register=database)


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
        calendar.add("pace", REMEMBER, daemon.remember)
        yield calendar


async def _open_doors(stack: AsyncExitStack, daemon: Daemon) -> None:
    """Listen, where that is wanted: until the very end, for `/readyz` tells of the drain."""
    server = daemon.settings.server
    if server.host is None:
        return
    from bridge.web.doors import doors
    from bridge.web.server import listening

    await stack.enter_async_context(
        listening(doors(Front(daemon)), host=server.host, port=server.port)
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
