"""A cheap receiver in a process of its own: 204 to every POST, GET tells how many there were.

usage: python -m bench.receiver [--port 0] [--status 204] [--delay 0]    prints its port
"""

import argparse
import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import uvloop

_END = b"\r\n\r\n"


class Receiver(asyncio.Protocol):
    """Answers whatever is complete; reads no more of a head than its length."""

    posts = 0
    answer = b""
    delay = 0.0

    def __init__(self) -> None:
        self._pending = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport to answer on."""
        self._transport = transport  # type: ignore[assignment]  # a TCP server's is one

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole."""
        self._pending += data
        while (end := self._pending.find(_END)) >= 0:
            head = self._pending[:end].lower()
            whole = end + len(_END) + _length(head)
            if len(self._pending) < whole:
                return
            self._pending = self._pending[whole:]
            self._reply(head)

    def _reply(self, head: bytes) -> None:
        if head.startswith(b"get "):
            count = str(Receiver.posts).encode()
            self._write(
                b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(count), count)
            )
            return
        Receiver.posts += 1
        if self.delay:
            asyncio.get_running_loop().call_later(self.delay, self._write, self.answer)
        else:
            self._write(self.answer)

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)


def _length(head: bytes) -> int:
    start = head.find(b"content-length:")
    return 0 if start < 0 else int(head[start + 15 :].split(b"\r\n", 1)[0])


@contextmanager
def running(*options: str) -> Iterator[int]:
    """Run a receiver in a process of its own; give its port."""
    command = [sys.executable, "-m", "bench.receiver", *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True
    ) as process:  # our own module
        if process.stdout is None:
            raise RuntimeError("no pipe")
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


async def _serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Receiver, "127.0.0.1", port, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)  # its whole output
    await server.serve_forever()


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--status", type=int, default=204)
    parser.add_argument(
        "--delay", type=float, default=0.0, help="seconds before each answer"
    )
    options = parser.parse_args()
    length = b"" if options.status == 204 else b"content-length: 0\r\n"
    Receiver.answer = b"HTTP/1.1 %d X\r\n%s\r\n" % (options.status, length)
    Receiver.delay = options.delay
    uvloop.run(_serve(options.port))


if __name__ == "__main__":
    main()
