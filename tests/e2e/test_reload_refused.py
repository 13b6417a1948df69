"""A reload that cannot be carried out changes nothing; here the daemon runs in our process."""

import gc
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import count
from uuid import UUID

import anyio
import pytest

from bridge.core.ports import Enlisted
from bridge.core.settings import ConfiguredWatch, Settings
from bridge.core.watch import WatchWish
from bridge.daemon import Daemon
from bridge.errors import ConfigError, StoreBroken, StoreUnavailable
from bridge.store.memory import MemoryStore
from bridge.telemetry.clock import SystemClock
from tests.engine.rig import Lines, webhook

pytestmark = pytest.mark.anyio

BEFORE = Settings(
    path="config.yaml",
    database="memory",
    sources={},
    webhooks={"studio": webhook(), "team": webhook("team")},
    watches=(),
    digest="before",
)
AFTER = replace(
    BEFORE,
    webhooks={"studio": webhook(url="https://moved.example/hook")},
    watches=(ConfiguredWatch(source="aiml", id="g1", webhooks=("studio",)),),
    digest="after",
)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Store(MemoryStore):
    """A store that refuses to change the watches of the file while `refusal` is set."""

    refusal: Exception | None = None

    async def configure(self, wishes: Sequence[WatchWish], digest: str) -> Enlisted:
        if self.refusal is not None:
            raise self.refusal
        return await super().configure(wishes, digest)


class Free:
    """A purse that gives whatever is asked for."""

    async def chunk(self, key: str, length: timedelta) -> timedelta:
        await anyio.lowlevel.checkpoint()
        return timedelta()


class Reading:
    """Reads the next settings, or fails."""

    def __init__(self) -> None:
        self.next: Settings | Exception = AFTER

    def __call__(self) -> Settings:
        if isinstance(self.next, Exception):
            raise self.next
        return self.next


class Running:
    """A daemon at work."""

    def __init__(self) -> None:
        numbers = count(1)
        clock = SystemClock()
        self.log, self.reading = Lines(), Reading()
        self.store = Store(clock, lambda: UUID(int=next(numbers)))
        self.daemon = Daemon(
            *(BEFORE, self.store),
            reread=self.reading,
            clock=clock,
            log=self.log,
            purse=Free(),
        )

    @property
    def facts(self) -> tuple[object, ...]:
        """What a refused reload leaves as it was."""
        daemon = self.daemon
        return daemon.settings, set(daemon.sender.conditions()), dict(daemon.ids)


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    made = Running()
    async with at_work(made.daemon):
        yield made


@asynccontextmanager
async def at_work(daemon: Daemon) -> AsyncIterator[None]:
    async with anyio.create_task_group() as tasks:
        async with daemon.working(tasks):
            yield
        tasks.cancel_scope.cancel()
    gc.unfreeze()  # what the daemon froze would confuse the libraries of the tests


REFUSALS = {
    "the store is away": (StoreUnavailable("the disk is full"), "the disk is full"),
    "a fault of our own": (KeyError("canary"), "genbridge itself failed: KeyError"),
}


@pytest.mark.parametrize(("refusal", "words"), REFUSALS.values(), ids=REFUSALS)
async def test_what_the_store_refuses_changes_nothing(
    running: Running, refusal: Exception, words: str
) -> None:
    before = running.facts
    running.store.refusal = refusal
    told = await running.daemon.reload()
    assert told is not None
    assert words in told
    assert "canary" not in told
    assert running.facts == before
    assert "reload refused" in running.log.phrases("error")
    running.store.refusal = None
    assert await running.daemon.reload() is None
    assert running.facts == (AFTER, {"studio"}, {"studio": 1})


@pytest.mark.parametrize("error", [ConfigError("line 1"), OSError("gone"), MemoryError()])
async def test_a_file_that_cannot_be_read_changes_nothing(
    running: Running, error: Exception
) -> None:
    before = running.facts
    running.reading.next = error
    assert await running.daemon.reload() is not None
    assert running.facts == before


async def test_a_damaged_database_is_no_refusal(running: Running) -> None:
    running.store.refusal = StoreBroken("damaged")
    with pytest.raises(StoreBroken):
        await running.daemon.reload()
