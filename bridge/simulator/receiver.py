"""A webhook receiver on the loopback address: it verifies, keeps what it got, answers as told."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Self

import anyio
from aiohttp import web

from bridge.core.delivering.signing import Key
from bridge.core.ports import Clock
from bridge.simulator.exchange import Document, read_object
from bridge.simulator.lines import event_line, plain
from bridge.simulator.seal import Seal, examine
from bridge.simulator.serving import LoopbackServer


@dataclass(frozen=True, slots=True, kw_only=True)
class Scripted:
    """An answer, given after a pause of so many seconds."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    pause: float = 0.0


UNVERIFIED = Scripted(status=401, body=b'{"error": "signature"}')
"""The answer to what does not verify; it uses up no scripted one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A request as it arrived, what its signature was worth, and the status it is answered with.

    `headers` has lower-case names.
    """

    at: datetime
    method: str
    path: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    seal: Seal
    status: int

    @property
    def accepted(self) -> bool:
        """Whether the sender may count it as delivered."""
        return 200 <= self.status < 300

    @property
    def document(self) -> Document | None:
        """The body as a JSON object, None where it is none."""
        return read_object(self.body)

    @property
    def line(self) -> str:
        """The delivery as one line of plain text."""
        attempt = self.headers.get("webhook-attempt", "?")
        told = f"attempt {attempt}, {self.seal} → {self.status}"
        return plain(f"{self.at:%H:%M:%S} {event_line(self.document)}, {told}")


class Receiver:
    """Receives while its block is open.

    `answers` are used up one by one by what verifies, then `otherwise` is given. Without keys
    nothing is checked. `on_delivery` is called with each delivery before it is answered; the
    last `keep` deliveries are kept, None: all.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        keys: Sequence[Key] = (),
        answers: Iterable[Scripted | int] = (),
        otherwise: Scripted | int = 200,
        port: int = 0,
        on_delivery: Callable[[Received], object] | None = None,
        keep: int | None = None,
    ) -> None:
        self.answers = deque(answers)
        self.otherwise = otherwise
        self.deliveries: deque[Received] = deque(maxlen=keep)
        self._clock = clock
        self._keys = keys
        self._on_delivery = on_delivery
        self._news = anyio.Event()
        self._server = LoopbackServer(self._handle, port=port)

    async def __aenter__(self) -> Self:
        await self._server.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._server.__aexit__(kind, error, traceback)

    @property
    def url(self) -> str:
        """Where to post; any other path is served as well."""
        return f"{self._server.origin}/webhook"

    @property
    def accepted(self) -> list[Received]:
        """The deliveries that were answered 2xx, in order."""
        return [received for received in self.deliveries if received.accepted]

    async def wait(self, enough: Callable[["Receiver"], bool]) -> None:
        """Wait until there is enough; asked again at each delivery."""
        while not enough(self):
            await self._news.wait()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.content.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        now = self._clock.now()
        seal = examine(headers, body, self._keys, now)
        answer = self._next() if seal.good else UNVERIFIED
        received = Received(
            at=now,
            method=request.method,
            path=request.raw_path,
            headers=headers,
            body=body,
            seal=seal,
            status=answer.status,
        )
        self._keep(received)
        await anyio.sleep(answer.pause)
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)

    def _next(self) -> Scripted:
        chosen = self.answers.popleft() if self.answers else self.otherwise
        return Scripted(status=chosen) if isinstance(chosen, int) else chosen

    def _keep(self, received: Received) -> None:
        self.deliveries.append(received)
        if self._on_delivery is not None:
            self._on_delivery(received)
        self._news.set()
        self._news = anyio.Event()


async def serve(
    *,
    clock: Clock,
    port: int,
    say: Callable[[str], object],
    keys: Sequence[Key] = (),
    status: int = 200,
) -> None:
    """Receive until cancelled; tell where, then a line per delivery.

    Raises StartError where the port cannot be had.
    """
    async with Receiver(
        clock=clock,
        keys=keys,
        otherwise=status,
        port=port,
        on_delivery=lambda received: say(received.line),
        keep=0,
    ) as receiver:
        say(f"listening on {receiver.url}")
        await anyio.sleep_forever()
