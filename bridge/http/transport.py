"""httpx's requests over aiohttp's connections: guarded, in time, nothing added."""

import asyncio
import ssl
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
from aiohttp import ClientConnectorCertificateError, ClientTimeout
from aiohttp.connector import Connection
from aiohttp.streams import StreamReader

from bridge.core.network.addresses import Allow
from bridge.core.network.certificate import described
from bridge.core.network.exchange import Phase
from bridge.core.ports import Clock
from bridge.http import failure
from bridge.http.failure import Failed, Late
from bridge.http.guard import Lookup, Resolver, guarded_socket
from bridge.http.line import Line, Lines
from bridge.http.place import Place

_PEEK = 2.0
"""Seconds for a look at a certificate that was refused, of those left."""


@dataclass(slots=True, kw_only=True)
class Trip:
    """One request under way: what it may take, and what the transport notes."""

    place: Place
    target: bytes = field(repr=False)
    seconds: float
    deadline: float
    started: float
    connect: float | None = None
    wait: float | None = None
    reused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What connections may take; `connections` 0 is no limit."""

    connections: int
    connect: timedelta
    idle: timedelta


class Transport(httpx.AsyncBaseTransport):
    """Sends a prebuilt `httpx.Request` that carries its Trip as the extension `trip`.

    The headers and the target go out as they are: no cookies, no quoting, no added header,
    no redirect; the answer's body comes raw. Raises Failed.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        allow: Allow,
        limits: Limits,
        ca: Path | None,
        lookup: Lookup,
    ) -> None:
        self._clock = clock
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._resolver = Resolver(allow, lookup)
        make_socket = guarded_socket(allow)
        self._lines = Lines(
            limit=limits.connections,
            keepalive_timeout=limits.idle.total_seconds(),
            resolver=self._resolver,
            socket_factory=make_socket,
            ssl=_trust(ca),
        )
        self._peeking = Lines(
            limit=0,
            force_close=True,
            resolver=self._resolver,
            socket_factory=make_socket,
            ssl=_no_trust(),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection; requests that still run end as Failed."""
        await self._peeking.close()
        await self._lines.close()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send and wait for the head; the body is read from the response's stream."""
        trip: Trip = request.extensions["trip"]
        written = _written(request, trip.target)
        connection = await self._connect(trip, anew=False)
        answer = await self._ask(connection, request, written, trip)
        if answer is None:
            connection = await self._connect(trip, anew=True)
            answer = await self._ask(connection, request, written, trip)
        if answer is None:
            raise Failed(Phase.ANSWER, f"{trip.place.shown} closes every connection")
        return answer

    async def _connect(self, trip: Trip, *, anew: bool) -> Connection:
        """Return a connection nothing is known against; `anew`: one never used before."""
        while True:
            connection = await self._connection(trip)
            line = _line(connection)
            trip.reused = line.requests > 0
            if line.is_connected() and not (trip.reused and (anew or not line.open)):
                break
            _drop(connection)
        if not trip.reused:
            trip.connect = self._clock.monotonic() - trip.started
        return connection

    async def _connection(self, trip: Trip) -> Connection:
        left = min(self._limits.connect.total_seconds(), trip.deadline - self._loop.time())
        if left <= 0:
            raise Failed(Phase.DEADLINE, f"no connection to {trip.place.shown} in time")
        try:
            return await self._lines.connect(trip.place, [], _within(left))  # type: ignore[arg-type]  # Place stands for aiohttp's request
        except TimeoutError as error:
            raise self._too_slow(trip) from error
        except failure.TRANSLATED as error:
            raise await self._explained(error, trip) from error

    def _too_slow(self, trip: Trip) -> Failed:
        place = trip.place
        seconds = min(self._limits.connect.total_seconds(), trip.seconds)
        if not self._resolver.given_up(place.host):
            kind = "TLS connection" if place.is_ssl() else "connection"
            return Failed(Phase.DEADLINE, f"no {kind} to {place.shown} in {seconds:g} s")
        if self._resolver.deaf:
            return failure.silent_resolver()
        why = f"the name {place.host} was not resolved in {seconds:g} s"
        return Failed(Phase.DEADLINE, why)

    async def _explained(self, error: Exception, trip: Trip) -> Failed:
        failed = failure.connecting(error, trip.place)
        if failed.phase is Phase.RESOLVE and self._resolver.deaf:
            return failure.silent_resolver()
        if isinstance(error, ClientConnectorCertificateError):
            said = await self._certificate(trip)
            if said is not None:
                return Failed(failed.phase, f"{failed.reason}: {said}")
        return failed

    async def _certificate(self, trip: Trip) -> str | None:
        """Describe the certificate that was refused; no byte of a request is sent to it.

        Python shows nothing of a certificate that it refuses, hence the second handshake.
        """
        left = min(_PEEK, trip.deadline - self._loop.time())
        if left <= 0:
            return None
        try:
            connection = await self._peeking.connect(trip.place, [], _within(left))  # type: ignore[arg-type]  # as above
        except failure.TRANSLATED:
            return None
        transport = connection.transport
        spoken = transport.get_extra_info("ssl_object") if transport is not None else None
        der = None if spoken is None else spoken.getpeercert(binary_form=True)
        _drop(connection)
        return None if der is None else described(der)

    async def _ask(
        self, connection: Connection, request: httpx.Request, written: bytes, trip: Trip
    ) -> httpx.Response | None:
        """Send and return the head; None: a kept connection ended without a byte."""
        line = _line(connection)
        timer = self._loop.call_at(trip.deadline, line.set_exception, Late())
        whole = False
        sent = self._clock.monotonic()
        try:
            line.ask(written, body_follows=request.method != "HEAD")
            message, payload = await line.answer()
            whole = True
        except Exception as error:  # whatever ended the connection comes out here
            if trip.reused and not line.heard and not isinstance(error, Late):
                return None
            raise failure.answering(error, trip.place, trip.seconds, line.heard) from error
        finally:
            if not whole:
                timer.cancel()
                _drop(connection)
        trip.wait = self._clock.monotonic() - sent
        body = Body(connection, payload, timer)
        return httpx.Response(message.code, headers=message.raw_headers, stream=body)


class Body(httpx.AsyncByteStream):
    """The raw body, as it comes in; must be closed, at its end or before."""

    def __init__(
        self, connection: Connection, payload: StreamReader, timer: asyncio.TimerHandle
    ) -> None:
        self._connection = connection
        self._payload = payload
        self._timer = timer

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        """Return what there is; raises httpx.ReadError where it breaks off or time is over."""
        if self._payload.at_eof():
            raise StopAsyncIteration
        try:
            part = await self._payload.readany()
        except Exception as error:  # whatever ended the connection comes out here
            raise httpx.ReadError("the body broke off") from error
        if not part:
            raise StopAsyncIteration
        return part

    async def aclose(self) -> None:
        """Keep the connection if the body was read to its end, else end it; never drain."""
        self._timer.cancel()
        if _line(self._connection).reusable:
            self._connection.release()
        else:
            _drop(self._connection)


def _line(connection: Connection) -> Line:
    line = connection.protocol
    if not isinstance(line, Line):
        raise TypeError("a connection that is not from Lines")
    return line


def _drop(connection: Connection) -> None:
    # Not closed but aborted: a goodbye in TLS, or bytes not yet taken, may wait for 30 s.
    line = connection.protocol
    if line is not None:
        line.abort()
    connection.close()


def _written(request: httpx.Request, target: bytes) -> bytes:
    """Return the request as bytes; raises ValueError if a header would leave its line."""
    fields = [b"%b: %b\r\n" % field for field in request.headers.raw]
    head = b"%b %b HTTP/1.1\r\n%b" % (request.method.encode(), target, b"".join(fields))
    lines = len(fields) + 1
    if head.count(b"\n") != lines or head.count(b"\r") != lines or b"\0" in head:
        raise ValueError("a header holds a line break")
    return b"%b\r\n%b" % (head, b"".join(request.stream))  # type: ignore[arg-type]  # Client gives a ByteStream


@lru_cache(maxsize=64)
def _within(seconds: float) -> ClientTimeout:
    # Without the ceiling aiohttp rounds long spans up to whole seconds.
    return ClientTimeout(connect=seconds, ceil_threshold=float("inf"))


def _trust(ca: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca is not None:
        context.load_verify_locations(ca)
    return context


def _no_trust() -> ssl.SSLContext:
    """For the look at a refused certificate alone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
