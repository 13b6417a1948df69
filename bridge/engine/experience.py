"""Experience: what looks have taught is kept over restarts, replaced pollers and other replicas."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

import anyio

from bridge.core.pacing.heirloom import Heirloom, Key, key_of, own_parts
from bridge.core.pacing.saved import SavedTable
from bridge.core.ports import Log
from bridge.core.settings import Source
from bridge.errors import StoreBroken, StoreError


class Pupil(Protocol):
    """A poller, as far as it learns."""

    @property
    def source(self) -> Source:
        """What it looks at."""
        ...

    def tables(self) -> Sequence[SavedTable]:
        """Return what was learnt and was not returned here yet."""
        ...

    def learn(self, saved: Iterable[SavedTable]) -> None:
        """Go on from what was learnt before."""
        ...


class Shelf(Protocol):
    """The part of the store that keeps learned tables."""

    async def pace(self, source: str) -> Heirloom:
        """Return the learned tables of a source."""
        ...

    async def save_pace(self, source: str, tables: Sequence[SavedTable]) -> None:
        """Set what this replica has learnt of some models' states."""
        ...


class Experience:
    """Teaches pollers what is known, and keeps what they learn.

    A store that is away ends the turn: the next one goes on, and nothing is forgotten. Nothing is
    saved for a source whose tables could not be loaded: it would take their place.
    """

    def __init__(
        self, shelf: Shelf, pupils: Callable[[], Sequence[Pupil]], *, log: Log
    ) -> None:
        self._shelf = shelf
        self._pupils = pupils
        self._log = log
        self._taught: dict[str, Pupil] = {}
        self._lent: dict[str, Mapping[Key, SavedTable]] = {}
        self._unsaved: dict[str, dict[Key, SavedTable]] = {}
        self._one_at_a_time = anyio.Lock()

    async def load(self) -> None:
        """Teach every poller that was not taught yet; one whose turn fails gets another one."""
        async with self._one_at_a_time:
            await self._load()

    async def save(self) -> None:
        """Keep what was learnt since the last time; what cannot be kept now is kept later."""
        async with self._one_at_a_time:
            await self._load()
            for name, pupil in self._taught.items():
                if not await self._saved(name, pupil):
                    return

    async def _load(self) -> None:
        pupils = {one.source.name: one for one in self._pupils()}
        self._taught = {n: p for n, p in self._taught.items() if pupils.get(n) is p}
        for name, pupil in pupils.items():
            if name in self._taught:
                continue
            try:
                found = await self._shelf.pace(name)
            except StoreBroken:
                raise
            except StoreError as error:
                self._log.debug("not learnt from before", source=name, reason=str(error))
                return
            pupil.learn(found.whole())
            self._taught[name], self._lent[name] = pupil, found.lent()
            self._unsaved[name] = {}

    async def _saved(self, name: str, pupil: Pupil) -> bool:
        """Keep what is new of one source; return whether the store is there."""
        unsaved = self._unsaved[name]
        for one in own_parts(pupil.tables(), self._lent[name]):
            unsaved[key_of(one)] = one
        if not unsaved:
            return True
        try:
            await self._shelf.save_pace(name, list(unsaved.values()))
        except StoreBroken:
            raise
        except StoreError as error:
            self._log.debug("not kept what was learnt", source=name, reason=str(error))
            return False
        unsaved.clear()
        return True
