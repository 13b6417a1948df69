"""Turns: which webhooks may begin another attempt, when all together could make too many.

A webhook may begin one while it has none under way or less than half of all slots are taken, so
that everyone can always have one (DELIVERY, section 5). Who may not, waits its turn.
"""

from typing import Protocol

SLOTS = 4096
"""Attempts under way at once, of all webhooks, if this process may open files enough."""


class Sharer(Protocol):
    """A webhook's lane, as far as turns go."""

    @property
    def id(self) -> int:
        """The id of the webhook."""
        ...

    @property
    def flying(self) -> int:
        """How many attempts are under way."""
        ...


class Turns:
    """Counts slots, and remembers who waits for one, in the order in which they asked."""

    def __init__(self, slots: int = SLOTS) -> None:
        self.slots = max(2, slots)
        self.taken = 0
        self._idle: dict[int, None] = {}
        self._busy: dict[int, None] = {}

    @property
    def waiting(self) -> bool:
        """Whether anybody waits."""
        return bool(self._idle or self._busy)

    @property
    def tight(self) -> bool:
        """Whether nobody may have a second one."""
        return self.taken >= self.slots // 2

    def may_begin(self, lane: Sharer) -> bool:
        """Return whether a webhook may begin another attempt."""
        if lane.flying == 0:
            return self.taken < self.slots
        return not self.tight

    def wait(self, lane: Sharer) -> None:
        """Put a webhook at the end, unless it waits already."""
        if lane.flying:
            self._busy.setdefault(lane.id)
        else:
            self._busy.pop(lane.id, None)
            self._idle.setdefault(lane.id)

    def next(self) -> int | None:
        """Take out and return the webhook that may begin next; those with none come first."""
        for queue, free in (
            (self._idle, self.taken < self.slots),
            (self._busy, not self.tight),
        ):
            if queue and free:
                webhook = next(iter(queue))
                del queue[webhook]
                return webhook
        return None
