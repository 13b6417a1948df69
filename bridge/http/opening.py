"""The making of a connection: name, guard, socket, proxy, TLS; each step said where it fails."""

import asyncio
import socket
import ssl
from collections.abc import Callable
from datetime import timedelta

import aiohappyeyeballs

from bridge.core.network.addresses import Allow
from bridge.core.network.exchange import Peer, Phase
from bridge.core.network.proxy import Proxy
from bridge.core.network.way import Way
from bridge.core.ports import Clock
from bridge.http import failure, tunnel
from bridge.http.failure import Failed, Forbidden
from bridge.http.guard import Resolver, addressed, guarded_socket, refused
from bridge.http.line import Line, window
from bridge.http.place import Place
from bridge.http.trip import Trip
from bridge.http.trust import Files, Trust, seen

_PEEK = 2.0
"""Seconds for a look at a certificate that was refused, of those left."""
_ASIDE = 1.0
"""Seconds for a look at a name that a proxy will resolve itself."""
_STAGGER = 0.25
"""Seconds after which the next address of a name is tried as well (RFC 8305)."""


class Opener:
    """Makes connections of every way, behind the guard; `connect` bounds each as a whole."""

    def __init__(
        self,
        *,
        clock: Clock,
        allow: Allow,
        connect: timedelta,
        resolver: Resolver,
        trust: Trust,
    ) -> None:
        self._clock = clock
        self._allow = allow
        self._most = connect.total_seconds()
        self._resolver = resolver
        self._trust = trust
        self._loop = asyncio.get_running_loop()
        self._make_socket = guarded_socket(allow)
        self._window = window()
        self._making: set[asyncio.Timeout] = set()
        self._ended = False

    def end(self) -> None:
        """End what is being made: whoever waits for it is told so."""
        self._ended = True
        for scope in self._making:
            if not scope.expired():
                scope.reschedule(self._loop.time())

    async def line(
        self, trip: Trip, way: Way, proxy: Proxy | None, lost: Callable[[Line], None]
    ) -> Line:
        """Return a new connection; raises Failed. `lost` is called when it ends."""
        try:
            return await self._within(trip, _Route(trip, way, proxy, self._clock), lost)
        except _Distrusted as error:
            said = await self._certificate(trip, way, proxy)
            why = error.reason if said is None else f"{error.reason}: {said}"
            raise Failed(Phase.TLS, why) from error

    async def _within(
        self, trip: Trip, route: "_Route", lost: Callable[[Line], None]
    ) -> Line:
        left = min(self._most, trip.deadline - self._loop.time())
        if left <= 0:
            raise Failed(Phase.DEADLINE, f"no connection to {trip.place.shown} in time")
        route.seconds = left
        scope = asyncio.timeout(left)
        self._making.add(scope)
        try:
            async with scope:
                return await self._made(route, lost)
        except TimeoutError as error:
            raise failure.over() if self._ended else self._too_slow(route) from error
        finally:
            self._making.discard(scope)

    async def _made(self, route: "_Route", lost: Callable[[Line], None]) -> Line:
        trip, proxy = route.trip, route.proxy
        line = Line(self._loop, self._window, lost)
        if proxy is None:
            sock = await self._reached(route, trip.place.host, trip.place.port)
        else:
            sock = await self._proxied(route, proxy)
        trip.peer = Peer(address=_address(sock))
        tunnelled = proxy is not None and not proxy.socks
        if proxy is not None and tunnelled and trip.place.tls:
            await self._tunnelled(route, proxy, sock, line)
        elif proxy is not None and proxy.scheme == "https":
            await self._secured(route, sock, line, host=proxy.host, shown=proxy.shown)
        elif trip.place.tls:
            await self._secured(
                route, sock, line, host=trip.place.host, shown=trip.place.shown
            )
        else:
            await self._attached(sock, line, trip.place.shown)
        line.peer = trip.peer = Peer(address=trip.peer.address, tls=_version(line))
        return line

    # ------------------------------------------------------------------------- the socket

    async def _reached(self, route: "_Route", host: str, port: int) -> socket.socket:
        """Return a socket that is connected to a host, directly."""
        shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        infos = addressed(await self._resolved(route, host), port)
        route.trip.dns = route.lap() if route.asked else None
        try:
            sock = await aiohappyeyeballs.start_connection(
                infos, happy_eyeballs_delay=_STAGGER, socket_factory=self._make_socket
            )
        except (OSError, RuntimeError) as error:
            self._resolver.forget(host)
            raise failure.opening(error, shown) from error
        route.trip.connect = route.lap()
        return sock

    async def _resolved(self, route: "_Route", host: str) -> tuple[str, ...]:
        route.asked = host
        try:
            addresses = await self._resolver.addresses(host)
        except OSError as error:
            failed = failure.resolving(error, host)
            if failed.phase is Phase.RESOLVE and self._resolver.deaf:
                raise failure.silent_resolver() from error
            raise failed from error
        if tuple(addresses) == (host,):
            route.asked = None
        return tuple(addresses)

    # -------------------------------------------------------------------------- the proxy

    async def _proxied(self, route: "_Route", proxy: Proxy) -> socket.socket:
        """Return a socket to an HTTP proxy, or through a SOCKS proxy to the place."""
        target = await self._judged(route, proxy)
        if not proxy.socks:
            try:
                return await self._reached(route, proxy.host, proxy.port)
            except Failed as error:
                raise _of_proxy(error, proxy) from error
        try:
            address = (await self._resolved(route, proxy.host))[0]
            refused(address, self._allow)
        except Forbidden as error:
            raise _of_proxy(failure.opening(error, proxy.shown), proxy) from error
        except Failed as error:
            raise _of_proxy(error, proxy) from error
        sock = await tunnel.socks(proxy, address, route.trip.place, target, route.seconds)
        route.through = True
        route.trip.connect = route.lap()
        return sock

    async def _judged(self, route: "_Route", proxy: Proxy) -> str:
        """Return what the proxy is to be told as the host; raises Failed if it is forbidden.

        A name that only the proxy knows is left to it; for `socks5` we resolve all ourselves.
        """
        place = route.trip.place
        if proxy.scheme == "socks5":
            addresses = await self._resolved(route, place.host)
            route.trip.dns = route.lap() if route.asked else None
        else:
            addresses = await self._aside(place)
        try:
            for address in addresses:
                refused(address, self._allow)
        except Forbidden as error:
            raise failure.opening(error, place.shown) from error
        return addresses[0] if proxy.scheme == "socks5" else place.host

    async def _aside(self, place: Place) -> tuple[str, ...]:
        try:
            async with asyncio.timeout(_ASIDE):
                return tuple(await self._resolver.addresses(place.host))
        except Forbidden as error:
            raise failure.opening(error, place.shown) from error
        except OSError:  # TimeoutError is one
            return ()

    async def _tunnelled(
        self, route: "_Route", proxy: Proxy, sock: socket.socket, line: Line
    ) -> None:
        """Have an HTTP proxy connect us, and speak TLS with the place through it."""
        dialog = tunnel.Dialog()
        if proxy.scheme == "https":
            await self._secured(route, sock, dialog, host=proxy.host, shown=proxy.shown)
        else:
            await self._attached(sock, dialog, proxy.shown)
        outer = dialog.transport
        if outer is None:
            raise Failed(Phase.PROXY, f"the proxy {proxy.shown} closed the connection")
        try:
            await tunnel.connected(outer, dialog, proxy, route.trip.place)
            route.through = True
            context = await self._trusted(route.files)
            route.lap()
            await self._started(route, outer, line, context)
        except BaseException:
            outer.abort()
            raise

    async def _started(
        self,
        route: "_Route",
        outer: asyncio.Transport,
        line: Line,
        context: ssl.SSLContext,
    ) -> None:
        place = route.trip.place
        try:
            inner = await self._loop.start_tls(
                outer, line, context, server_hostname=place.host
            )
        except (OSError, RuntimeError) as error:
            raise self._unsecured(error, place.shown) from error
        if inner is None:
            raise failure.securing(ConnectionResetError(), place.shown)
        line.connection_made(inner)
        route.trip.tls = route.lap()

    # -------------------------------------------------------------------------------- TLS

    async def _attached(
        self, sock: socket.socket, protocol: asyncio.BaseProtocol, shown: str
    ) -> None:
        try:
            await self._loop.create_connection(lambda: protocol, sock=sock)
        except (OSError, RuntimeError) as error:
            raise failure.opening(error, shown) from error

    async def _secured(
        self,
        route: "_Route",
        sock: socket.socket,
        protocol: asyncio.BaseProtocol,
        *,
        host: str,
        shown: str,
    ) -> None:
        of_place = route.proxy is None or route.proxy.socks
        # A proxy is trusted as the place is, and is not shown who we are.
        files = route.files if of_place else Files(ca=route.files.ca)
        try:
            context = await self._trusted(files, blind=route.blind and of_place)
        except BaseException:
            sock.close()
            raise
        route.lap()
        try:
            await self._loop.create_connection(
                lambda: protocol, sock=sock, ssl=context, server_hostname=host
            )
        except (OSError, RuntimeError) as error:
            failed = self._unsecured(error, shown)
            proxy = None if of_place else route.proxy
            raise failed if proxy is None else _of_proxy(failed, proxy) from error
        if of_place:
            route.trip.tls = route.lap()

    async def _trusted(self, files: Files, *, blind: bool = False) -> ssl.SSLContext:
        return self._trust.blind if blind else await self._trust.context(files)

    def _unsecured(self, error: OSError | RuntimeError, shown: str) -> Failed:
        failed = failure.securing(error, shown)
        if isinstance(error, ssl.SSLCertVerificationError):
            return _Distrusted(failed.phase, failed.reason)
        return failed

    async def _certificate(self, trip: Trip, way: Way, proxy: Proxy | None) -> str | None:
        """Describe the certificate that was refused; no byte of a request is sent to it.

        Python shows nothing of a certificate that it refuses, hence the second handshake.
        """
        left = min(_PEEK, trip.deadline - self._loop.time())
        if left <= 0 or (proxy is not None and not proxy.socks):
            return None
        aside = Trip(trip.place, seconds=left, deadline=trip.deadline, started=trip.started)
        try:
            async with asyncio.timeout(left):
                line = await self._made(
                    _Route(aside, way, proxy, self._clock, blind=True), _nobody
                )
        except (Failed, TimeoutError):
            return None
        transport = line.transport
        spoken = transport.get_extra_info("ssl_object") if transport is not None else None
        said = seen(spoken)
        line.abort()
        return said

    def _too_slow(self, route: "_Route") -> Failed:
        place, seconds = route.trip.place, min(self._most, route.trip.seconds)
        host = route.asked
        if host is None or not self._resolver.given_up(host):
            if route.proxy is not None and not route.through:
                why = f"the proxy {route.proxy.shown} made no way to {place.shown}"
                return Failed(Phase.PROXY, f"{why} in {seconds:g} s")
            kind = "TLS connection" if place.tls else "connection"
            return Failed(Phase.DEADLINE, f"no {kind} to {place.shown} in {seconds:g} s")
        if self._resolver.deaf:
            return failure.silent_resolver()
        why = f"the name {host} was not resolved in {seconds:g} s"
        return Failed(Phase.DEADLINE, why)


