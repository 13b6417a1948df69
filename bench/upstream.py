"""A provider that holds every look until it is told a state: the least that can stand between.

It speaks as much of aimlapi-luma as the daemon needs, and notes when each answer left.
"""

import asyncio
import re
import time
from collections import defaultdict

ID = re.compile(rb"generation_id=([\w-]+)")


class Upstream(asyncio.Protocol):
    """One connection. `held` are the connections that wait, by generation."""

    held: dict[str, "Upstream"]
    states: dict[str, str]
    left_at: dict[tuple[str, str], float]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport to answer on."""
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]  # TCP's is one

    def data_received(self, data: bytes) -> None:
        """Hold the look, or answer one whose state is known already."""
        found = ID.search(data)
        if found:
            self.held[found[1].decode()] = self

    def answer(self, id_: str, state: str) -> None:
        """Answer the held look."""
        body = b'{"id":"%s","state":"%s"}' % (id_.encode(), state.encode())
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
        self.left_at[id_, state] = time.perf_counter()
        self.transport.write(head % len(body) + body)


class Receiver(asyncio.Protocol):
    """One connection of a webhook; `came` are the moments of first bytes, with what they were."""

    came: dict[tuple[str, str], float]
    WANTED = re.compile(rb'"generation_id":"([\w-]+)","state":"(\w+)"')

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport to answer on."""
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]  # TCP's is one
        self.pending = b""
        self.first = 0.0

    def data_received(self, data: bytes) -> None:
        """Note the moment of the first byte; answer once the event is known."""
        self.first = self.first or time.perf_counter()
        self.pending += data
        found = self.WANTED.search(self.pending)
        if found and self.pending.endswith(b"}}"):
            self.came[found[1].decode(), found[2].decode()] = self.first
            self.pending, self.first = b"", 0.0
            self.transport.write(b"HTTP/1.1 204 No Content\r\n\r\n")


class Stage:
    """Both of them, listening on loopback."""

    def __init__(self) -> None:
        self.held: dict[str, Upstream] = {}
        self.left_at: dict[tuple[str, str], float] = {}
        self.came: dict[tuple[str, str], float] = defaultdict(float)
        self.upstream = ""
        self.receiver = ""

    async def open(self) -> None:
        """Begin to listen."""
        loop = asyncio.get_running_loop()
        upstream = type(
            "_Upstream", (Upstream,), {"held": self.held, "left_at": self.left_at}
        )
        receiver = type("_Receiver", (Receiver,), {"came": self.came})
        servers = [
            await loop.create_server(kind, "127.0.0.1", 0, backlog=4096)
            for kind in (upstream, receiver)
        ]
        urls = [f"http://127.0.0.1:{s.sockets[0].getsockname()[1]}" for s in servers]
        self.upstream, self.receiver = urls[0], f"{urls[1]}/hook"

    async def holding(self, ids: list[str]) -> None:
        """Wait until every generation's look is held."""
        while not all(id_ in self.held for id_ in ids):
            await asyncio.sleep(0.002)

    def advance(self, id_: str, state: str) -> None:
        """Let a generation reach a state: its held look is answered."""
        self.held.pop(id_).answer(id_, state)
