"""The killing: a daemon is begun and killed again and again while generations go their way."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import anyio
from anyio.abc import Process, UNIXDatagramSocket
from anyio.streams.buffered import BufferedByteReceiveStream

from bench.crash.audit import Findings, Post, audit, repetitions
from bridge.core.delivering.signing import KEY_BYTES, new_key, read_key
from bridge.simulator.receiver import Received, Receiver
from bridge.simulator.upstream import Upstream
from bridge.telemetry.clock import SystemClock

HOOKS = ("a", "b")
START = 20.0
"""Seconds that a start may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How often to kill whom. Spans are in seconds.

    `window` is the latest moment of a kill after the daemon is ready, and the longest time that a
    generation spends in a state. One kill in five falls into the start. `refuse` is the share of
    posts that are answered 503. `main` is what to run, as MODULE:FUNCTION; `processes`: with a
    fresh interpreter each time.
    """

    kills: int = 1000
    window: float = 0.2
    settle: float = 60.0
    refuse: float = 0.1
    seed: int = 7
    main: str = "bridge.__main__:main"
    processes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came of it. `alone` counts daemons that had ended before they were killed."""

    kills: int
    generations: int
    accepted: int
    repeated: int
    unready: int
    alone: int
    seconds: float
    findings: Findings
    log: str

    @property
    def clean(self) -> bool:
        """Whether every promise was kept, and nobody died of anything but a kill."""
        return self.findings.clean and not self.alone and not self.unready

    @property
    def line(self) -> str:
        """The report as one line of JSON."""
        flat = asdict(self)
        found = flat.pop("findings")
        del flat["log"]
        return json.dumps({**flat, "seconds": round(self.seconds, 1), **found})


async def killed(plan: Plan) -> Report:
    """Carry out a plan."""
    began = time.monotonic()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        scene = await stack.enter_async_context(opened(plan, folder))
        for number in range(plan.kills):
            scene.release(1 + number % 2)
            await scene.life()
        await scene.finish()
    return Report(
        kills=plan.kills,
        generations=len(scene.ids),
        accepted=len(scene.posts),
        repeated=repetitions(scene.posts),
        unready=scene.unready,
        alone=scene.alone,
        seconds=time.monotonic() - began,
        findings=audit(scene.posts, generations=scene.ids, webhooks=HOOKS),
        log=scene.log,
    )


@asynccontextmanager
async def opened(plan: Plan, folder: Path) -> AsyncIterator["Scene"]:
    """Serve upstream and receiver, listen to the daemon, keep a zygote ready."""
    scene = Scene(plan, folder)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(scene.upstream)
        await stack.enter_async_context(scene.receiver)
        scene.bell = await stack.enter_async_context(
            await anyio.create_unix_datagram_socket(local_path=folder / "notify")
        )
        scene.errors = stack.enter_context((folder / "log").open("ab"))
        if not plan.processes:
            scene.zygote = await stack.enter_async_context(
                await anyio.open_process(
                    [sys.executable, "-m", "bench.crash.zygote", plan.main],
                    stderr=scene.errors,
                    env=scene.environment,
                )
            )
            assert scene.zygote.stdout is not None
            scene.answers = BufferedByteReceiveStream(scene.zygote.stdout)
        yield scene
        scene.log = (folder / "log").read_text("utf-8", "replace")[-4000:]
        if scene.zygote is not None:
            scene.zygote.kill()


