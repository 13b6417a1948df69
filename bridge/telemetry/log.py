"""The log: fixed phrases with fields, one a line, on stderr."""

import logging
import os
import re
import sys
from collections.abc import Callable, Mapping, MutableMapping
from datetime import UTC
from functools import partial
from threading import Lock
from typing import IO, Any, Protocol, TypeAlias

import structlog

from bridge.core.ports import Clock, Log
from bridge.telemetry.lines import journal_line, json_line, text_line
from bridge.telemetry.repeats import Repeats

Entry: TypeAlias = MutableMapping[str, Any]
Line: TypeAlias = Callable[[Mapping[str, Any]], bytes]

LEVELS = ("debug", "info", "warning", "error")

_URL = re.compile(r"""(?i)\b(https?)://([^\s/?#"'<>\\]*)([^\s"'<>]*)""")
_DEEPEST = 8
_OWN = ("time", "level", "event")


class Stream(Protocol):
    """What the log is written to, such as `sys.stderr`."""

    @property
    def buffer(self) -> IO[bytes]:
        """Where bytes go."""
        ...

    def isatty(self) -> bool:
        """Whether a person may be reading."""
        ...


def open_log(
    clock: Clock,
    *,
    level: str = "info",
    stream: Stream = sys.stderr,
    environment: Mapping[str, str] = os.environ,
) -> Log:
    """Return the log. `level` is the least that is written, one of LEVELS.

    On a terminal it is coloured text (`NO_COLOR`: without colours), for the journal JSON with
    priorities, else JSON. URLs are shown as `scheme://host/…`, wherever they stand. Warnings about
    the same webhook are written once a minute, with a count. A line that cannot be written is
    lost: no log is worth a delivery.
    """
    logger: Log = structlog.wrap_logger(
        Writer(stream.buffer),
        processors=[
            structlog.processors.add_log_level,
            Sparing(Repeats(clock)),
            structlog.processors.format_exc_info,
            partial(_finished, clock=clock),
            partial(_rendered, line=line_for(stream, environment)),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
    ).bind()
    return logger


def adopt(log: Log) -> None:
    """Send what libraries log and warn about through our log, from `warning` up."""
    root = logging.getLogger()
    root.handlers = [Adopted(log)]
    root.setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)


def line_for(stream: Stream, environment: Mapping[str, str]) -> Line:
    """Return how lines look on this stream."""
    if stream.isatty():
        return partial(text_line, colour=not environment.get("NO_COLOR"))
    return journal_line if _is_journal(stream, environment) else json_line


def masked(text: str) -> str:
    """Return the text with each URL in it as `scheme://host/…`: paths and queries hold secrets."""
    return _URL.sub(_mask, text) if "://" in text else text


class Writer:
    """Writes lines, whole ones, from any thread."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._lock = Lock()

    def msg(self, line: bytes) -> None:
        """Write one line; nothing happens where that is impossible (disk full, reader gone)."""
        with self._lock:
            try:
                self._file.write(line)
                self._file.flush()
            except (OSError, ValueError):
                return

    debug = info = warning = error = critical = msg


class Sparing:
    """Drops warnings that repeat themselves about one webhook."""

    def __init__(self, repeats: Repeats) -> None:
        self._repeats = repeats

    def __call__(self, _logger: object, level: str, entry: Entry) -> Entry:
        """Return the entry, with `repeated` where others were dropped; else raise DropEvent."""
        if level != "warning" or "webhook" not in entry:
            return entry
        unwritten = self._repeats.unwritten((entry["event"], entry["webhook"]))
        if unwritten is None:
            raise structlog.DropEvent
        return {**entry, "repeated": unwritten} if unwritten else entry


class Adopted(logging.Handler):
    """Hands on what a library logs."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record's message as a warning or an error of the library's name."""
        say = self._log.error if record.levelno >= logging.ERROR else self._log.warning
        fields = {"exc_info": record.exc_info} if record.exc_info else {}
        say("library", library=record.name, message=record.getMessage(), **fields)


def _finished(_logger: object, _level: str, entry: Entry, *, clock: Clock) -> Entry:
    """Return the entry in its fixed order and made of JSON values only."""
    now = clock.now().astimezone(UTC).isoformat(timespec="milliseconds")
    head = {
        "time": now.replace("+00:00", "Z"),
        "level": entry["level"],
        "event": _plain(entry["event"]),
    }
    fields = {key: _plain(value) for key, value in entry.items() if key not in _OWN}
    return {**head, **fields}


def _rendered(_logger: object, _level: str, entry: Entry, *, line: Line) -> bytes:
    return line(entry)


def _plain(value: object, depth: int = _DEEPEST) -> object:
    """Return the value as JSON knows it, URLs masked."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping) and depth:
        return {masked(str(k)): _plain(v, depth - 1) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset) and depth:
        return [_plain(item, depth - 1) for item in value]
    return masked(str(value))


def _mask(match: re.Match[str]) -> str:
    scheme, authority, rest = match.groups()
    host = authority.rpartition("@")[2]
    return f"{scheme}://{host}/…" if rest not in ("", "/") else f"{scheme}://{host}{rest}"


def _is_journal(stream: Stream, environment: Mapping[str, str]) -> bool:
    """Whether stderr is the very socket that the service manager connected to the journal."""
    named = environment.get("JOURNAL_STREAM")
    try:
        status = os.fstat(stream.buffer.fileno())
    except (OSError, ValueError):
        return False
    return named == f"{status.st_dev}:{status.st_ino}"
