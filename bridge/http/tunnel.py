"""Through a proxy: a tunnel by CONNECT, or a socket by SOCKS5."""

import asyncio
import re
import socket
from base64 import b64encode
from collections.abc import Sequence

from bridge.core.network.exchange import Phase
from bridge.core.network.proxy import Proxy
from bridge.http.failure import Failed
from bridge.http.place import Place

_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})[ \r]")
_LARGEST = 16 << 10
# https://www.rfc-editor.org/rfc/rfc1928#section-6
_UNREACHED = frozenset({3, 4, 5, 6})
"""Replies of SOCKS5 that speak of the receiver: network, host, refused, too far."""


class Dialog(asyncio.Protocol):
    """The head of a proxy's answer to CONNECT."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self._came = bytearray()
        self._head: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = transport  # type: ignore[assignment]  # a TCP connection's is one

    def data_received(self, data: bytes) -> None:
        """Gather until the head is whole; nothing may follow it before we speak."""
        self._came += data
        if len(self._came) > _LARGEST or b"\r\n\r\n" in self._came[:-4]:
            self._end(b"")
        elif self._came.endswith(b"\r\n\r\n"):
            self._end(bytes(self._came))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  (the loop's word)
        """End the wait."""
        self._end(b"")

    async def status(self) -> int | None:
        """Return the status; None: that was no answer."""
        match = _STATUS.match(await self._head)
        return int(match[1]) if match else None

    def _end(self, head: bytes) -> None:
        if not self._head.done():
            self._head.set_result(head)


async def connected(
    transport: asyncio.Transport, dialog: Dialog, proxy: Proxy, place: Place
) -> None:
    """Ask an HTTP proxy for a tunnel; raises Failed, blaming us, where it refuses."""
    where = place.shown
    lines = (f"CONNECT {where} HTTP/1.1", f"host: {where}", *credentials(proxy), "", "")
    transport.write("\r\n".join(lines).encode("ascii"))
    status = await dialog.status()
    if status is None:
        raise Failed(Phase.PROXY, f"the proxy {proxy.shown} does not speak HTTP")
    if status == 407:
        raise Failed(Phase.PROXY, wants_credentials(proxy))
    if not 200 <= status <= 299:
        why = f"the proxy {proxy.shown} refuses the way to {place.shown}: status {status}"
        raise Failed(Phase.PROXY, why)


def wants_credentials(proxy: Proxy) -> str:
    """Say that the proxy does not take who we say we are."""
    return f"the proxy {proxy.shown} wants other credentials (407)"


def credentials(proxy: Proxy) -> Sequence[str]:
    """Return the header that shows a proxy who we are; nothing without credentials."""
    if proxy.username is None:
        return ()
    both = f"{proxy.username}:{proxy.password}".encode()
    return (f"proxy-authorization: Basic {b64encode(both).decode()}",)


async def socks(
    proxy: Proxy, address: str, place: Place, target: str, seconds: float
) -> socket.socket:
    """Return a socket to a target through a SOCKS5 proxy at a judged address; raises Failed."""
    # Loaded only by those who use it: few have such a proxy.
    from python_socks import (  # noqa: PLC0415  (see above)
        ProxyConnectionError,
        ProxyError,
        ProxyTimeoutError,
        ProxyType,
    )
    from python_socks.async_.asyncio import Proxy as Socks  # noqa: PLC0415  (see above)

    dialled = Socks(
        ProxyType.SOCKS5,
        host=address,
        port=proxy.port,
        username=proxy.username,
        password=proxy.password,
        rdns=True,
    )
    try:
        return await dialled.connect(target, place.port, timeout=seconds)
    except ProxyTimeoutError as error:
        raise TimeoutError from error
    except ProxyConnectionError as error:
        raise Failed(Phase.PROXY, f"the proxy {proxy.shown} cannot be reached") from error
    except ProxyError as error:
        if error.error_code in _UNREACHED:
            why = f"the proxy {proxy.shown} cannot reach {place.shown}"
            raise Failed(Phase.CONNECT, why) from error
        why = f"the proxy {proxy.shown} refuses the way to {place.shown}"
        raise Failed(Phase.PROXY, why) from error
    except OSError as error:
        why = f"the proxy {proxy.shown} closed the connection"
        raise Failed(Phase.PROXY, why) from error
