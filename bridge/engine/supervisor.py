"""The supervisor: one poller for each source, begun, replaced and ended as the settings say."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import ceil
from typing import TypeAlias

import anyio
from anyio.abc import TaskGroup

from bridge.core.looking import Observation, Reading, Trouble
from bridge.core.pacing.connections import MOST, shared
from bridge.core.pacing.report import InVain, SourceReport
from bridge.core.settings import Source
from bridge.core.sharing.share import Spare
from bridge.core.watch import Generation, Watch
from bridge.engine.poller import Poller

MakePoller: TypeAlias = Callable[[Source], Poller]


class Supervisor:
    """Runs the pollers. A watch of a source that is not configured rests until it is again.

    `connections` is how many requests all of them may have open together.
    """

    def __init__(self, make: MakePoller, *, connections: int = MOST) -> None:
        self._make = make
        self._connections = connections
        self._pollers: dict[str, Poller] = {}
        self._scopes: dict[str, anyio.CancelScope] = {}
        self._resting: dict[str, dict[str, Watch]] = {}
        self._tasks: TaskGroup | None = None
        self._living = 1

    async def run(self) -> None:
        """Run every poller for as long as this runs."""
        async with anyio.create_task_group() as tasks:
            self._tasks = tasks
            for poller in self._pollers.values():
                self._start(poller)
            await anyio.sleep_forever()

    def set_sources(self, sources: Mapping[str, Source]) -> None:
        """Look at these sources from now on; one whose settings are equal goes on undisturbed."""
        for name, poller in list(self._pollers.items()):
            if sources.get(name) != poller.source:
                self._retire(name, poller)
        for name, source in sources.items():
            if name not in self._pollers:
                poller = self._pollers[name] = self._make(source)
                poller.add(self._resting.pop(name, {}).values())
                self._start(poller)
        self._divide()

    def _divide(self) -> None:
        """Give each source its part of the connections, and this replica its part of each rate."""
        wanted = {
            name: max(1, poller.source.max_connections // self._living)
            for name, poller in self._pollers.items()
        }
        for name, connections in shared(wanted, self._connections).items():
            self._pollers[name].share(self._living, connections)

    def _start(self, poller: Poller) -> None:
        if self._tasks is not None:
            # Made here, so that a poller can be ended before it has begun.
            scope = self._scopes[poller.source.name] = anyio.CancelScope()
            self._tasks.start_soon(self._poll, poller, scope)

    @staticmethod
    async def _poll(poller: Poller, scope: anyio.CancelScope) -> None:
        with scope:
            await poller.run()

    def _retire(self, name: str, poller: Poller) -> None:
        """End a poller: its holds are dropped, its watches are kept for the next one."""
        self._resting[name] = {watch.generation.id: watch for watch in poller.watches()}
        for id_ in self._resting[name]:
            poller.drop(id_)
        del self._pollers[name]
        scope = self._scopes.pop(name, None)
        if scope is not None:
            scope.cancel()

    def add(self, watches: Iterable[Watch]) -> None:
        """Begin watches, each at its source."""
        by_source: dict[str, list[Watch]] = {}
        for watch in watches:
            by_source.setdefault(watch.generation.source, []).append(watch)
        for name, group in by_source.items():
            if name in self._pollers:
                self._pollers[name].add(group)
            else:
                resting = self._resting.setdefault(name, {})
                resting.update((watch.generation.id, watch) for watch in group)

    def drop(self, generations: Iterable[Generation]) -> None:
        """End watches."""
        for source, id_ in generations:
            if source in self._pollers:
                self._pollers[source].drop(id_)
            self._resting.get(source, {}).pop(id_, None)

    def spare(self, most: int) -> list[Spare]:
        """Stop watching up to so many, and return them: from each source its part."""
        resting = [watch for group in self._resting.values() for watch in group.values()]
        spares = [Spare(watch=watch, wait=0.0) for watch in resting[:most]]
        for one in spares:
            self.drop([one.watch.generation])
        everything = self.watching()
        for poller in self._pollers.values():
            part = ceil((most - len(resting)) * poller.watching / max(1, everything))
            spares += poller.spare(max(0, min(part, most - len(spares))))
        return spares

    def share(self, living: int) -> None:
        """Work as one of so many replicas."""
        if living != self._living:
            self._living = living
            self._divide()

    def abandon(self) -> None:
        """End every watch; what is under way counts for nothing."""
        self._resting = {}
        for poller in self._pollers.values():
            poller.spare(2**31)
            for watch in poller.watches():
                poller.drop(watch.generation.id)

    def pollers(self) -> Sequence[Poller]:
        """Return the pollers that are running."""
        return list(self._pollers.values())

    async def page(self, source: str, cursor: str | None = None) -> Reading:
        """Ask for a page of a source's listing; Trouble where it may not be asked now."""
        poller = self._pollers.get(source)
        if poller is None:
            return Trouble(why="the source is not there")
        return await poller.page(cursor)

    def renews(self, source: str) -> bool:
        """Return whether a source is there whose provider renews links."""
        poller = self._pollers.get(source)
        return poller is not None and poller.source.provider.abilities.renews_links

    async def observe(self, generation: Generation) -> Observation | None:
        """Look once at a generation, watched or not; None: nothing was learnt of it."""
        poller = self._pollers.get(generation.source)
        return None if poller is None else await poller.observe(generation.id)

    def hint(self, generation: Generation) -> bool:
        """Look at a generation now; return whether it is watched here."""
        poller = self._pollers.get(generation.source)
        return poller is not None and poller.hint(generation.id)

    def in_vain(self, generation: Generation) -> InVain | None:
        """Return how the last looks at a generation failed; None: they did not, or not here."""
        poller = self._pollers.get(generation.source)
        return None if poller is None else poller.in_vain(generation.id)

    def reports(self) -> Mapping[str, SourceReport]:
        """Return how each source stands now."""
        return {name: poller.report() for name, poller in self._pollers.items()}

    def watching(self, source: str | None = None) -> int:
        """Return how many generations are watched, of one source or of all."""
        return sum(
            poller.watching
            for name, poller in self._pollers.items()
            if source in (None, name)
        )
