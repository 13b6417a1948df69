"""What templates may name, and where they name something else."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from bridge.core.misfit import Misfit, Steps
from bridge.core.reading.templates import alone

ALWAYS = ("key", "base_url")

_HOLE = re.compile(r"\{\+?([A-Za-z_][A-Za-z0-9_]*)\}")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection"})


def strangers(template: str, known: Collection[str], path: Steps) -> Iterator[Misfit]:
    """Yield a misfit for each placeholder that means nothing there."""
    for match in _HOLE.finditer(template):
        if match[1] not in known:
            several = ", ".join(f"{{{name}}}" for name in known)
            yield Misfit(
                f"unknown placeholder; here are known {several}",
                path=path,
                at=match.start(),
                word=f"{{{match[1]}}}",
                words=tuple(f"{{{name}}}" for name in known),
            )


def place_flaws(
    url: str, known: Collection[str], path: Steps = ("url",)
) -> Iterator[Misfit]:
    """Yield what is wrong with a path that follows `base_url`, or with a placeholder for a link."""
    if not url.startswith("/") and alone(url) is None:
        hint = "it follows base_url"
        yield Misfit("expected a path such as /jobs/{id}", path=path, hint=hint)
    yield from strangers(url, known, path)
    yield from _crowded(url, path)


def query_flaws(
    query: Mapping[str, str], known: Collection[str], path: Steps = ("query",)
) -> Iterator[Misfit]:
    """Yield what is wrong with a query; `{ids}` alone repeats its parameter."""
    for name, template in query.items():
        yield from strangers(template, known, (*path, name))
        if alone(template) != "ids":
            yield from _crowded(template, (*path, name))


def header_flaws(
    headers: Mapping[str, str], known: Collection[str], path: Steps = ("headers",)
) -> Iterator[Misfit]:
    """Yield what is wrong with headers."""
    for name, template in headers.items():
        below = (*path, name)
        if not _NAME.fullmatch(name):
            yield Misfit("not the name of a header", path=below, key=True)
        elif name.lower() in _OURS:
            yield Misfit("genbridge sets this header itself", path=below, key=True)
        if not template.isascii() or not template.isprintable():
            yield Misfit("only visible ASCII characters are allowed", path=below)
        yield from strangers(template, known, below)
        yield from _crowded(template, below)


def body_flaws(
    value: Any,  # noqa: ANN401  (any JSON)
    known: Collection[str],
    path: Steps = ("json",),
) -> Iterator[Misfit]:
    """Yield what is wrong with the texts of a body; `{ids}` alone is the array."""
    if isinstance(value, Mapping):
        for name, member in value.items():
            yield from body_flaws(member, known, (*path, name))
    elif isinstance(value, list):
        for number, entry in enumerate(value):
            yield from body_flaws(entry, known, (*path, number))
    elif isinstance(value, str):
        yield from strangers(value, known, path)
        if alone(value) != "ids":
            yield from _crowded(value, path)


def named(value: Any) -> frozenset[str]:  # noqa: ANN401  (any JSON)
    """Return every placeholder in a template, or in all texts of a value."""
    if isinstance(value, Mapping):
        return named([*value.values()])
    if isinstance(value, list | tuple):
        return frozenset().union(*map(named, value))
    return frozenset(_HOLE.findall(value)) if isinstance(value, str) else frozenset()


def _crowded(template: str, path: Steps) -> Iterator[Misfit]:
    for match in _HOLE.finditer(template):
        if match[1] == "ids":
            yield Misfit(
                "{ids} are many: it stands alone in a value of query or json",
                path=path,
                at=match.start(),
            )
