import os
import signal

import anyio
import pytest

from bridge.cli.foreground import until_told
from bridge.errors import StartError


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_work_ends_in_order_when_a_signal_comes(number: signal.Signals) -> None:
    ended = []

    async def work() -> None:
        try:
            os.kill(os.getpid(), number)
            await anyio.sleep_forever()
        finally:
            ended.append("in order")

    assert until_told(work) is False
    assert ended == ["in order"]


def test_work_may_come_to_its_own_end() -> None:
    async def work() -> None:
        await anyio.lowlevel.checkpoint()

    assert until_told(work) is True


def test_an_error_of_ours_comes_through_from_any_depth() -> None:
    async def fail() -> None:
        raise StartError("the port is taken")

    async def work() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(fail)

    with pytest.raises(StartError, match="the port is taken"):
        until_told(work)


def test_any_other_error_stays_what_it_is() -> None:
    async def work() -> None:
        raise KeyError("oops")

    with pytest.raises(ExceptionGroup) as raised:
        until_told(work)
    assert raised.group_contains(KeyError)
