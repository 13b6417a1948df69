"""Links to what a simulated generation has made: presigned, and dead after their life."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, unquote

from bridge.simulator.exchange import Call, Reply

FOLDER = "files"
"""The first path segment of every link."""

_STAMP = "%Y%m%dT%H%M%SZ"
_CONTENT = {
    "mp4": ("video/mp4", b"\0\0\0\x14ftypisom\0\0\0\0isom"),
    "mp3": ("audio/mpeg", b"ID3\x04\0\0\0\0\0\0"),
    "jpg": ("image/jpeg", b"\xff\xd8\xff\xd9"),
    "png": ("image/png", b"\x89PNG\r\n\x1a\n"),
    "webp": ("image/webp", b"RIFF\x04\0\0\0WEBP"),
}
_EXPIRED = (
    b'<?xml version="1.0" encoding="UTF-8"?>'
    b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"
)


def link(origin: str, name: str, *, issued: datetime, life: float) -> str:
    """Return a link that opens for `life` seconds from the whole second it was issued in."""
    stamp = issued.astimezone(UTC).strftime(_STAMP)
    return (
        f"{origin}/{FOLDER}/{quote(name, safe='')}"
        f"?X-Amz-Date={stamp}&X-Amz-Expires={max(1, round(life))}"
    )


def open_link(call: Call, now: datetime) -> Reply:
    """Return the file behind a link: 403 once it is dead, 404 where it was never made."""
    ends = _end(call.value("X-Amz-Date") or "", call.value("X-Amz-Expires") or "")
    name = unquote(call.path.removeprefix("/"))
    content = _CONTENT.get(name.rpartition(".")[2])
    if ends is None or content is None:
        return Reply(status=404, headers=(("content-type", "text/plain"),))
    if now >= ends:
        return Reply(
            status=403, headers=(("content-type", "application/xml"),), body=_EXPIRED
        )
    return _file(content)


def file_of(ending: str) -> Reply:
    """Return a file with this ending, wherever it is kept."""
    return _file(_CONTENT[ending])


def _file(content: tuple[str, bytes]) -> Reply:
    kind, body = content
    return Reply(headers=(("content-type", kind),), body=body)


def _end(stamp: str, life: str) -> datetime | None:
    if not re.fullmatch(r"\d{8}T\d{6}Z", stamp) or not re.fullmatch(r"\d{1,7}", life):
        return None
    try:
        issued = datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None
    return issued + timedelta(seconds=int(life))
