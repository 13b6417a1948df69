"""What recurs: APScheduler runs on asyncio and in real time, so these use tenths of seconds."""

from datetime import timedelta
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
