"""What a completed generation has made (PROVIDERS, rule 7)."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from bridge.core.looking import Output
from bridge.core.reading.links import is_link, later, link, link_end
from bridge.core.reading.places import Find
from bridge.core.text.cleantext import clean

MOST = 1_000
"""Outputs of one generation that are told; the rest stays in `raw`."""

_EXTENSIONS = {
    "video": "mp4 mov webm m4v mkv avi m3u8 mpg mpeg",
    "image": "png jpg jpeg webp gif avif heic heif bmp tif tiff svg exr",
    "audio": "mp3 wav ogg oga m4a flac aac opus aif aiff",
}
_TYPES = {end: kind for kind, ends in _EXTENSIONS.items() for end in ends.split()}


def outputs(
    found: object,
    *,
    observed_at: datetime,
    life: timedelta | None = None,
    needs_key: bool = False,
) -> tuple[Output, ...]:
    """Return the outputs that an API's place for them holds, in order, each link once.

    `found` is a list of links or of objects with `url`, perhaps `type` and `content_type`;
    or one of either. `life` is how long the API's links live where they do not say it
    themselves.
    """
    made: dict[str, Output] = {}
    for url, kind in _links(found):
        if url in made:
            continue
        if len(made) == MOST:
            break
        end = link_end(url) or (later(observed_at, life) if life else None)
        made[url] = Output(type=kind, url=url, needs_key=needs_key, expires_at=end)
    return tuple(made.values())


def every(find: Find) -> Find:
    """Return a finder for every link at any depth of what `find` finds, in order.

    A sibling `content_type` tells its type.
    """

    def found(document: Any) -> list[dict[str, Any]]:  # noqa: ANN401  (any document)
        links: list[dict[str, Any]] = []
        waiting: list[tuple[Any, Any]] = [(find(document), None)]
        while waiting and len(links) < MOST:
            value, content_type = waiting.pop()
            if is_link(value):
                links.append({"url": value, "content_type": content_type})
            elif isinstance(value, dict):
                kind = value.get("content_type")
                waiting.extend((member, kind) for member in reversed(value.values()))
            elif isinstance(value, list):
                waiting.extend((entry, content_type) for entry in reversed(value))
        return links

    return found


def _links(found: object) -> Iterator[tuple[str, str]]:
    for entry in found if isinstance(found, list | tuple) else (found,):
        fields: dict[str, Any] = entry if isinstance(entry, dict) else {"url": entry}
        url = link(fields.get("url"))
        if url is not None:
            yield url, _kind(fields, url)


def _kind(fields: dict[str, Any], url: str) -> str:
    kind, content_type = fields.get("type"), fields.get("content_type")
    if isinstance(kind, str) and kind.strip():
        return clean(kind.strip())
    if isinstance(content_type, str):
        major, slash, _ = content_type.strip().lower().partition("/")
        if major and slash:
            return clean(major)
    return kind_of(url)


def kind_of(url: str) -> str:
    """Return `video`, `image` or `audio` by the extension of a link's path, else `file`."""
    path = url.partition("#")[0].partition("?")[0].partition("://")[2].partition("/")[2]
    _, dot, end = path.rpartition("/")[2].rpartition(".")
    return _TYPES.get(end.lower(), "file") if dot else "file"
