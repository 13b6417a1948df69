"""What recurs: APScheduler runs on asyncio and in real time, so these use tenths of seconds."""

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest

from bridge.engine.calendar import Calendar
from tests.engine.rig import Lines
from tests.fakes.clock import VirtualClock

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return "asyncio", {}


async def test_a_job_runs_again_and_again_and_shows_its_last_and_its_next_run() -> None:
    ran = anyio.Event()
    times = 0

    async def work() -> None:
        nonlocal times
        times += 1
        if times == 3:
            ran.set()

    async with Calendar(clock=VirtualClock(), log=Lines()) as calendar:
        calendar.add("sweep", timedelta(milliseconds=20), work)
        (before,) = calendar.jobs()
        assert (before.name, before.last_run, before.last_result) == ("sweep", None, None)
        assert before.next_run is not None
        await ran.wait()
        (job,) = calendar.jobs()
        assert job.last_run is not None
        assert job.last_result == "done"


async def test_a_job_that_fails_is_written_down_and_stops_neither_itself_nor_others() -> (
    None
):
    log, failed, other = Lines(), anyio.Event(), anyio.Event()
    times = 0

    async def bad() -> None:
        nonlocal times
        times += 1
        if times == 2:
            failed.set()
        raise ValueError("disk full")

    async def good() -> None:
        if failed.is_set():
            other.set()

    async with Calendar(clock=VirtualClock(), log=log) as calendar:
        calendar.add("bad", timedelta(milliseconds=20), bad)
        calendar.add("good", timedelta(milliseconds=20), good)
        await other.wait()
        results = {job.name: job.last_result for job in calendar.jobs()}
    assert results == {"bad": "ValueError: disk full", "good": "done"}
    assert "a recurring job failed" in log.phrases("warning")


async def test_nothing_runs_after_the_calendar_is_left() -> None:
    times = 0

    async def work() -> None:
        nonlocal times
        times += 1

    async with Calendar(clock=VirtualClock(), log=Lines()) as calendar:
        calendar.add("sweep", timedelta(milliseconds=10), work)
        await anyio.sleep(0.05)
    await anyio.sleep(0.05)
    seen = times
    await anyio.sleep(0.05)
    assert times == seen


class Stepped:
    """The machine's clock, set back by so much."""

    back = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) - self.back

    def monotonic(self) -> float:
        return anyio.current_time()


async def test_a_wall_clock_that_is_set_back_keeps_no_job_waiting() -> None:
    clock, ran = Stepped(), anyio.Event()

    async def work() -> None:
        ran.set()

    async with Calendar(clock=clock, log=Lines(), guard=0.02) as calendar:
        calendar.add("hourly", timedelta(hours=1), work)
        await anyio.sleep(0.1)
        assert not ran.is_set()
        clock.back = timedelta(hours=2)
        with anyio.fail_after(5):
            await ran.wait()


async def test_a_job_that_runs_at_the_end_is_cut_off_and_is_no_failure() -> None:
    log, began, ended = Lines(), anyio.Event(), anyio.Event()

    async def long() -> None:
        began.set()
        try:
            await anyio.sleep(60)
        finally:
            ended.set()

    async with Calendar(clock=VirtualClock(), log=log) as calendar:
        calendar.add("long", timedelta(milliseconds=20), long)
        await began.wait()
    assert ended.is_set(), "it was still running when the calendar was closed"
    assert log.phrases("warning", "error") == []


async def test_the_end_waits_for_a_thread_that_a_job_has_begun() -> None:
    began, done = threading.Event(), []

    def slowly() -> None:
        began.set()
        time.sleep(0.1)
        done.append("written")

    async def work() -> None:
        await anyio.to_thread.run_sync(slowly)

    async with Calendar(clock=VirtualClock(), log=Lines()) as calendar:
        calendar.add("work", timedelta(milliseconds=20), work)
        await anyio.to_thread.run_sync(began.wait)
    assert done == ["written"]
