"""The calendar: everything that recurs, on APScheduler.

What is due at a precise moment (the next look at a generation, the next attempt of a delivery)
sleeps in due-queues instead: a job of the scheduler costs a hundred times as much (DESIGN, 7).
"""

import asyncio  # noqa: TID251  (the scheduler knows no other loop)
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self, TypeAlias

import anyio
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bridge.core.ports import Clock, Log

GUARD = 5.0
"""Seconds between two looks at whether the wall clock was set back."""

Work: TypeAlias = Callable[[], Awaitable[None]]


@dataclass(slots=True, kw_only=True)
class Job:
    """A recurring job: when it runs next, when it ran last, and how that went."""

    name: str
    every: timedelta
    next_run: datetime | None = None
    last_run: datetime | None = None
    last_result: str | None = None


class Calendar:
    """Runs jobs at their intervals while it is entered; a failing one is written down and goes on.

    A job never overlaps itself; runs that were missed (a suspended machine) are made up by one.
    The scheduler counts on the wall clock: where that is set back, what would be late by it is
    brought forward, at most `guard` seconds after.
    """

    def __init__(self, *, clock: Clock, log: Log, guard: float = GUARD) -> None:
        self._guard = guard
        self._watching: asyncio.TimerHandle | None = None
        self._clock = clock
        self._log = log
        self._jobs: dict[str, Job] = {}
        self._running: set[anyio.CancelScope] = set()
        self._quiet = anyio.Event()
        self._scheduler = AsyncIOScheduler(
            timezone="UTC",
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    async def __aenter__(self) -> Self:
        self._scheduler.start()
        self._keep_time()
        return self

    def _keep_time(self) -> None:
        """Let no job wait for longer than its interval, now and from now on."""
        now = self._clock.now()
        for entry in self._scheduler.get_jobs():
            every = self._jobs[entry.id].every
            if entry.next_run_time is not None and entry.next_run_time - now > every:
                entry.modify(next_run_time=now + every)
        loop = asyncio.get_running_loop()
        self._watching = loop.call_later(self._guard, self._keep_time)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._watching is not None:
            self._watching.cancel()
        self._scheduler.pause()
        with anyio.CancelScope(shield=True):
            await self._cut_off()
        self._scheduler.shutdown(wait=False)

    async def _cut_off(self) -> None:
        """Cancel what runs, and wait until it has ended.

        The scheduler's own way would tear a job from the thread that it waits for, and log it.
        """
        for scope in self._running:
            scope.cancel()
        while self._running:
            await self._quiet.wait()

    def add(
        self, name: str, every: timedelta, work: Work, *, at_once: bool = False
    ) -> None:
        """Run `work` every so often, the first time after one interval, or at once."""
        job = self._jobs[name] = Job(name=name, every=every)
        first = {"next_run_time": self._clock.now()} if at_once else {}
        self._scheduler.add_job(
            self._run,
            "interval",
            seconds=every.total_seconds(),
            args=(job, work),
            id=name,
            **first,
        )

    def drop(self, name: str) -> None:
        """Run a job no more; one that runs now ends by itself."""
        if self._jobs.pop(name, None) is not None:
            self._scheduler.remove_job(name)

    async def _run(self, job: Job, work: Work) -> None:
        with anyio.CancelScope() as scope:
            self._running.add(scope)
            try:
                await self._attempt(job, work)
            finally:
                self._running.discard(scope)
                self._quiet.set()
                self._quiet = anyio.Event()

    async def _attempt(self, job: Job, work: Work) -> None:
        try:
            await work()
        except Exception as error:  # noqa: BLE001  (one bad job must not stop the others)
            job.last_result = f"{type(error).__name__}: {error}"
            self._log.warning(
                "a recurring job failed", job=job.name, reason=job.last_result
            )
        else:
            job.last_result = "done"
        job.last_run = self._clock.now()

    def jobs(self) -> Sequence[Job]:
        """Return every job with its next and its last run."""
        for entry in self._scheduler.get_jobs():
            self._jobs[entry.id].next_run = entry.next_run_time
        return list(self._jobs.values())
