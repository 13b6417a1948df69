"""One request under way: what it may take, and how long its parts took."""

from bridge.core.network.exchange import Peer, Timings
from bridge.http.place import Place


class Trip:
    """What a request may take, and what is noted of it, in seconds.

    `deadline` is on the loop's clock, `started` and all that is noted on ours.
    """

    __slots__ = (
        "connect",
        "deadline",
        "dns",
        "peer",
        "place",
        "reused",
        "seconds",
        "started",
        "tls",
    )

    def __init__(
        self, place: Place, *, seconds: float, deadline: float, started: float
    ) -> None:
        self.place = place
        self.seconds = seconds
        self.deadline = deadline
        self.started = started
        self.dns: float | None = None
        self.connect: float | None = None
        self.tls: float | None = None
        self.peer: Peer | None = None
        self.reused = False

    def timings(
        self,
        ended: float,
        *,
        send: float | None = None,
        wait: float | None = None,
        body: float | None = None,
    ) -> Timings:
        """Return the record; all in milliseconds."""
        return Timings(
            dns=None if self.dns is None else self.dns * 1000,
            connect=None if self.connect is None else self.connect * 1000,
            tls=None if self.tls is None else self.tls * 1000,
            send=send,
            wait=wait,
            body=body,
            total=(ended - self.started) * 1000,
            reused=self.reused,
        )
