"""Membership: this replica among the others, alive, with its share of the watches, and no more.

It beats, looks whether the others live, takes up what the dead leave behind and what has no
owner, and gives back what is above its share. While it cannot show that it lives, nothing may
begin: the others may already have taken over.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Protocol, TypeAlias

import anyio

from bridge.core.delivering.delivery import WebhookState
from bridge.core.ports import Chance, Log
from bridge.core.sharing.liveness import LOOK, Pace, Sighting, Witness
from bridge.core.sharing.share import Bulletin, Spare, Tally
from bridge.core.watch import Generation, Watch
from bridge.engine.bell import Bell
from bridge.errors import StoreBroken, StoreError, StoreRefused

TURN = 1.0
"""Seconds between two bulletins; what nobody hints at is noticed this late at most."""

SOME = 500
"""Watches that are taken up at once: 15 ms (STORE.md, section 13)."""

SPREAD = 1.0
"""Seconds over which the first looks at `SOME` watches are spread that came all at once."""

TIDY = 60.0
"""Seconds between two times at which the dead are forgotten."""

Steady: TypeAlias = Callable[[], float]
"""Seconds of a clock that goes on while the machine sleeps."""


class Register(Protocol):
    """The part of the store that knows the replicas."""

    @property
    def me(self) -> int:
        """Our id, a new one after a death."""
        ...

    @property
    def present(self) -> bool:
        """Whether our session is unbroken, as far as is known."""
        ...

    @property
    def certain(self) -> bool:
        """Whether all that we own was handed out."""
        ...

    def listen(self, heard: Callable[[], None]) -> None:
        """Call `heard` at every hint of another replica."""
        ...

    async def hint_later(self) -> None:
        """Send for ever what hints the others have not been given yet."""
        ...

    async def join(self) -> bool:
        """Open a session and take the lock; return whether we are still who we were."""
        ...

    async def beat(self) -> bool:
        """Show that we live; return whether we still count as alive."""
        ...

    async def look_around(self) -> Sequence[Sighting]:
        """Look at the others."""
        ...

    async def bury(self, ids: Sequence[int]) -> tuple[Sequence[int], frozenset[int]]:
        """Declare dead who still looks it; return whom, and webhooks with freed deliveries."""
        ...

    async def forget(self) -> None:
        """Delete the dead whom no watch names any more."""
        ...

    async def bulletin(self) -> Bulletin:
        """Return what others have done."""
        ...

    async def claim_watches(self, limit: int) -> Sequence[Watch]:
        """Take up watches, as far as our share goes."""
        ...

    async def give_back(self, spares: Sequence[Spare]) -> Sequence[int]:
        """Let go of watches; return the ids of those that were still ours."""
        ...

    async def chunk(self, key: str, length: timedelta) -> timedelta:
        """Take the next `length` of a rate for us alone; return when it begins, from now."""
        ...

    async def duty(self, name: str, every: timedelta) -> bool:
        """Return whether a duty that one does for all is ours now."""
        ...


class Crew(Protocol):
    """Everything in this process that works under the replica's id."""

    async def begin(self, watches: Sequence[Watch]) -> None:
        """Watch these from now on, or as they are now."""
        ...

    def drop(self, generations: Iterable[Generation]) -> None:
        """Watch these no more."""
        ...

    async def wake(self, webhooks: Iterable[int]) -> None:
        """Webhooks have deliveries that nobody has claimed."""
        ...

    def heed(self, states: Mapping[int, WebhookState], living: int) -> None:
        """Work under these states of webhooks, as one of so many replicas."""
        ...

    def spare(self, most: int) -> list[Spare]:
        """Stop watching up to so many, those whose next look is farthest away, and return them."""
        ...

    def abandon(self) -> None:
        """Forget everything: it belongs to others."""
        ...

    def look(self) -> None:
        """Look for deliveries that nobody has claimed."""
        ...

    def nudge(self) -> None:
        """Look again at what may begin: it has changed."""
        ...


