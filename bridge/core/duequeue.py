"""A queue of keys by the moment at which each is due: one entry a key, the latest one counts."""

import heapq
from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


class DueQueue(Generic[Key]):
    """Keys by due moment, in seconds on any clock.

    Setting and popping cost O(log n); an entry that was replaced stays in the heap until it
    comes up or the heap is more than twice as long as there are keys.
    """

    def __init__(self) -> None:
        self._due: dict[Key, tuple[float, int]] = {}
        self._heap: list[tuple[float, int, Key]] = []
        self._count = 0

    def __len__(self) -> int:
        return len(self._due)

    def __contains__(self, key: Key) -> bool:
        return key in self._due

    def set(self, key: Key, at: float) -> None:
        """Make `key` due at a moment, whatever it was due before."""
        self._count += 1
        self._due[key] = (at, self._count)
        heapq.heappush(self._heap, (at, self._count, key))
        if len(self._heap) > 2 * len(self._due) + 64:
            self._heap = [(at, n, key) for key, (at, n) in self._due.items()]
            heapq.heapify(self._heap)

    def drop(self, key: Key) -> None:
        """Forget a key; an unknown one is no mistake."""
        self._due.pop(key, None)

    def at(self, key: Key) -> float | None:
        """Return when a key is due, None where it is not queued."""
        entry = self._due.get(key)
        return None if entry is None else entry[0]

    def next(self) -> float | None:
        """Return the earliest due moment, None where nothing is queued."""
        while self._heap:
            at, n, key = self._heap[0]
            if self._due.get(key) == (at, n):
                return at
            heapq.heappop(self._heap)
        return None

    def pop(self, now: float) -> Key | None:
        """Take out and return the key that is due longest at `now`, None where none is due."""
        at = self.next()
        if at is None or at > now:
            return None
        key = heapq.heappop(self._heap)[2]
        del self._due[key]
        return key