class _Distrusted(Failed):
    """The certificate of the place was refused."""


class _Route:
    """One connection in the making.

    `asked` is the name that is being looked up, `through`: the proxy has let us through.
    """

    def __init__(
        self,
        trip: Trip,
        way: Way,
        proxy: Proxy | None,
        clock: Clock,
        *,
        blind: bool = False,
    ) -> None:
        self.trip = trip
        self.proxy = proxy
        self.files = Files(ca=way.ca, cert=way.cert, key=way.key)
        self.blind = blind
        self.asked: str | None = None
        self.through = False
        self.seconds = 0.0
        self._clock = clock
        self._since = clock.monotonic()

    def lap(self) -> float:
        """Return the seconds since the last one."""
        before, self._since = self._since, self._clock.monotonic()
        return self._since - before


def _of_proxy(failed: Failed, proxy: Proxy) -> Failed:
    """Say that it was the proxy; only what the guard refuses is not laid to us."""
    if failed.phase is Phase.GUARD:
        return Failed(Phase.GUARD, f"the proxy: {failed.reason}")
    why = f"the proxy {proxy.shown} cannot be reached: {failed.reason}"
    # What this machine lacks is no fault of the proxy's.
    return Failed(Phase.LOCAL if failed.phase is Phase.LOCAL else Phase.PROXY, why)


def _address(sock: socket.socket) -> str:
    try:
        host, port = sock.getpeername()[:2]
    except OSError:  # it has ended already
        return "?"
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _version(line: Line) -> str | None:
    transport = line.transport
    spoken = None if transport is None else transport.get_extra_info("ssl_object")
    return None if spoken is None else spoken.version()


def _nobody(_line: Line) -> None:
    """Nobody keeps a connection that is only looked at."""
