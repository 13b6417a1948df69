"""The asker of one source: carries looks out, each in a task, and has their answers judged."""

from collections.abc import Callable, Mapping, Sequence

import anyio
from anyio.abc import TaskGroup

from bridge.core.ladder import UNSEEN
from bridge.core.looking import Batch, Hold, Listing, Look, Reading, Seen
from bridge.core.ports import Clock
from bridge.engine.bell import Bell
from bridge.engine.footing import Footing
from bridge.engine.holds import Holds
from bridge.engine.judging import Judge
from bridge.engine.looker import Heard, Looker
from bridge.engine.roster import Roster
from bridge.engine.rounds import Rounds
from bridge.engine.running import Running


class Asker:
    """Counts the looks that are open, and rings when one is over. Moments are monotonic seconds."""

    def __init__(
        self,
        *,
        looker: Looker,
        judge: Judge,
        roster: Roster,
        rounds: Rounds,
        footing: Footing,
        holds: Holds,
        clock: Clock,
        bell: Bell,
    ) -> None:
        self._looker = looker
        self._judge = judge
        self._roster = roster
        self._rounds = rounds
        self._footing = footing
        self._holds = holds
        self._clock = clock
        self._bell = bell
        self.open = 0
        """Looks under way."""

    # ---------------------------------------------------------------- one generation

    def ask(self, tasks: TaskGroup, running: Running, look: Look, now: float) -> None:
        """Look at one generation; its start was taken from the rate."""
        self.begin([running])
        if isinstance(look, Hold):
            self._holds.began(now)
            tasks.start_soon(self._hold, running, look, now)
        else:
            tasks.start_soon(self._ask, tasks, running, look, now)

    async def _ask(
        self, tasks: TaskGroup, running: Running, look: Look, sent: float
    ) -> None:
        try:
            heard = await self._looker.converse(look)
            if running.over or not self._judge.still(running, look, heard, sent, tasks):
                await self._judged(running, look, heard, sent)
        finally:
            self.end([running])

    async def _hold(self, running: Running, look: Hold, sent: float) -> None:
        heard: Heard | None = None
        patience = self._holds.patience(running.deadline - sent)
        try:
            with anyio.CancelScope() as running.asking:
                heard = await self._looker.converse(look, patience)
            running.asking = None
            await self._judged(running, look, heard, sent)
        finally:
            self._holds.left(sent)
            self.end([running])

    async def _judged(
        self, running: Running, look: Look, heard: Heard | None, sent: float
    ) -> None:
        if heard is None or running.over:
            self._footing.unanswered()
            return
        running.recording = True
        try:
            # What was answered is recorded, even when the poller is being stopped.
            with anyio.CancelScope(shield=True):
                await self._judge.one(running, look, heard, sent)
        finally:
            running.recording = False

    # ---------------------------------------------------------------- many

    def ask_many(self, tasks: TaskGroup, asked: Sequence[Running], now: float) -> None:
        """Look at several generations with one request, which was taken from the rate."""
        self.begin(asked)
        tasks.start_soon(self._ask_many, tasks, asked, now)

    async def _ask_many(
        self, tasks: TaskGroup, asked: Sequence[Running], sent: float
    ) -> None:
        flown = {one.id: one for one in asked}
        look, told = Batch(ids=tuple(flown), known=_known(asked)), False
        try:
            heard = await self._looker.converse(look)
            told = True
            self._judge.many(flown, look, heard.reading, sent, tasks)
        finally:
            if not told:
                self._footing.unanswered()
            self.end(asked)

    # ---------------------------------------------------------------- a round through the listing

    def go_round(self, tasks: TaskGroup, now: float) -> None:
        """Read the listing, page by page, as far as it tells of our watches."""
        self._rounds.begin(now)
        tasks.start_soon(self._go_round, tasks)

    async def _go_round(self, tasks: TaskGroup) -> None:
        whole, cursor = False, None
        try:
            while True:
                sent, reading = await self._page(cursor)
                if not isinstance(reading, Seen):
                    break
                more = self._rounds.page(one.id for one in reading.observations)
                self._told(reading, sent, tasks)
                cursor = reading.next
                if cursor is None or not more:
                    whole = True
                    break
        finally:
            self._rounds.end(whole=whole)
            self._bell.ring()

    async def _page(self, cursor: str | None) -> tuple[float, Reading]:
        await self._looker.turn()
        sent = self._clock.monotonic()
        return sent, await self.aside(Listing(cursor=cursor), sent)

    def _told(self, reading: Seen, sent: float, tasks: TaskGroup) -> None:
        now = self._clock.monotonic()
        for seen in reading.observations:
            running = self._roster.get(seen.id)
            if running is not None and not running.flying and not running.recording:
                self._judge.each(running, seen, sent, now, tasks)

    # ---------------------------------------------------------------- for others

    async def aside(self, look: Look, sent: float) -> Reading:
        """Look without judging what it says of watches; its start was taken from the rate."""
        self.open += 1
        self._footing.began()
        told = False
        try:
            heard = await self._looker.converse(look)
            told = True
        finally:
            if not told:
                self._footing.unanswered()
            self.open -= 1
            self._bell.ring()
        self._footing.heard(look, heard.reading, sent, self._clock.monotonic())
        return heard.reading

    async def turn(self, may: Callable[[], bool]) -> float | None:
        """Wait for a start and take it; return when that is, None: by then it may not be."""
        if not may():
            return None
        await self._looker.turn()
        return self._clock.monotonic() if may() else None

    # ---------------------------------------------------------------- the count

    def begin(self, asked: Sequence[Running]) -> None:
        """Note that a request begins, and about whom no other look shall go out meanwhile."""
        self.open += 1
        self._footing.began()
        now = self._clock.monotonic()
        for running in asked:
            running.flying, running.urgent, running.asked_at = True, False, now

    def end(self, asked: Sequence[Running]) -> None:
        """Note that it is over."""
        self.open -= 1
        for running in asked:
            running.flying = False
        self._bell.ring()


def _known(asked: Sequence[Running]) -> Mapping[str, int]:
    """Return the ranks of those that were looked at before: the others are still to be met."""
    return {
        one.id: one.watch.rank
        for one in asked
        if one.rung.seen is not None and one.watch.rank != UNSEEN
    }