class Membership:
    """Keeps one replica among the living for as long as `run` runs."""

    def __init__(
        self,
        register: Register,
        crew: Crew,
        *,
        steady: Steady,
        chance: Chance,
        log: Log,
        pace: Pace,
    ) -> None:
        self._register = register
        self._crew = crew
        self._steady = steady
        self._chance = chance
        self._log = log
        self._pace = pace
        self._witness = Witness(pace)
        self._confirmed = float("-inf")
        self._was_fit = True
        self._hinted = False
        self._leaving = False
        self._tidied = float("-inf")
        self._bell = Bell()
        register.listen(self._heard)

    def fit(self) -> bool:
        """Whether a look or a POST may begin now: the others must still count us as alive."""
        return (
            self._register.present and self._steady() - self._confirmed < self._pace.fresh
        )

    def trouble(self) -> str | None:
        """Return why nothing may begin; None: it may."""
        return None if self.fit() else "the database does not answer"

    async def begin(self) -> None:
        """Show for the first time that we live."""
        self._witness.begin(self._steady())
        await self._beat()
        self._log.info("entered the fleet", id=self._register.me)

    async def run(self) -> None:
        """Stay among the living, and do our share.

        Raises StoreBroken, and StoreRefused where the database has become one that this code must
        not work on: it was upgraded while we were cut off.
        """
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._stay)
            tasks.start_soon(self._attend)
            tasks.start_soon(self._register.hint_later)

    # ---------------------------------------------------------------- alive

    async def _stay(self) -> None:
        while True:
            try:
                await self._show()
            except (StoreBroken, StoreRefused):
                raise
            except StoreError as error:
                self._log.debug("no sign of life", reason=str(error))
            self._compare()
            await anyio.sleep(LOOK)

    async def _show(self) -> None:
        if not self._register.present:
            await self._return()
        if self._steady() - self._confirmed >= self._pace.beat:
            await self._beat()
        await self._look()

    async def _beat(self) -> None:
        # Counted from before it is sent: how long it took says nothing of when it arrived.
        sent = self._steady()
        if await self._register.beat():
            self._confirmed = sent
        else:
            self._log.warning("declared dead by the others: returning under a new id")
            self._confirmed = float("-inf")
            self._crew.abandon()
            await self._return()

    async def _return(self) -> None:
        """Open a session again; who was declared dead meanwhile begins anew."""
        sent = self._steady()
        same = await self._register.join()
        self._witness.begin(self._steady())
        if not same:
            self._crew.abandon()
            self._log.info("entered the fleet", id=self._register.me)
        self._confirmed = sent
        self._log.info("the database knows this replica again", same=same)
        self._bell.ring()

    async def _look(self) -> None:
        sightings = await self._register.look_around()
        suspects = self._witness.weigh(sightings, self._steady())
        if suspects:
            dead, freed = await self._register.bury(suspects)
            self._log.warning("replicas are dead", ids=list(dead))
            await self._crew.wake(freed)
            self._bell.ring()

    def _compare(self) -> None:
        """Tell the crew when what may begin has changed."""
        fit = self.fit()
        if fit != self._was_fit:
            self._was_fit = fit
            self._log.warning("working again" if fit else "nothing begins: no sign of life")
            self._crew.nudge()

    # ---------------------------------------------------------------- its share

    def _heard(self) -> None:
        self._hinted = True
        self._bell.ring()

    async def _attend(self) -> None:
        while True:
            try:
                if self.fit() and not self._leaving:
                    await self._turn()
            except StoreBroken:
                raise
            except StoreError as error:
                self._log.debug("no bulletin", reason=str(error))
            await self._bell.wait(until=anyio.current_time() + TURN)

    async def _turn(self) -> None:
        if self._hinted:
            self._hinted = False
            self._crew.look()
        news = await self._register.bulletin()
        self._crew.drop(news.ended)
        await self._crew.begin(news.changed)
        self._crew.heed(news.states, news.tally.living)
        await self._balance(news.tally)
        if not news.tally.orphaned and self._steady() - self._tidied >= TIDY:
            self._tidied = self._steady()
            await self._register.forget()

    async def _balance(self, tally: Tally) -> None:
        if tally.unowned or tally.orphaned or not self._register.certain:
            await self._take_up()
        elif tally.surplus:
            await self._shed(tally.surplus)

    async def _take_up(self) -> None:
        while self.fit() and not self._leaving:
            watches = await self._register.claim_watches(SOME)
            if not watches:
                return
            spread = SPREAD * len(watches) / SOME
            await self._crew.begin([self._later(watch, spread) for watch in watches])

    def _later(self, watch: Watch, spread: float) -> Watch:
        """Return a watch whose first look does not come together with all the others."""
        wait = timedelta(seconds=spread * self._chance.draw())
        return replace(watch, wait=max(watch.wait, wait))

    async def _shed(self, surplus: int) -> None:
        spares = self._crew.spare(surplus)
        try:
            await self._register.give_back(spares)
        except StoreError:
            # It may have been done all the same: then the next write of such a watch is refused.
            await self._crew.begin([_as_spared(one) for one in spares])
            raise

    async def leave(self) -> None:
        """Give everything back, so that the others need not guess when to look next."""
        self._leaving = True
        spares = self._crew.spare(2**31)
        if not self.fit():
            return
        try:
            await self._register.give_back(spares)
        except StoreError as error:
            self._log.debug("not given back", reason=str(error))


def _as_spared(spare: Spare) -> Watch:
    return replace(spare.watch, wait=timedelta(seconds=max(0.0, spare.wait)))
