"""Stages: each test of this room has one of its own, and the tests of a file play at once.

Most of what they do is to wait for a process, so playing them one after the other would only be
slow.
"""

import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TypeAlias

import anyio
import pytest

from bridge.simulator.receiver import Receiver
from bridge.telemetry.clock import SystemClock
from tests.e2e.daemon import Daemon
from tests.e2e.scene import KEY, Theatre

AT_ONCE = 6
"""Stages that are open at the same time: each begins its daemon several times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A folder, a simulated upstream, a verifying receiver, and a daemon that is not begun."""

    folder: Path
    upstream: Theatre
    receiver: Receiver
    daemon: Daemon


Play: TypeAlias = Callable[[Stage], Awaitable[None]]
Outcomes: TypeAlias = Mapping[str, BaseException | None]
Test: TypeAlias = Callable[[Outcomes], None]


@asynccontextmanager
async def stage(folder: Path) -> AsyncIterator[Stage]:
    """Open a stage in an empty folder."""
    async with (
        Theatre() as upstream,
        Receiver(clock=SystemClock(), keys=[KEY]) as receiver,
        Daemon(folder) as daemon,
    ):
        yield Stage(folder=folder, upstream=upstream, receiver=receiver, daemon=daemon)


def scene(play: Play) -> Test:
    """Make a test of what is played on a stage; see `outcomes` in conftest.py."""

    def test(outcomes: Outcomes) -> None:
        error = outcomes[play.__name__]
        if error is not None:
            raise error

    functools.update_wrapper(test, play, updated=())
    del test.__wrapped__  # type: ignore[attr-defined]  # else pytest asks for a stage
    test.play = play  # type: ignore[attr-defined]  # where `played` finds it
    return test


async def played(module: ModuleType, names: Collection[str], folder: Path) -> Outcomes:
    """Play a file's tests at once; return what each failed with."""
    outcomes: dict[str, BaseException | None] = {}
    limiter = anyio.CapacityLimiter(AT_ONCE)

    async def play(name: str) -> None:
        own = folder / name[-40:]
        own.mkdir()
        async with limiter:
            try:
                async with stage(own) as opened:
                    await getattr(module, name).play(opened)
            except (Exception, pytest.skip.Exception) as error:  # noqa: BLE001  (raised again)
                outcomes[name] = error
            else:
                outcomes[name] = None

    async with anyio.create_task_group() as tasks:
        for name in names:
            tasks.start_soon(play, name)
    return outcomes
