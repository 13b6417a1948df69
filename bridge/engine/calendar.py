"""The calendar: everything that recurs, on APScheduler.

What is due at a precise moment (the next look at a generation, the next attempt of a delivery)
sleeps in due-queues instead: a job of the scheduler costs a hundred times as much (DESIGN, 7).
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self, TypeAlias

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bridge.core.ports import Clock, Log

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
    """

    def __init__(self, *, clock: Clock, log: Log) -> None:
        self._clock = clock
        self._log = log
        self._jobs: dict[str, Job] = {}
        self._scheduler = AsyncIOScheduler(
            timezone="UTC",
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    async def __aenter__(self) -> Self:
        self._scheduler.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._scheduler.shutdown(wait=False)

    def add(self, name: str, every: timedelta, work: Work) -> None:
        """Run `work` every so often, the first time after one interval."""
        job = self._jobs[name] = Job(name=name, every=every)
        self._scheduler.add_job(
            self._run, "interval", seconds=every.total_seconds(), args=(job, work), id=name
        )

    async def _run(self, job: Job, work: Work) -> None:
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
