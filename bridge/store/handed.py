"""Which watches this run has handed to the engine."""

from collections.abc import Iterable


class Handed:
    """Knows watches by their ids: all up to `cursor`, and those beyond it that were added.

    A run walks once over what is there; after that every watch is handed out as it is born,
    so nothing needs to be remembered but how far it came.
    """

    def __init__(self) -> None:
        self.cursor = 0
        self._beyond: set[int] = set()
        self._walking = True

    def __contains__(self, id_: int) -> bool:
        return id_ <= self.cursor or id_ in self._beyond

    def add(self, ids: Iterable[int]) -> None:
        """Note watches that were handed out."""
        if self._walking:
            self._beyond.update(ids)
        else:
            self.cursor = max(self.cursor, max(ids, default=0))

    def walked(self, cursor: int | None, ids: Iterable[int]) -> None:
        """Note how far the walk came and what it handed out; None: to the end."""
        self._beyond.update(ids)
        if cursor is None:
            self.cursor = max(self.cursor, max(self._beyond, default=0))
            self._beyond = set()
            self._walking = False
        else:
            self.cursor = cursor
            self._beyond = {id_ for id_ in self._beyond if id_ > cursor}
