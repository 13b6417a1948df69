"""The one writer: gathers what is to be written and commits it in groups.

An idle writer commits at once; what arrives while a commit runs goes into the next one. Only
settlements may wait, for at most `GATHER` seconds: they cost a second commit otherwise, and nobody
waits for them. Observations never wait.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias

import anyio

from bridge.core.change import Change, Recorded
from bridge.core.delivering.delivery import Attempt, Settlement
from bridge.core.ports import Clock, Log, Written
from bridge.engine.bell import Bell
from bridge.errors import StoreBroken, StoreError, StoreUnavailable

GATHER = 0.03
"""Seconds that a settlement waits for company (STORE.md, section 6)."""

MOST = 500
"""Rows in one commit (STORE.md, section 3)."""

AGAIN = 1.0
"""Seconds between tries while the store cannot write."""


OnWritten: TypeAlias = Callable[[Written, Sequence[Settlement]], None]
OnRefused: TypeAlias = Callable[[Settlement], None]


class Ledger(Protocol):
    """The part of the store that the writer needs."""

    async def write(
        self, changes: Sequence[Change], settlements: Sequence[Settlement]
    ) -> Written:
        """Commit all of it or nothing."""
        ...


@dataclass(slots=True, eq=False)
class _Pending:
    """A change that somebody waits for."""

    change: Change
    recorded: Recorded | None = None


class _Batch:
    """Changes that are written together: whoever handed one in waits until all are.

    (A bell for each would cost a delivery 2 µs, an event for all of them 0.6.)
    """

    __slots__ = ("changes", "done")

    def __init__(self) -> None:
        self.changes: list[_Pending] = []
        self.done = anyio.Semaphore(0)

    def end(self) -> None:
        """Let everybody go on who waits for `done`."""
        for _ in self.changes:
            self.done.release()


class Writer:
    """Commits changes and settlements; whoever hands in a change is told what became of it.

    `on_written` is called after each commit, before those who wait for it go on; `on_refused` for
    a settlement that the store takes in no form.
    """

    def __init__(
        self,
        store: Ledger,
        *,
        clock: Clock,
        log: Log,
        on_written: OnWritten = lambda _written, _settlements: None,
        on_refused: OnRefused = lambda _settlement: None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._log = log
        self.on_written = on_written
        self.on_refused = on_refused
        self.trouble: str | None = None
        """Why the last commit failed; None: it succeeded."""
        self._batches: deque[_Batch] = deque()
        self._writing: _Batch | None = None
        self._settlements: deque[Settlement] = deque()
        self._oldest = 0.0
        self._bell = Bell()
        self._idle = anyio.Event()
        self._idle.set()
        self._draining = False
        self._over = False

    async def record(self, change: Change) -> Recorded:
        """Commit a change; return what the store made of it.

        Waits as long as the store is away, or until `give_up`; after that nobody waits.
        """
        if self._over:
            return Recorded(accepted=False)
        pending = _Pending(change)
        if not self._batches or len(self._batches[-1].changes) >= MOST:
            self._batches.append(_Batch())
            self._work()
        batch = self._batches[-1]
        batch.changes.append(pending)
        await batch.done.acquire()
        return pending.recorded or Recorded(accepted=False)

    def settle(self, settlement: Settlement) -> None:
        """Hand in a settlement; it is committed within `GATHER` seconds of a working store."""
        first = not self._settlements
        if first:
            self._oldest = self._clock.monotonic()
        self._settlements.append(settlement)
        # The others go with the first one: the writer need not hear of each.
        if first or len(self._settlements) == MOST:
            self._work()

    def _work(self) -> None:
        if self._idle.is_set():
            self._idle = anyio.Event()
        self._bell.ring()

    async def flushed(self) -> None:
        """Return once everything handed in is committed; nothing waits for company any more."""
        self._draining = True
        self._bell.ring()
        # What comes in while the last commit tells of itself makes the writer busy anew.
        while not self._idle.is_set():
            await self._idle.wait()

    def give_up(self) -> None:
        """Let nobody wait any longer, now or later: what is not written will be seen again."""
        self._over = True
        for batch in self._batches:
            batch.end()
        if self._writing is not None:
            self._writing.end()

    async def run(self) -> None:
        """Write for ever; whoever waits for what is not written is let go when this ends."""
        try:
            while True:
                due = self._due()
                if due is None or due > self._clock.monotonic():
                    await self._bell.wait(until=due)
                else:
                    await self._group()
        finally:
            self.give_up()

    def _due(self) -> float | None:
        if self._batches or (
            self._settlements and (self._draining or len(self._settlements) >= MOST)
        ):
            return self._clock.monotonic()
        return self._oldest + GATHER if self._settlements else None

    async def _group(self) -> None:
        batch = self._writing = self._batches.popleft() if self._batches else None
        count = min(MOST, len(self._settlements))
        settlements = [self._settlements.popleft() for _ in range(count)]
        await self._commit([] if batch is None else batch.changes, settlements)
        if batch is not None:
            batch.end()
        self._writing = None
        if not self._batches and not self._settlements:
            self._idle.set()

    async def _commit(
        self, changes: Sequence[_Pending], settlements: Sequence[Settlement]
    ) -> None:
        """Commit a group, however long the store is away; halve it to find what it refuses."""
        while True:
            try:
                written = await self._store.write([p.change for p in changes], settlements)
            except StoreUnavailable as error:
                self._failed(error)
                await anyio.sleep(AGAIN)
            except StoreBroken:
                raise
            except Exception as error:  # noqa: BLE001  (what one row does to our code is found by halving)
                await self._halve(changes, settlements, error)
                return
            else:
                self._succeeded(changes, settlements, written)
                return

    async def _halve(
        self,
        changes: Sequence[_Pending],
        settlements: Sequence[Settlement],
        error: Exception,
    ) -> None:
        if len(changes) + len(settlements) == 1:
            await self._refused(settlements, error)
            return
        a, b = len(changes) // 2, len(settlements) // 2
        if not settlements:
            parts = [(changes[:a], settlements), (changes[a:], settlements)]
        elif not changes:
            parts = [(changes, settlements[:b]), (changes, settlements[b:])]
        else:
            parts = [(changes, ()), ((), settlements)]
        for part in parts:
            await self._commit(*part)

    async def _refused(self, settlements: Sequence[Settlement], error: Exception) -> None:
        reason = str(error) if isinstance(error, StoreError) else type(error).__name__
        self._log.error("the store refuses a row", reason=reason)
        for settlement in settlements:
            if (plainer := _plainer(settlement)) is not None:
                await self._commit((), [plainer])
            else:
                # Its claim ends some time; sent again, it would be refused again, for ever.
                self.on_refused(settlement)

    def _failed(self, error: StoreUnavailable) -> None:
        if self.trouble is None:
            self._log.error("the store cannot write", reason=str(error))
        self.trouble = str(error)

    def _succeeded(
        self,
        changes: Sequence[_Pending],
        settlements: Sequence[Settlement],
        written: Written,
    ) -> None:
        if self.trouble is not None:
            self._log.info("the store writes again")
            self.trouble = None
        for pending, recorded in zip(changes, written.recorded, strict=True):
            pending.recorded = recorded
        self.on_written(written, settlements)


def _plainer(settlement: Settlement) -> Settlement | None:
    """Return a refused settlement with less in it that could be the reason; None: less is none.

    What became of the delivery counts most, then how its webhook stands, last what is for people.
    (Without its receipt the next progress is posted, not edited.)
    """
    attempt, told = settlement.attempt, settlement.alerts or settlement.receipt
    if told or (attempt is not None and attempt != _bare(attempt)):
        bare = None if attempt is None else _bare(attempt)
        return replace(settlement, attempt=bare, alerts=(), receipt=None)
    if settlement.webhook is not None:
        return replace(settlement, webhook=None)
    return None


def _bare(attempt: Attempt) -> Attempt:
    return Attempt(
        number=attempt.number,
        code=attempt.code,
        why="what it brought cannot be stored",
        timings=attempt.timings,
    )
