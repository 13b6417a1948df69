"""A cheap provider in a process of its own, for plain looks: every id `gN` is queued.

From `GET /go?rate` on, `rate` of them a second begin to be processed, in the order of N. `GET
/count` tells how many looks there were.

usage: python -m bench.looked      prints its port
"""

import asyncio
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import urlopen

import uvloop

_LOOK = re.compile(rb"GET /generations/g(\d+) ")
_GO = re.compile(rb"GET /go\?(\d+) ")


class Upstream(asyncio.Protocol):
    """Answers whatever is complete."""

    looks = 0
    rate = 0
    since = float("inf")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport to answer on."""
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]  # TCP's is one
        self._pending = b""

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole."""
        self._pending += data
        while (end := self._pending.find(b"\r\n\r\n")) >= 0:
            head, self._pending = self._pending[:end], self._pending[end + 4 :]
            body = self._answer(head)
            self._transport.write(
                b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
                b"content-length: %d\r\n\r\n%s" % (len(body), body)
            )

    def _answer(self, head: bytes) -> bytes:
        if look := _LOOK.match(head):
            Upstream.looks += 1
            begins = Upstream.since + int(look[1]) / (Upstream.rate or 1)
            state = b"processing" if time.monotonic() >= begins else b"queued"
            return b'{"id":"g%s","state":"%s"}' % (look[1], state)
        if go := _GO.match(head):
            Upstream.rate, Upstream.since = int(go[1]), time.monotonic()
        return b"%d" % Upstream.looks


@contextmanager
def running() -> Iterator[str]:
    """Run it in a process of its own; give its URL."""
    command = [sys.executable, "-m", "bench.looked"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        if process.stdout is None:
            raise RuntimeError("no pipe")
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


def asked(url: str) -> int:
    """Return the number that an address answers with."""
    with urlopen(url) as response:  # noqa: S310  (our own, on loopback)
        return int(response.read())


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Upstream, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve())
