"""An API in a process of its own, which speaks as much of aimlapi-luma as looks need.

Nothing is over before `GET /go?seconds`: from then on each of the generations whose id begins with
`h` is completed at a moment of the next so many seconds, drawn by chance. A hold lasts until then,
30 s at most. `GET /held` counts the holds that are open, `GET /left` tells at which moment of the
machine's clock each answer left that said completed.

usage: python -m bench.looking.server      prints its port
"""

import asyncio
import json
import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import ClassVar
from urllib.request import urlopen

import uvloop

_ID = re.compile(rb"generation_ids?(?:\[\]|%5B%5D)?=([\w-]+)")
_GO = re.compile(rb"GET /go\?(\d+) ")

LIMIT = 30.0

_ONE = (
    b'{"id":"%s","state":"%s","created_at":"'
    + (datetime.now(UTC) - timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    + b'","model":"ray-2",'
    b'"failure_reason":null,"assets":{"video":%s},"request":{"prompt":"a lighthouse at dusk, seen '
    b'from the sea","aspect_ratio":"16:9","loop":false,"duration":"5s"}}'
)


class Api(asyncio.Protocol):
    """One connection."""

    ends: ClassVar[dict[bytes, float]] = {}
    spread = 0.0
    went = float("inf")
    left: ClassVar[dict[str, float]] = {}
    holding: ClassVar[dict["Api", tuple[bytes, float]]] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport to answer on."""
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]  # TCP's is one
        self._pending = b""
        self._timer: asyncio.TimerHandle | None = None

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Forget the hold."""
        Api.holding.pop(self, None)
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole."""
        self._pending += data
        while (end := self._pending.find(b"\r\n\r\n")) >= 0:
            head, self._pending = self._pending[:end], self._pending[end + 4 :]
            self._asked(head)

    def _asked(self, head: bytes) -> None:
        line = head[: head.find(b"\r\n")]
        ids = _ID.findall(line)
        if b"/generations?" in line:
            self._say(b"[%s]" % b",".join([self._told(one) for one in ids]))
        elif ids and b"state=" in line and self._ends(ids[0]) > time.monotonic():
            self.hold(ids[0], time.monotonic() + LIMIT)
        elif ids:
            self._say(self._told(ids[0]))
        elif b"/held" in line:
            self._say(b"%d" % len(Api.holding))
        elif b"/left" in line:
            self._say(json.dumps(Api.left).encode())
        elif go := _GO.match(line):
            Api.went, Api.spread = time.monotonic(), float(go[1])
            for api, (one, until) in list(Api.holding.items()):
                api.hold(one, until)
            self._say(b"0")

    @staticmethod
    def _ends(one: bytes) -> float:
        if not one.startswith(b"h") or not Api.spread:
            return float("inf")
        return Api.ends.setdefault(one, Api.went + random.uniform(0.0, Api.spread))

    def hold(self, one: bytes, until: float) -> None:
        """Answer when the generation is over, or at that moment."""
        if self._timer is not None:
            self._timer.cancel()
        Api.holding[self] = (one, until)
        wait = min(self._ends(one), until) - time.monotonic()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(max(0.0, wait), self._release, one)

    def _release(self, one: bytes) -> None:
        self._timer = None
        Api.holding.pop(self, None)
        # Timers may be a little early.
        soon = self._ends(one) < time.monotonic() + 0.005
        self._say(self._told(one, done=soon))

    def _told(self, one: bytes, *, done: bool = False) -> bytes:
        if done or self._ends(one) <= time.monotonic():
            Api.left.setdefault(one.decode(), time.monotonic())
            return _ONE % (one, b"completed", b'"https://cdn.example/%s.mp4"' % one)
        return _ONE % (one, b"dreaming", b"null")

    def _say(self, body: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
        self._transport.write(head % len(body) + body)


@contextmanager
def running() -> Iterator[str]:
    """Run it; give its URL."""
    command = [sys.executable, "-m", "bench.looking.server"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


def asked(url: str) -> bytes:
    """Return what an address answers."""
    with urlopen(url) as response:  # noqa: S310  (our own, on loopback)
        body: bytes = response.read()
        return body


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Api, "127.0.0.1", 0, backlog=8192)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve())
