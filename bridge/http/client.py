"""The port that everyone sends through: a request in, an answer or a reason out."""

import asyncio
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from bridge.core.network.addresses import Allow
from bridge.core.network.exchange import (
    Answer,
    Phase,
    Request,
    Response,
    Timings,
    Unanswered,
)
from bridge.core.network.way import DIRECT, Way
from bridge.core.ports import Clock
from bridge.http.failure import Failed
from bridge.http.guard import Lookup, system_lookup
from bridge.http.place import split
from bridge.http.transport import Limits, Transport, Trip

_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


class Client:
    """Sends requests over kept connections, each within its own deadline.

    `max_connections` 0 is no limit, and there is none for one host: thousands of holds may
    be open at once. `connect` bounds name, connection and TLS together, within the deadline.
    `idle` is how long an unused connection is kept. `ca` is a PEM file of authorities trusted
    besides the system's. `clock` gives stamps and timings; the deadline is the event loop's.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        allow: Allow = (),
        max_connections: int = 0,
        connect: timedelta = timedelta(seconds=5),
        # Many servers (Node up to version 25) close a connection after 5 s without a request.
        idle: timedelta = timedelta(seconds=4),
        ca: Path | None = None,
        lookup: Lookup = system_lookup,
    ) -> None:
        self._clock = clock
        self._allow = tuple(allow)
        self._limits = Limits(connections=max_connections, connect=connect, idle=idle)
        self._ca = ca
        self._lookup = lookup
        self._transport: Transport | None = None

    async def __aenter__(self) -> Self:
        self._transport = Transport(
            clock=self._clock,
            allow=self._allow,
            limits=self._limits,
            ca=self._ca,
            lookup=self._lookup,
        )
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._transport is not None:
            await self._transport.aclose()
            self._transport = None

    async def send(
        self,
        request: Request,
        *,
        timeout: timedelta,  # noqa: ASYNC109  (the port's word; it bounds the whole exchange)
        limit: int,
        way: Way = DIRECT,  # noqa: ARG002  (until the pools by way stand)
    ) -> Answer:
        """Send and read at most `limit` bytes of the answer, all within `timeout`.

        Adds `host`, `accept-encoding: identity` and `content-length`, which the request must
        not hold, and nothing else. Once the head of the answer is whole, the answer is a
        Response: a body that is too long, too slow or broken is `cut`.
        """
        started = self._clock.monotonic()
        if self._transport is None:
            return Unanswered(phase=Phase.LOCAL, reason="genbridge is shutting down")
        try:
            place, target = split(request.url)
        except ValueError as error:
            return Unanswered(phase=Phase.GUARD, reason=f"the URL is refused: {error}")
        seconds = timeout.total_seconds()
        trip = Trip(
            place=place,
            target=target.encode("ascii"),
            seconds=seconds,
            deadline=asyncio.get_running_loop().time() + seconds,
            started=started,
        )
        try:
            response = await self._transport.handle_async_request(_prebuilt(request, trip))
        except Failed as failed:
            return Unanswered(
                phase=failed.phase, reason=failed.reason, timings=self._timings(trip)
            )
        except ValueError:
            why = "a header holds characters that may not be sent"
            return Unanswered(phase=Phase.LOCAL, reason=why)
        body, cut = await _read(response, limit)
        return Response(
            status=response.status_code,
            headers=_headers(response),
            body=body,
            received_at=self._clock.now(),
            cut=cut,
            timings=self._timings(trip),
        )

    def _timings(self, trip: Trip) -> Timings:
        return Timings(
            connect=None if trip.connect is None else trip.connect * 1000,
            wait=None if trip.wait is None else trip.wait * 1000,
            total=(self._clock.monotonic() - trip.started) * 1000,
            reused=trip.reused,
        )


def _prebuilt(request: Request, trip: Trip) -> httpx.Request:
    headers = [("host", trip.place.host_header), *request.headers]
    headers.append(("accept-encoding", "identity"))
    if request.body or request.method in _WITH_BODY:
        headers.append(("content-length", str(len(request.body))))
    # A ByteStream keeps httpx from reading, measuring and copying the body.
    return httpx.Request(
        request.method,
        trip.place.httpx_url,
        headers=headers,
        stream=httpx.ByteStream(request.body),
        extensions={"trip": trip},
    )


async def _read(response: httpx.Response, limit: int) -> tuple[bytes, bool]:
    """Return at most `limit` bytes of the raw body, and whether it was cut."""
    parts: list[bytes] = []
    room, cut = limit, False
    stream = response.stream
    try:
        async for part in stream:  # type: ignore[union-attr]  # ours is asynchronous
            parts.append(part[:room] if len(part) > room else part)
            if len(part) > room:
                cut = True
                break
            room -= len(part)
    except httpx.ReadError:
        cut = True
    finally:
        await stream.aclose()  # type: ignore[union-attr]  # as above
    return b"".join(parts), cut


def _headers(response: httpx.Response) -> dict[str, str]:
    """Return the first value of each header, by its lower-case name."""
    first: dict[str, str] = {}
    for name, value in response.headers.raw:
        first.setdefault(name.decode("latin-1").lower(), value.decode("utf-8", "replace"))
    return first
