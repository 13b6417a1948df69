"""Sections: the file read part by part, whatever is wrong with the other parts."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from bridge.config.mistakes import Path
from bridge.config.near import near
from bridge.config.options import with_any_of, with_options
from bridge.config.reading import R, Reader, keys_of
from bridge.config.record import Record
from bridge.config.records import (
    NetworkRecord,
    RetentionRecord,
    RootRecord,
    ServerRecord,
    SourceRecord,
    WatchRecord,
    WebhookRecord,
)
from bridge.config.references import Known
from bridge.config.scalars import why_no_name
from bridge.config.tree import ListNode, MapNode, Node
from bridge.core.ports import Catalog

_PLUGGED = {"sources": ("provider", None), "webhooks": ("format", "standard")}
"""The key of an entry that names its plugin, and what stands there by default."""

_Name: TypeAlias = tuple[str, str | None]


@dataclass(slots=True, kw_only=True)
class Parts:
    """What could be read; None and absence mark what is wrong.

    `amiss` are sources with a wrong key and a known plugin: what is wrong besides is told of them,
    too, but not where a key is unknown, for it may be the one that seems to be missing.
    `webhook_names` are those of the file, also of webhooks that are wrong: nobody who names
    one of these is to blame.
    """

    root: RootRecord | None = None
    amiss: dict[str, tuple[MapNode, type]] = field(default_factory=dict)
    server: ServerRecord | None = None
    network: NetworkRecord | None = None
    retention: RetentionRecord | None = None
    sources: dict[str, tuple[SourceRecord, type]] = field(default_factory=dict)
    webhooks: dict[str, tuple[WebhookRecord, type]] = field(default_factory=dict)
    webhook_names: Sequence[str] = ()
    watches: list[tuple[int, WatchRecord]] = field(default_factory=list)


class Sections:
    """Reads the sections of a document."""

    def __init__(self, reader: Reader, catalog: Catalog, absent: frozenset[str]) -> None:
        self._reader = reader
        self._catalog = catalog
        self._kinds: dict[_Name, tuple[type[Record], type | None]] = {}
        self._known = Known(
            absent=absent,
            sources=frozenset(self._names("sources")),
            webhooks=frozenset(self._names("webhooks")),
            providers=catalog.names("provider"),
            formats=catalog.names("format"),
        )

    def read(self) -> Parts:
        """Return all parts that could be read."""
        parts = Parts(webhook_names=self._names("webhooks"))
        parts.root = self._reader.record(RootRecord, (), self._reader.root, self._known)
        parts.server = self._single("server", ServerRecord)
        parts.network = self._single("network", NetworkRecord)
        parts.retention = self._single("retention", RetentionRecord)
        if parts.network is not None:
            self._known = replace(self._known, allow=tuple(parts.network.allow))
        parts.sources = dict(self._plugged("sources", SourceRecord))
        parts.amiss = dict(self._amiss(parts.sources))
        parts.webhooks = dict(self._plugged("webhooks", WebhookRecord))
        parts.watches = list(self._watches())
        return parts

    def _section(self, name: str) -> Node | None:
        """Return a section; None: it is absent, or all of it is commented out."""
        spot = self._reader.spot((name,))
        if spot is None or (spot.value == "" and spot.branch.plain(spot.number)):
            return None
        return spot.value

    def _single(self, name: str, kind: type[R]) -> R | None:
        node = self._section(name)
        return self._reader.record(
            kind, (name,), MapNode(0) if node is None else node, self._known
        )

    def _names(self, section: str) -> Sequence[str]:
        node = self._reader.root.items.get(section)
        return tuple(node.items) if isinstance(node, MapNode) else ()

    def _plugged(self, section: str, base: type[R]) -> Iterator[tuple[str, tuple[R, type]]]:
        """Yield the records of a section that are right, each with its plugin's class."""
        node = self._section(section)
        if node is not None and not isinstance(node, MapNode):
            example = "a name, and under it its keys"
            self._reader.complain((section,), f"expected {example}")
        for name, value in node.items.items() if isinstance(node, MapNode) else ():
            self._check_name(section, name)
            kind, plugin = self._kind(section, base, value)
            record = self._reader.record(kind, (section, name), value, self._known)
            if isinstance(record, base) and plugin is not None:
                yield name, (record, plugin)

    def _amiss(self, good: Collection[str]) -> Iterator[tuple[str, tuple[MapNode, type]]]:
        node = self._section("sources")
        for name, value in node.items.items() if isinstance(node, MapNode) else ():
            if name in good or not isinstance(value, MapNode):
                continue
            kind, plugin = self._kind("sources", SourceRecord, value)
            if plugin is not None and set(value.items) <= set(keys_of(kind, ())):
                yield name, (value, plugin)

    def _check_name(self, section: str, name: str) -> None:
        why = why_no_name(name)
        if why is not None:
            self._reader.complain((section, name), why, key=True)

    def _kind(
        self, section: str, base: type[Record], value: Node
    ) -> tuple[type[Record], type | None]:
        """Return the record that an entry is, and its plugin; None: it names none."""
        word, default = _PLUGGED[section]
        name = value.items.get(word, default) if isinstance(value, MapNode) else None
        named = name if isinstance(name, str) and name in self._plugins(word) else None
        key: _Name = (word, named)
        if key not in self._kinds:
            self._kinds[key] = self._made(base, word, named)
        return self._kinds[key]

    def _made(
        self, base: type[Record], word: str, name: str | None
    ) -> tuple[type[Record], type | None]:
        if name is not None:
            plugin = self._catalog.load(word, name)
            return with_options(base, plugin), plugin
        plugins = (self._catalog.load(word, name) for name in self._plugins(word))
        return with_any_of(base, plugins), None

    def _plugins(self, word: str) -> Collection[str]:
        return self._known.providers if word == "provider" else self._known.formats

    def _watches(self) -> Iterator[tuple[int, WatchRecord]]:
        node = self._section("watches")
        if node is not None and not isinstance(node, ListNode):
            hint = "each begins with a dash: `- {source: …, id: …}`"
            self._reader.complain(("watches",), "expected a list of watches", hint=hint)
        for number, value in enumerate(node.items if isinstance(node, ListNode) else ()):
            path = ("watches", number)
            record = self._reader.record(WatchRecord, path, value, self._known)
            if isinstance(value, MapNode) and self._one_of_ids(path, value) and record:
                yield number, record

    def _one_of_ids(self, path: Path, value: MapNode) -> bool:
        given = [key for key in ("id", "ids") if key in value.items]
        if len(given) == 2:
            self._reader.complain(
                (*path, "ids"), "either `id` or `ids`, not both", key=True
            )
        elif not given and not _misspelt(value):
            self._reader.complain(path, "missing: `id` or `ids`")
        return len(given) == 1


def _misspelt(watch: MapNode) -> bool:
    keys = keys_of(WatchRecord, ())
    strangers = [key for key in watch.items if key not in keys]
    return any(near(key, keys) in {"id", "ids"} for key in strangers[:20])
