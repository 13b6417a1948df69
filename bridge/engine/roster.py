"""The roster of one source: who is watched, and when each is due."""

from collections.abc import Iterable, Iterator, Sequence

from bridge.core.duequeue import DueQueue
from bridge.core.sharing.share import Spare
from bridge.engine.running import Running


class Roster:
    """Running watches by the id of their generation; moments are monotonic seconds.

    A due moment is when the rule is asked again; whoever is being looked at has none.
    """

    def __init__(self) -> None:
        self._running: dict[str, Running] = {}
        self._all: list[Running] = []
        self._due: DueQueue[Running] = DueQueue()

    def __len__(self) -> int:
        return len(self._running)

    def __iter__(self) -> Iterator[Running]:
        return iter(self._running.values())

    def __contains__(self, running: Running) -> bool:
        """Return whether a watch is due at some moment."""
        return running in self._due

    @property
    def all(self) -> Sequence[Running]:
        """Every running watch, in no order, each at its `place`."""
        return self._all

    def get(self, id: str) -> Running | None:  # noqa: A002  (a generation's id is called id everywhere)
        """Return a running watch, None: there is none of this generation."""
        return self._running.get(id)

    def begin(self, running: Running, at: float) -> None:
        """Begin a watch whose first look is due at a moment; it replaces one of the same id."""
        self.end(running.id)
        self._running[running.id] = running
        running.place = len(self._all)
        self._all.append(running)
        self._due.set(running, at)

    def end(self, id: str) -> None:  # noqa: A002  (as everywhere)
        """End a watch: what a look under way says of it is ignored."""
        running = self._running.pop(id, None)
        if running is None:
            return
        running.over = True
        last = self._all.pop()
        if last is not running:
            self._all[running.place], last.place = last, running.place
        self._due.drop(running)
        if running.asking is not None:
            running.asking.cancel()

    # ---------------------------------------------------------------- when

    def again(self, running: Running, at: float) -> None:
        """Make a watch due at a moment, whatever it was due before; one that is over never is."""
        if not running.over:
            self._due.set(running, at)

    def resume(self, moments: Iterable[tuple[Running, float]]) -> None:
        """Make those due that are due at no moment yet; one that is over never is."""
        self._due.fill([pair for pair in moments if not pair[0].over])

    def rest(self, running: Running) -> None:
        """Make a watch due at no moment: what was seen of it is being told."""
        self._due.drop(running)

    def due(self, running: Running) -> float | None:
        """Return when a watch is due, None: it is being looked at."""
        return self._due.at(running)

    def next(self) -> float | None:
        """Return when the next watch is due, None: no one is."""
        return self._due.next()

    def pop(self, until: float) -> Running | None:
        """Take out the watch that is due soonest, if it is due by a moment."""
        return self._due.pop(until)

    def take(self, until: float, most: int) -> list[tuple[Running, float]]:
        """Take out up to `most` that are due by a moment, each with its own, soonest first."""
        return self._due.take(until, most)

    # ---------------------------------------------------------------- giving away

    def spare(self, most: int, now: float) -> list[Spare]:
        """End up to so many watches, those that are due last, and return them.

        Never one whose look was answered: what it says is recorded first.
        """
        idle = [one for one in self if not one.recording]
        waits = [(self._wait(one, now), one) for one in idle]
        waits.sort(key=lambda pair: -pair[0])
        for _, one in waits[:most]:
            self.end(one.id)
        return [Spare(watch=one.watch, wait=wait) for wait, one in waits[:most]]

    def _wait(self, running: Running, now: float) -> float:
        due = self._due.at(running)
        return 0.0 if due is None else max(0.0, due - now)
