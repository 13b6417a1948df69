import os
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest
import trio.testing

from bridge.telemetry.notify import Notifier
from tests.fakes.clock import VirtualClock


class Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.time, UTC)

    def monotonic(self) -> float:
        return self.time


class Manager:
    """A service manager: a datagram socket at a path, or an abstract one."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.bind("\0" + address[1:] if address[0] == "@" else address)

    def heard(self) -> list[str]:
        datagrams = []
        while True:
            try:
                datagrams.append(self.socket.recv(4096).decode())
            except BlockingIOError:
                return datagrams


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    path = str(tmp_path / "notify")
    manager = Manager(path if request.param == "path" else f"@genbridge-test-{os.getpid()}")
    yield manager
    manager.socket.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def notifier(manager: Manager, clock: Clock) -> Notifier:
    return Notifier.from_environment(clock, {"NOTIFY_SOCKET": manager.address})


def test_ready_comes_with_a_status(manager: Manager, notifier: Notifier) -> None:
    notifier.ready("watching 812")
    assert manager.heard() == ["READY=1\nSTATUS=watching 812"]


def test_a_reload_names_its_moment_in_the_same_datagram(
    manager: Manager, notifier: Notifier
) -> None:
    before = time.monotonic_ns() // 1000
    notifier.reloading()
    [datagram] = manager.heard()
    first, second = datagram.split("\n")
    assert first == "RELOADING=1"
    assert (
        before <= int(second.removeprefix("MONOTONIC_USEC=")) <= time.monotonic_ns() // 1000
    )


def test_the_end_and_the_beat_are_told(manager: Manager, notifier: Notifier) -> None:
    notifier.beat()
    notifier.stopping()
    assert manager.heard() == ["WATCHDOG=1", "STOPPING=1"]


def test_a_status_is_told_at_most_once_a_second(
    manager: Manager, notifier: Notifier, clock: Clock
) -> None:
    for tenth in range(21):
        clock.time = tenth / 10
        notifier.status(f"at {tenth}")
    assert manager.heard() == ["STATUS=at 0", "STATUS=at 10", "STATUS=at 20"]


def test_what_a_reload_came_to_is_told_even_right_after_a_status(
    manager: Manager, notifier: Notifier
) -> None:
    notifier.status("watching 812")
    notifier.ready("reloaded")
    assert manager.heard()[-1] == "READY=1\nSTATUS=reloaded"


def test_a_status_cannot_smuggle_in_another_variable(
    manager: Manager, notifier: Notifier
) -> None:
    notifier.status("reload refused: a\nREADY=1\r\nERRNO=2")
    assert manager.heard() == ["STATUS=reload refused: a READY=1 ERRNO=2"]


def test_without_a_manager_nothing_is_told_and_nothing_fails(clock: Clock) -> None:
    for environment in ({}, {"NOTIFY_SOCKET": ""}, {"WATCHDOG_USEC": "30000000"}):
        notifier = Notifier.from_environment(clock, environment)
        assert notifier.beat_every is None
        notifier.ready("x")
        notifier.stopping()


def test_a_manager_that_is_gone_is_no_trouble_of_ours(clock: Clock, tmp_path: Path) -> None:
    for address in (str(tmp_path / "nobody"), "x" * 300, "@nobody-listens-here"):
        Notifier(clock, address=address).ready("x")


@pytest.mark.parametrize(
    ("environment", "every"),
    [
        ({"WATCHDOG_USEC": "30000000"}, timedelta(seconds=10)),
        (
            {"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())},
            timedelta(seconds=10),
        ),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_is_beaten_three_times_in_its_patience(
    clock: Clock, environment: dict[str, str], every: timedelta | None
) -> None:
    environment = {"NOTIFY_SOCKET": "@genbridge-nobody", **environment}
    assert Notifier.from_environment(clock, environment).beat_every == every


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return ("trio", {"clock": trio.testing.MockClock(autojump_threshold=0)})


@pytest.mark.anyio
async def test_the_watchdog_hears_nothing_while_something_is_stuck(
    manager: Manager,
) -> None:
    notifier = Notifier(
        VirtualClock(), address=manager.address, beat_every=timedelta(seconds=10)
    )
    with anyio.move_on_after(95):
        await notifier.keep_beating(alive=lambda: not 20 <= anyio.current_time() < 50)
    assert len(manager.heard()) == 7, "at 0, 10, 50 … 90 s"


@pytest.mark.anyio
async def test_without_a_watchdog_the_beating_ends_at_once(manager: Manager) -> None:
    await Notifier(VirtualClock(), address=manager.address).keep_beating(alive=lambda: True)
    assert manager.heard() == []
