"""Notification of the service manager, in systemd's protocol: datagrams of VARIABLE=value lines."""

import os
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Self

import anyio

from bridge.core.ports import Clock

STATUS_EVERY = 1.0
"""Seconds between two states in words: each wakes the service manager."""

_PATIENCE = 1.0
"""Seconds that a full queue at the service manager may hold us up."""


class Notifier:
    """Tells the service manager how we are; without one, every call does nothing.

    `address` is a path, or begins with `@` (an abstract socket). `beat_every` is how often
    the watchdog wants to hear from us, None: there is no watchdog. Trouble with the socket is
    never ours: nothing is raised.
    """

    def __init__(
        self, clock: Clock, *, address: str | None, beat_every: timedelta | None = None
    ) -> None:
        self.beat_every = beat_every if address else None
        self._clock = clock
        self._address = address
        self._said_at = float("-inf")

    @classmethod
    def from_environment(
        cls, clock: Clock, environment: Mapping[str, str] = os.environ
    ) -> Self:
        """Return a notifier as $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID ask for it."""
        address = environment.get("NOTIFY_SOCKET") or None
        return cls(clock, address=address, beat_every=_third(environment))

    def ready(self, status: str) -> None:
        """Say that work has begun, or goes on after a reload; `status` is a line for people."""
        self._send("READY=1", f"STATUS={_one_line(status)}")
        self._said_at = self._clock.monotonic()

    def reloading(self) -> None:
        """Say that the configuration is read anew; `ready` must follow, whatever comes of it."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """Say that the end has begun."""
        self._send("STOPPING=1")

    def status(self, text: str) -> None:
        """Say how we are, at most once a second; what comes sooner is dropped."""
        now = self._clock.monotonic()
        if now - self._said_at >= STATUS_EVERY:
            self._said_at = now
            self._send(f"STATUS={_one_line(text)}")

    def beat(self) -> None:
        """Tell the watchdog that we are alive."""
        self._send("WATCHDOG=1")

    async def keep_beating(self, *, alive: Callable[[], bool]) -> None:
        """Beat for ever, from this event loop, while all is alive; ends at once if unasked."""
        while self.beat_every is not None:
            if alive():
                self.beat()
            await anyio.sleep(self.beat_every.total_seconds())

    def _send(self, *lines: str) -> None:
        if self._address is None:
            return
        address = "\0" + self._address[1:] if self._address[0] == "@" else self._address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.settimeout(_PATIENCE)
            channel.connect(address)
            channel.send("\n".join(lines).encode())


def _third(environment: Mapping[str, str]) -> timedelta | None:
    """Return a third of the watchdog's patience, where it is this process that it watches."""
    usec, pid = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID")
    meant = pid in (None, "", str(os.getpid()))
    if not (meant and usec.isascii() and usec.isdigit() and int(usec)):
        return None
    return timedelta(microseconds=int(usec) / 3)


def _one_line(text: str) -> str:
    # A line break would begin another variable.
    return " ".join(text.split())
