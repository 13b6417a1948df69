"""A change: what a judged look makes of a watch, committed as one with its event and deliveries."""

from datetime import timedelta

from bridge.core.message import Message
from bridge.core.record import Record
from bridge.core.watch import Watch


class Recipient(Record, frozen=True, kw_only=True):
    """A webhook that is to be told.

    `room`: its sender can take the delivery at once, so it is born claimed for `lease`.
    `latest`: older deliveries of the same generation that nobody has begun give way to it.
    """

    webhook: int
    room: bool
    lease: timedelta
    latest: bool = False


class Change(Record, frozen=True, kw_only=True):
    """A step of a watch. `watch` is what its owner knew: a changed fence or sequence refuses it.

    `ended` says why the watch is over, None while it goes on. `tag` names the event within the
    watch (a state's word, `lost`, `stalled:1`).
    """

    watch: Watch
    rank: int
    native_state: str | None
    ended: str | None
    tag: str
    message: Message
    recipients: tuple[Recipient, ...] = ()

    @property
    def seq(self) -> int:
        """The sequence of the change's event."""
        return self.watch.seq + 1


class Born(Record, frozen=True, kw_only=True):
    """A delivery that a change has made; `fence` and `claimed` as the store set them."""

    id: int
    webhook: int
    fence: int
    claimed: bool


class Recorded(Record, frozen=True, kw_only=True):
    """What became of a change. Refused: the watch is no longer ours as we know it; read it anew.

    A change that had been recorded before (the answer to its commit was lost) is accepted again
    and names the deliveries that this replica still has claimed.
    """

    accepted: bool
    deliveries: tuple[Born, ...] = ()
