"""Workers: jobs at once, each done once, by tasks that wait for the next one."""

import anyio
import pytest

from bridge.engine import workers
from bridge.engine.workers import Workers

pytestmark = pytest.mark.anyio


class Jobs:
    """Notes who does which job, and ends those that may end."""

    def __init__(self) -> None:
        self.begun: list[tuple[int, int]] = []
        self.end = anyio.Event()

    async def do(self, job: int) -> None:
        self.begun.append((job, anyio.get_current_task().id))
        await self.end.wait()

    @property
    def who(self) -> set[int]:
        return {task for _, task in self.begun}


async def test_jobs_are_done_at_once_each_by_one_worker() -> None:
    jobs = Jobs()
    async with anyio.create_task_group() as tasks:
        started = Workers(tasks, jobs.do)
        for job in range(5):
            started.start(job)
        await anyio.wait_all_tasks_blocked()
        assert sorted(job for job, _ in jobs.begun) == [0, 1, 2, 3, 4]
        assert len(jobs.who) == 5
        tasks.cancel_scope.cancel()


async def test_workers_that_wait_do_the_next_jobs_and_no_others_are_begun() -> None:
    jobs = Jobs()
    jobs.end.set()
    async with anyio.create_task_group() as tasks:
        started = Workers(tasks, jobs.do)
        for job in range(3):
            started.start(job)
        await anyio.wait_all_tasks_blocked()
        first = jobs.who
        for job in range(3, 6):
            started.start(job)
        await anyio.wait_all_tasks_blocked()
        assert sorted(job for job, _ in jobs.begun) == [0, 1, 2, 3, 4, 5]
        assert jobs.who == first
        tasks.cancel_scope.cancel()


async def test_more_jobs_than_workers_that_wait_have_tasks_of_their_own() -> None:
    jobs = Jobs()
    jobs.end.set()
    async with anyio.create_task_group() as tasks:
        started = Workers(tasks, jobs.do)
        started.start(0)
        await anyio.wait_all_tasks_blocked()
        for job in (1, 2):
            started.start(job)
        await anyio.wait_all_tasks_blocked()
        assert sorted(job for job, _ in jobs.begun) == [0, 1, 2]
        assert len(jobs.who) == 2
        tasks.cancel_scope.cancel()


async def test_no_more_than_a_few_workers_wait() -> None:
    jobs = Jobs()
    before = len(anyio.get_running_tasks())
    async with anyio.create_task_group() as tasks:
        started = Workers(tasks, jobs.do)
        for job in range(workers.MOST + 10):
            started.start(job)
        await anyio.wait_all_tasks_blocked()
        assert len(anyio.get_running_tasks()) == before + workers.MOST + 10
        jobs.end.set()
        await anyio.wait_all_tasks_blocked()
        assert len(anyio.get_running_tasks()) == before + workers.MOST
        tasks.cancel_scope.cancel()
