"""A relay: brings what is sent to an address of ours to a port of 127.0.0.1, and notes who sent."""

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial

import anyio
from anyio.abc import ByteStream, SocketAttribute, SocketStream

GONE = (OSError, anyio.ClosedResourceError, anyio.BrokenResourceError)


@dataclass(frozen=True, slots=True)
class Relay:
    """Runs within its block; `sent` has the moment and the sender of all that went to the port."""

    origin: str
    sent: deque[tuple[float, str]] = field(default_factory=deque)

    def last(self, sender: str) -> float:
        """Return when an address has last sent anything."""
        return max((at for at, who in self.sent if who == sender), default=float("-inf"))

    def since(self, sender: str, begin: float) -> int:
        """Count how often an address has sent something since a moment."""
        return sum(who == sender and at > begin for at, who in self.sent)


@asynccontextmanager
async def relaying(host: str, port: int, *, lag: float = 0.0) -> AsyncIterator[Relay]:
    """Relay from a free port of `host` to one of 127.0.0.1; answers take `lag` seconds longer."""
    listener = await anyio.create_tcp_listener(local_host=host)
    relay = Relay(f"http://{host}:{listener.extra(SocketAttribute.local_port)}")  # noqa: S610  (no Django here)
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, partial(_relayed, relay, port, lag))
        yield relay
        tasks.cancel_scope.cancel()


async def _relayed(relay: Relay, port: int, lag: float, client: SocketStream) -> None:
    sender = str(client.extra(SocketAttribute.remote_address)[0])  # noqa: S610  (nor here)
    async with client:
        try:
            server = await anyio.connect_tcp("127.0.0.1", port)
        except OSError:
            return
        async with server, anyio.create_task_group() as tasks:
            tasks.start_soon(_carry, server, client, lag, tasks.cancel_scope)
            with suppress(*GONE):
                async for part in client:
                    relay.sent.append((anyio.current_time(), sender))
                    await server.send(part)
            tasks.cancel_scope.cancel()


async def _carry(
    source: ByteStream, to: ByteStream, lag: float, both: anyio.CancelScope
) -> None:
    with suppress(*GONE):
        async for part in source:
            await anyio.sleep(lag)
            await to.send(part)
    both.cancel()
