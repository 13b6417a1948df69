import io
import json
import logging
import os
import socket
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any
from uuid import UUID

import pytest

from bridge.core.ports import Log
from bridge.telemetry.log import LEVELS, adopt, masked, open_log

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.time)

    def monotonic(self) -> float:
        return self.time


class Stream:
    def __init__(self, buffer: IO[bytes] | None = None, *, terminal: bool = False) -> None:
        self.buffer = buffer or io.BytesIO()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal

    def text(self) -> str:
        self.buffer.seek(0)
        return self.buffer.read().decode()

    def entries(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text().splitlines()]


def log_to(
    stream: Stream, *, clock: Clock | None = None, level: str = "info", **env: str
) -> Log:
    return open_log(clock or Clock(), stream=stream, level=level, environment=env)


@pytest.fixture
def stream() -> Stream:
    return Stream()


def test_an_entry_begins_with_time_level_and_event(stream: Stream) -> None:
    log_to(stream).info("state reached", source="luma", generation_id="1", attempt=2)
    assert stream.text() == (
        '{"time":"2026-11-21T12:00:00.000Z","level":"info","event":"state reached",'
        '"source":"luma","generation_id":"1","attempt":2}\n'
    )


@pytest.mark.parametrize("level", LEVELS)
def test_only_what_is_at_least_the_level_is_written(stream: Stream, level: str) -> None:
    log = log_to(stream, level=level)
    for say in (log.debug, log.info, log.warning, log.error):
        say("something")
    written = [entry["level"] for entry in stream.entries()]
    assert written == list(LEVELS[LEVELS.index(level) :])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://hooks.slack.com/services/T0/B0/xyz", "https://hooks.slack.com/…"),
        ("HTTP://user:pass@h.example:8080/a?b=c", "HTTP://h.example:8080/…"),
        ("https://h.example?token=1", "https://h.example/…"),
        ("https://h.example", "https://h.example"),
        ("see https://h.example/secret, twice http://o.example/x.", None),
        ("https://h.example/a\\b", "https://h.example/…"),
        ("ftp://h.example/a", "ftp://h.example/a"),
        ("12:30", "12:30"),
    ],
)
def test_of_a_url_only_scheme_and_host_are_shown(text: str, shown: str | None) -> None:
    if shown is None:
        assert "secret" not in masked(text)
        assert "/x" not in masked(text)
    else:
        assert masked(text) == shown


def test_urls_are_masked_wherever_they_stand(stream: Stream) -> None:
    url = "https://h.example/CANARY"
    error = ValueError(url)
    log_to(stream).error(
        f"cannot post to {url}",
        url=url,
        error=error,
        deep={"list": [url, (url,)], url: 1},
        exc_info=error,
    )
    assert "exception" in stream.entries()[0]
    assert "CANARY" not in stream.text()


def test_any_value_can_be_a_field(stream: Stream) -> None:
    log_to(stream).info(
        "odd values",
        uid=UUID(int=1),
        wait=timedelta(seconds=90),
        none=None,
        surrogate="\ud800",
        nan=float("nan"),
        level="a field of ours",
    )
    entry = stream.entries()[0]
    assert entry["uid"] == "00000000-0000-0000-0000-000000000001"
    assert entry["wait"] == "0:01:30"
    assert entry["none"] is entry["nan"] is None
    assert entry["surrogate"] == "\ufffd"
    assert entry["level"] == "info"


def test_a_failing_webhook_gets_one_line_a_minute(stream: Stream) -> None:
    clock = Clock()
    log = log_to(stream, clock=clock)
    for second in range(0, 70, 10):
        clock.time = float(second)
        log.warning("attempt failed", webhook="studio")
        log.warning("attempt failed", webhook="team")
    counts = [(e["webhook"], e.get("repeated")) for e in stream.entries()]
    assert counts == [("studio", None), ("team", None), ("studio", 5), ("team", 5)]


def test_errors_and_other_warnings_are_never_held_back(stream: Stream) -> None:
    log = log_to(stream)
    for _ in range(3):
        log.error("delivery given up", webhook="studio")
        log.warning("unknown state", source="luma")
    assert len(stream.entries()) == 6


def test_a_terminal_gets_coloured_text() -> None:
    stream = Stream(terminal=True)
    log_to(stream).info("ready", sources=2)
    assert stream.text().startswith("\x1b[2m12:00:00.000\x1b[0m \x1b[32minfo")


def test_no_color_takes_the_colours_away() -> None:
    stream = Stream(terminal=True)
    log_to(stream, NO_COLOR="1").info("ready", sources=2)
    assert stream.text().split() == ["12:00:00.000", "info", "ready", "sources=2"]


def test_the_journal_gets_priorities_when_it_is_named_by_device_and_inode() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, os.fdopen(os.dup(ours.fileno()), "wb") as file:
        status = os.fstat(ours.fileno())
        log = log_to(Stream(file), JOURNAL_STREAM=f"{status.st_dev}:{status.st_ino}")
        log.error("the store failed")
        assert theirs.recv(1000).startswith(b'<3>{"time"')


def test_another_stream_than_the_journal_gets_no_priorities(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w+b") as file:
        stream = Stream(file)
        status = os.fstat(file.fileno())
        log_to(stream, JOURNAL_STREAM=f"{status.st_dev}:{status.st_ino + 1}").error("x")
        assert stream.entries()[0]["event"] == "x"


@pytest.mark.parametrize("error", [OSError(28, "disk full"), ValueError("closed file")])
def test_a_line_that_cannot_be_written_is_lost_without_a_word(error: Exception) -> None:
    class Broken(io.BytesIO):
        def write(self, _data: object) -> int:
            raise error

    log_to(Stream(Broken())).error("the store failed")


@pytest.fixture
def _as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)


@pytest.mark.usefixtures("_as_it_was")
def test_what_libraries_log_is_in_the_log(stream: Stream) -> None:
    adopt(log_to(stream))
    library = logging.getLogger("some.library")
    library.info("not worth it")
    library.warning("slow %s", "https://h.example/CANARY")
    library.error("broken", exc_info=KeyError("lost"))
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old ways", stacklevel=1)
    first, second, third = stream.entries()
    assert (first["level"], first["library"]) == ("warning", "some.library")
    assert first["message"] == "slow https://h.example/…"
    assert second["level"] == "error"
    assert "KeyError: 'lost'" in second["exception"]
    assert "old ways" in third["message"]
