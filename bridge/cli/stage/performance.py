"""The performance: everything is started, watched until its end, judged and ended."""

import secrets
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import anyio
from anyio.abc import Process

from bridge.cli.stage.callback import callback
from bridge.cli.stage.child import daemon
from bridge.cli.stage.critic import Critic
from bridge.cli.stage.curtain import Curtain
from bridge.cli.stage.play import ROLES, SEATS, Place, Seat, begin, configuration
from bridge.cli.stage.programme import Programme
from bridge.core.delivering.signing import KEY_BYTES, new_key, read_key
from bridge.simulator.receiver import Received, Receiver
from bridge.simulator.upstream import Upstream
from bridge.telemetry.clock import SystemClock

LONGEST = 12.0
"""Seconds after which the demo has failed; with its end it stays below 15."""


class Performance:
    """One run of the demo in a folder of its own; `passed` is its outcome.

    `keep` is an address for the daemon to listen at: after a good end everything goes on until it
    is cancelled.
    """

    def __init__(
        self, folder: Path, programme: Programme, *, keep: str | None = None
    ) -> None:
        self.passed = False
        self._folder = folder
        self._config = folder / "config.yaml"
        self._log = folder / "genbridge.log"
        self._programme = programme
        self._keep = keep
        self._clock = SystemClock()
        self._began = self._clock.monotonic()
        self._critic = Critic()
        self._news: anyio.Event | None = None

    async def play(self) -> None:
        """Play it to its end, and say how it went."""
        self._news = anyio.Event()
        async with AsyncExitStack() as stack:
            curtain = Curtain(self._clock)
            upstream = await stack.enter_async_context(Upstream(clock=curtain))
            places = {seat.name: await self._seated(stack, seat) for seat in SEATS}
            self._configure(upstream, places)
            curtain.ready()
            process = await stack.enter_async_context(daemon(self._config, self._log))
            with anyio.move_on_after(LONGEST):
                await self._watched(process)
            seconds = self._clock.monotonic() - self._began
            if self._keep is not None and not self._faults():
                await self._kept(process, upstream, places, seconds)
        self._conclude(process.returncode, seconds)

    async def _seated(self, stack: AsyncExitStack, seat: Seat) -> Place:
        key = read_key(new_key(secrets.token_bytes(KEY_BYTES)))
        receiver = Receiver(
            clock=self._clock,
            keys=[key],
            answers=seat.answers,
            otherwise=seat.otherwise,
            on_delivery=partial(self._see, seat),
            keep=0,
        )
        await stack.enter_async_context(receiver)
        return Place(url=receiver.url, key=key)

    def _configure(self, upstream: Upstream, places: Mapping[str, Place]) -> None:
        text = configuration(
            folder=self._folder,
            listen=self._keep or "off",
            sources={role.source: upstream.url(role.source) for role in ROLES},
            places=places,
            watches=begin(upstream),
        )
        self._config.write_text(text, encoding="utf-8")

    def _see(self, seat: Seat, received: Received) -> None:
        seen = callback(seat.name, seat.format, received)
        self._critic.see(seen)
        self._programme.show(received.at, seen)
        if self._news is not None:
            self._news.set()
            self._news = anyio.Event()

    async def _watched(self, process: Process) -> None:
        """Wait until all callbacks have come, or none can come any more."""
        async with anyio.create_task_group() as tasks:

            async def give_up_with_the_daemon() -> None:
                await process.wait()
                tasks.cancel_scope.cancel()

            tasks.start_soon(give_up_with_the_daemon)
            while self._news is not None and not self._critic.complete:
                await self._news.wait()
            tasks.cancel_scope.cancel()

    async def _kept(
        self,
        process: Process,
        upstream: Upstream,
        places: Mapping[str, Place],
        seconds: float,
    ) -> None:
        self.passed = True
        self._programme.praise(self._critic.verdict(seconds))
        self._programme.invite(
            {
                "simulated APIs": upstream.apis.origin,
                **{f"receiver {name}": place.url for name, place in places.items()},
                "daemon": f"http://{self._keep}/readyz, process {process.pid}",
                "configuration": str(self._config),
                "log": str(self._log),
            }
        )
        await process.wait()

    def _faults(self) -> Sequence[str]:
        return [*self._critic.missing(), *self._critic.faults()]

    def _conclude(self, code: int | None, seconds: float) -> None:
        faults = [*self._faults()]
        if code != 0:
            faults.append(f"the daemon ended with exit code {code}, where 0 was expected")
        if faults:
            self._programme.blame(faults, self._log.read_text("utf-8", "replace"))
        elif not self.passed:
            self._programme.praise(self._critic.verdict(seconds))
        self.passed = not faults