class Scene:
    """One upstream, one receiver, one database, and one daemon after the other."""

    bell: UNIXDatagramSocket
    errors: Any
    answers: BufferedByteReceiveStream
    zygote: Process | None = None

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.ids: list[str] = []
        self.posts: list[Post] = []
        self.unready = 0
        self.alone = 0
        self.log = ""
        self._plan = plan
        self._chance = Random(plan.seed)
        self._config = folder / "config.yaml"
        self._starts = [0.1]
        self._key = read_key(new_key(self._chance.randbytes(KEY_BYTES)))
        self.environment = {**os.environ, "NOTIFY_SOCKET": str(folder / "notify")}
        clock = SystemClock()
        self.upstream = Upstream(clock=clock)
        self.receiver = Receiver(
            clock=clock, keys=[self._key], on_delivery=self._see, keep=0
        )

    def _see(self, received: Received) -> None:
        """Keep what is accepted, and draw what the next post is answered with."""
        refused = self._chance.random() < self._plan.refuse
        self.receiver.otherwise = 503 if refused else 200
        if received.status == 503 or received.document is None:
            return
        data = received.document["data"]
        post = Post(
            webhook=received.path.rpartition("/")[2],
            generation=data["generation_id"],
            state=data["state"],
            skipped=tuple(data["skipped_states"]),
            uid=received.headers["webhook-id"],
            signed=received.seal.good,
        )
        self.posts.append(post)

    def release(self, count: int) -> None:
        """Begin new generations, and name them in the configuration."""
        for _ in range(count):
            spans = [self._chance.uniform(0, self._plan.window) for _ in range(2)]
            script = (("queued", spans[0]), ("dreaming", spans[1]), ("completed", None))
            # Its time begins about when the daemon is ready: then each of its steps is seen.
            soon = self._chance.uniform(0.0, 1.5) * median(self._starts)
            self.ids.append(self.upstream.add("aimlapi-luma", script=script, age=-soon))
        self._config.write_text(json.dumps(self._settings()))

    def _settings(self) -> dict[str, Any]:
        hook = {
            "secret": self._key.text,
            "retry": {"schedule": ["50ms"] * 100, "jitter": 0.2},
            "rate_limit": "5000/s",
        }
        aiml = {
            "provider": "aimlapi-luma",
            "api_key": "k",
            "base_url": self.upstream.url("aimlapi-luma"),
            "rate_limit": "5000/s",
        }
        origin = self.receiver.url.rpartition("/")[0]
        return {
            "database": str(self._config.with_name("genbridge.db")),
            "server": {"listen": "off"},
            "network": {"allow": ["127.0.0.0/8"]},
            "sources": {"aiml": aiml},
            "webhooks": {name: {"url": f"{origin}/{name}", **hook} for name in HOOKS},
            "watches": [{"source": "aiml", "ids": self.ids}],
        }

    async def life(self) -> None:
        """Begin a daemon and kill it at a random moment."""
        began, handle = time.monotonic(), await self._begun()
        if self._chance.random() < 0.2:
            await anyio.sleep(self._chance.uniform(0, median(self._starts)))
        else:
            if await self._ready():
                self._starts = [*self._starts, time.monotonic() - began][-50:]
            else:
                self.unready += 1
            await anyio.sleep(self._chance.uniform(0, self._plan.window))
        await self._end(handle)

    async def finish(self) -> None:
        """Run until every end was told everywhere, or patience is over."""
        handle = await self._begun()
        with anyio.move_on_after(self._plan.settle):
            due = len(self.ids) * len(HOOKS)
            while len(self._ends()) < due:
                await anyio.sleep(0.05)
            await anyio.sleep(0.5)  # for what comes too much
        await self._end(handle)

    def _ends(self) -> set[tuple[str, str]]:
        return {(p.webhook, p.generation) for p in self.posts if p.state == "completed"}

    async def _begun(self) -> int:
        """Begin a daemon; return a handle of the process (see pidfd_open(2))."""
        arguments = ["run", "-c", str(self._config)]
        if self.zygote is None:
            command = [sys.executable, "-m", "bridge", *arguments]
            process = subprocess.Popen(  # noqa: ASYNC220  (a fork; its end is awaited elsewhere)
                command,
                stdin=subprocess.DEVNULL,
                stdout=self.errors,
                stderr=self.errors,
                env=self.environment,
            )
            self._process = process
            return os.pidfd_open(process.pid)
        assert self.zygote.stdin is not None
        await self.zygote.stdin.send(json.dumps(arguments).encode() + b"\n")
        return os.pidfd_open(int(await self.answers.receive_until(b"\n", 64)))

    async def _ready(self) -> bool:
        """Wait for READY=1; return whether it came."""
        with anyio.move_on_after(START):
            while True:
                text, _sender = await self.bell.receive()
                if b"READY=1" in text:
                    return True
        return False

    async def _end(self, handle: int) -> None:
        """Kill, wait until it is dead, and forget what it still said."""
        with anyio.move_on_after(0):
            await anyio.wait_readable(handle)
            self.alone += 1
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        await anyio.wait_readable(handle)
        os.close(handle)
        if self.zygote is None:
            self._process.wait()
        with anyio.move_on_after(0.001):
            while True:
                await self.bell.receive()
