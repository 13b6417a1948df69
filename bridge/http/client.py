"""The port that everyone sends through: a request in, an answer or a reason out."""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bridge.core.network.addresses import Allow
from bridge.core.network.exchange import (
    Answer,
    Phase,
    Request,
    Response,
    Unanswered,
)
from bridge.core.network.proxy import Proxy
from bridge.core.network.way import DIRECT, Way
from bridge.core.ports import Clock
from bridge.http import failure, tunnel
from bridge.http.failure import Failed
from bridge.http.guard import Lookup, Resolver, system_lookup
from bridge.http.line import Lost
from bridge.http.opening import Opener
from bridge.http.place import Place, split
from bridge.http.pool import Pool
from bridge.http.reply import Headers, Reply
from bridge.http.trip import Trip
from bridge.http.trust import Files, Trust

_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_UNUSED = 600.0
"""Seconds after which the pool of a way that nobody uses is dropped."""


class Client:
    """Sends requests over kept connections, each within its own deadline.

    There is a pool for each way, opened when it is first needed, without a limit of
    connections: thousands of holds may be open at once. `connect` bounds name, connection and
    TLS together, within the deadline. `idle` is how long an unused connection is kept. `ca` is
    a PEM file of authorities trusted besides the system's. `clock` gives stamps and timings;
    the deadline is the event loop's.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        allow: Allow = (),
        connect: timedelta = timedelta(seconds=5),
        # Many servers (Node up to version 25) close a connection after 5 s without a request.
        idle: timedelta = timedelta(seconds=4),
        ca: Path | None = None,
        lookup: Lookup = system_lookup,
    ) -> None:
        self._clock = clock
        self._allow = tuple(allow)
        self._connect = connect
        self._idle = idle.total_seconds()
        self._ca = ca
        self._lookup = lookup
        self._pools: dict[Way, Pool] = {}
        self._retired: set[Pool] = set()
        self._opener: Opener | None = None

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._resolver = Resolver(self._allow, self._lookup)
        self._trust = Trust(self._clock, self._ca)
        self._opener = Opener(
            clock=self._clock,
            allow=self._allow,
            connect=self._connect,
            resolver=self._resolver,
            trust=self._trust,
        )
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._opener is None:
            return
        self._opener.end()
        self._opener = None
        pools = [*self._pools.values(), *self._retired]
        self._pools.clear()
        self._retired.clear()
        for pool in pools:
            pool.end()
        await self._resolver.close()
        # Aborted transports close themselves in the next turns of the loop.
        for _ in range(10):
            if not any(pool.in_use for pool in pools):
                break
            await asyncio.sleep(0)

    async def renew(self) -> None:
        """Read PEM files again that have changed; their connections end after their request."""
        changed = await self._trust.renew()
        self._retired = {pool for pool in self._retired if pool.in_use}
        for way, pool in list(self._pools.items()):
            if _files(way) in changed:
                pool.retire()
                self._retired.add(pool)
                del self._pools[way]

    def send(
        self,
        request: Request,
        *,
        timeout: timedelta,
        limit: int,
        way: Way = DIRECT,
    ) -> Coroutine[Any, Any, Answer]:
        """Send and read at most `limit` bytes of the answer, all within `timeout`.

        Adds `host`, `accept-encoding: identity` and `content-length`, which the request must
        not hold, and nothing else (but what a proxy needs). Once the head of the answer is
        whole, the answer is a Response: a body that is too long, too slow or broken is `cut`.
        """
        started = self._clock.monotonic()
        if self._opener is None:
            over = failure.over()
            return _unsent(over.phase, over.reason)
        seconds = timeout.total_seconds()
        if seconds <= 0.0:
            return _unsent(Phase.DEADLINE, "there was no time to send it")
        try:
            place, target = split(request.url)
            pool = self._pools.get(way) or self._pool(way)
        except ValueError as error:
            return _unsent(Phase.GUARD, f"the URL is refused: {error}")
        trip = Trip(
            place, seconds=seconds, deadline=self._loop.time() + seconds, started=started
        )
        try:
            written = _written(request, place, target, pool.proxy)
        except ValueError:
            return _unsent(Phase.LOCAL, "a header holds characters that may not be sent")
        return self._exchanged(pool, request, written, trip, limit)

    def _pool(self, way: Way) -> Pool:
        """Return the pool of a way used for the first time; those of unused ways go."""
        assert self._opener is not None  # noqa: S101  (asked by `send`)
        pool = Pool(way, self._opener, self._idle)
        old = self._loop.time() - _UNUSED
        for other, unused in list(self._pools.items()):
            if not unused.in_use and unused.used < old:
                del self._pools[other]
        self._pools[way] = pool
        return pool

    async def _exchanged(
        self, pool: Pool, request: Request, written: bytes, trip: Trip, limit: int
    ) -> Answer:
        try:
            line = pool.take(trip.place)
            while True:
                trip.reused = line is not None
                line = line or await pool.opened(trip)
                trip.peer = line.peer
                reply = Reply(
                    limit, self._clock.monotonic, bodiless=request.method == "HEAD"
                )
                begun = self._clock.monotonic()
                try:
                    await line.ask(written, reply, trip.deadline)
                except Lost as error:
                    if not trip.reused or reply.heard:
                        raise failure.answering(error, trip, reply.heard) from error
                    # A kept connection ended without a byte: at once again, on a new one.
                    line = None
                except Exception as error:  # whatever ended the connection comes out here
                    raise failure.answering(error, trip, reply.heard) from error
                else:
                    pool.give(trip.place, line, keep=reply.keep)
                    return self._answer(reply, trip, begun, pool.proxy)
        except Failed as failed:
            return Unanswered(
                phase=failed.phase,
                reason=failed.reason,
                timings=trip.timings(self._clock.monotonic()),
                peer=trip.peer,
            )

    def _answer(
        self, reply: Reply, trip: Trip, begun: float, proxy: Proxy | None
    ) -> Response:
        if reply.status == 407 and proxy is not None and _forwarded(proxy, trip.place):
            raise Failed(Phase.PROXY, tunnel.wants_credentials(proxy))
        ended = self._clock.monotonic()
        head_at = ended if reply.head_at is None else reply.head_at
        return Response(
            status=reply.status,
            headers=_headers(reply.headers),
            body=reply.body,
            received_at=self._clock.now(),
            cut=reply.cut,
            timings=trip.timings(
                ended,
                send=(reply.sent_at - begun) * 1000,
                wait=(head_at - reply.sent_at) * 1000,
                body=(ended - head_at) * 1000,
            ),
            peer=trip.peer,
        )


async def _unsent(phase: Phase, reason: str) -> Answer:
    """Return that nothing was sent."""
    return Unanswered(phase=phase, reason=reason)


def _files(way: Way) -> Files:
    return Files(ca=way.ca, cert=way.cert, key=way.key)


def _forwarded(proxy: Proxy, place: Place) -> bool:
    """Whether a proxy reads the request itself and passes it on: plain HTTP has no tunnel."""
    return not proxy.socks and not place.tls


def _written(request: Request, place: Place, target: str, proxy: Proxy | None) -> bytes:
    """Return the request as bytes; raises ValueError if a header would leave its line."""
    lines = [f"{name}: {value}\r\n" for name, value in request.headers]
    if proxy is not None and _forwarded(proxy, place):
        target = place.origin + target
        lines += [f"{line}\r\n" for line in tunnel.credentials(proxy)]
    fields, breaks = "".join(lines), len(lines)
    if fields.count("\n") != breaks or fields.count("\r") != breaks or "\0" in fields:
        raise ValueError("a header holds a line break")
    length = ""
    if request.body or request.method in _WITH_BODY:
        length = f"content-length: {len(request.body)}\r\n"
    head = (
        f"{request.method} {target} HTTP/1.1\r\n{place.host_line}\r\n{fields}"
        f"accept-encoding: identity\r\n{length}\r\n"
    )
    return head.encode("ascii") + request.body


def _headers(pairs: Headers) -> dict[str, str]:
    """Return the first value of each header, by its lower-case name."""
    first: dict[str, str] = {}
    for name, value in pairs:
        first.setdefault(name.decode("latin-1").lower(), value.decode("utf-8", "replace"))
    return first
