"""Assembly: records held against each other and made settings."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from hashlib import sha256
from ipaddress import ip_address
from typing import Any

from bridge.config.environment import Environment
from bridge.config.metadata import json_members
from bridge.config.mistakes import Path
from bridge.config.options import given, hidden
from bridge.config.reading import Reader
from bridge.config.record import Record
from bridge.config.records import (
    RetentionRecord,
    RootRecord,
    ServerRecord,
    SourceRecord,
    WatchRecord,
)
from bridge.config.scalars import why_no_id
from bridge.config.sections import Parts
from bridge.config.tree import MapNode
from bridge.config.webhooks import Webhooks
from bridge.core.askable import never
from bridge.core.hints import hint_token
from bridge.core.misfit import told
from bridge.core.network.urls import in_the_clear
from bridge.core.pacing.due import LEAST
from bridge.core.reading.described import NO_LIST, Described
from bridge.core.settings import (
    ConfiguredWatch,
    Rate,
    Retention,
    Server,
    Settings,
    Source,
    Webhook,
    shared,
)
from bridge.core.text.jsontext import encode

_SHORT_TOKEN = 16
"""Characters of a token below which it is worth a warning."""


class Assembly:
    """Makes settings of parts; `warnings` are places, paths and sentences."""

    def __init__(
        self, reader: Reader, parts: Parts, environment: Environment, *, check: bool
    ) -> None:
        self._reader = reader
        self._parts = parts
        self._making = Webhooks(
            reader,
            self._warn,
            environment,
            None if parts.network is None else tuple(parts.network.allow),
            strict=check,
        )
        self.warnings: list[tuple[int, Path, str]] = []

    def settings(self, path: str) -> Settings | None:
        """Return the settings, without warnings; None: something is wrong and was said."""
        parts = self._parts
        server = self._server(parts.server)
        sources = dict(self._sources())
        webhooks = dict(self._webhooks())
        self._making.compare(webhooks)
        watches = tuple(self._watches(sources))
        self._compare_databases(parts.root)
        if self._reader.findings or not (parts.root and parts.network and parts.retention):
            return None
        self._warn_of_idleness(sources, webhooks, watches)
        return Settings(
            path=path,
            database=parts.root.database,
            session_url=parts.root.session_url,
            server=server,
            allow=tuple(parts.network.allow),
            sources=sources,
            webhooks=webhooks,
            watches=watches,
            retention=_retention(parts.retention),
            digest=_digest(watches),
        )

    def _compare_databases(self, root: RootRecord | None) -> None:
        if root and root.session_url is not None and not shared(root.database):
            self._reader.complain(
                ("session_url",),
                "only for a `database` of PostgreSQL: a file has no pooler",
            )

    def _warn(self, path: Path, sentence: str) -> None:
        self.warnings.append((self._reader.index(path), path, sentence))

    # ------------------------------------------------------------------------------ server

    def _server(self, record: ServerRecord | None) -> Server:
        if record is None:
            return Server()
        host, port = record.listen
        if record.token is None and host is not None and not _loopback(host):
            self._reader.complain(
                ("server", "token"),
                "missing: needed because the address is not a loopback address",
                hint="token: ${GENBRIDGE_TOKEN}",
            )
        if record.token is not None and len(record.token) < _SHORT_TOKEN:
            self._warn(("server", "token"), "the token is short enough to be guessed")
        return Server(host=host, port=port, token=record.token)

    # ----------------------------------------------------------------------------- sources

    def _sources(self) -> Iterator[tuple[str, Source]]:
        for name, (record, plugin) in self._parts.sources.items():
            path = ("sources", name)
            provider = self._built(path, record, plugin)
            self._compare_lists(path, plugin, provider)
            if provider is None:
                continue
            self._warn_of_clear_text(
                (*path, "base_url"), getattr(provider, "base_url", None)
            )
            self._warn_of_haste((*path, "floor"), provider.abilities.floor)
            yield name, _source(name, record, provider)
        for name, (written, plugin) in self._parts.amiss.items():
            path = ("sources", name)
            if issubclass(plugin, Described):
                for misfit in plugin.mismatches(json_members(written)):
                    self._reader.refuse(path, misfit)
            self._compare_lists(path, plugin, None)

    def _compare_lists(self, path: Path, plugin: type, provider: Any) -> None:  # noqa: ANN401  (any plugin)
        """Complain where a source shall discover and has no list, also of one not built."""
        spot = self._reader.spot(path)
        written = spot.value if spot is not None else None
        if not isinstance(written, MapNode) or written.items.get("discover") != "true":
            return
        why = None
        if issubclass(plugin, Described):
            why = plugin.unlisted(json_members(written))
        if why is None and provider is not None and not provider.abilities.listing:
            why = NO_LIST
        if why is not None:
            said = why.replace("{provider}", str(written.items.get("provider")))
            self._reader.complain((*path, "discover"), said)

    def _built(self, path: Path, record: Record, plugin: type) -> Any:  # noqa: ANN401  (any plugin)
        """Return the plugin made of its options; None: it refused them, which was said."""
        options = given(record, plugin)
        try:
            return plugin(**options)
        except (TypeError, ValueError) as error:
            misfits = told(error) if isinstance(error, ValueError) else ()
            for misfit in misfits:
                self._reader.refuse(path, misfit)
            if misfits:
                return None
            secrets = [str(options[name]) for name in hidden(plugin) if name in options]
            said = str(error)
            if any(secret in said for secret in secrets):
                said = "the options do not fit together"
            place, said = _placed(path, said, options)
            self._reader.complain(place, said)
            return None

    def _warn_of_haste(self, path: Path, floor: timedelta) -> None:
        if timedelta() < floor < timedelta(seconds=LEAST):
            said = "two looks at a generation are never closer than 250ms: so long it is"
            self._warn(path, said)

    def _warn_of_clear_text(self, path: Path, url: object) -> None:
        if isinstance(url, str) and in_the_clear(url):
            self._warn(path, "http:// sends keys and contents unencrypted; use https://")

    # ---------------------------------------------------------------------------- webhooks

    def _webhooks(self) -> Iterator[tuple[str, Webhook]]:
        for name, (record, plugin) in self._parts.webhooks.items():
            path = ("webhooks", name)
            if record.alerts == name:
                hint = "name another webhook"
                message = "a webhook cannot be told of its own troubles"
                self._reader.complain((*path, "alerts"), message, hint=hint)
            form = self._built(path, record, plugin)
            if form is not None:
                yield name, self._making.webhook(name, record, form)

    # ----------------------------------------------------------------------------- watches

    def _watches(self, sources: Mapping[str, Source]) -> Iterator[ConfiguredWatch]:
        seen: dict[str, _Named] = {}
        for number, record in self._parts.watches:
            known = seen.setdefault(record.source, _Named(sources.get(record.source)))
            told = record.webhooks
            webhooks = tuple(self._parts.webhook_names if told is None else told)
            for one in self._ids(("watches", number), record, known):
                yield ConfiguredWatch(
                    source=record.source,
                    id=one,
                    webhooks=webhooks,
                    until=record.until,
                    deadline=record.deadline,
                    metadata=record.metadata or {},
                )

    def _ids(self, path: Path, record: WatchRecord, known: "_Named") -> Iterator[str]:
        """Yield the ids that are right and new; `known` are all others of the source."""
        if record.id is not None:
            below = (*path, "id")
            if self._fits(below, record.id, self._reader.index(below), known):
                yield record.id
        elif record.ids is not None:
            for number, one in enumerate(record.ids.items):
                below = (*path, "ids", number)
                index = record.ids.place(number)
                if isinstance(one, str) and self._fits(below, one, index, known):
                    yield one
                elif not isinstance(one, str):
                    self._reader.complain(below, "expected an id, not what holds others")

    def _fits(self, path: Path, one: str, index: int, known: "_Named") -> bool:
        first = known.places.get(one)
        if first is not None:
            line = self._reader.document.line(first)
            why: str | None = f"this generation is named twice, first in line {line}"
        else:
            why = why_no_id(one) or known.never(one)
        if why is not None:
            self._reader.complain(path, why)
            return False
        known.places[one] = index
        return True

    # ------------------------------------------------------------------------- the whole

    def _warn_of_idleness(
        self,
        sources: Mapping[str, Source],
        webhooks: Mapping[str, Webhook],
        watches: Sequence[ConfiguredWatch],
    ) -> None:
        if not sources:
            self._warn(("sources",), "no source: there is nothing to watch")
        if watches and not webhooks:
            self._warn(("webhooks",), "no webhook: nobody is told")


class _Named:
    """The ids of one source that were named so far, by their places."""

    def __init__(self, source: Source | None) -> None:
        self.places: dict[str, int] = {}
        # A source that is wrong has no say: its ids may be right.
        self.never = never(None if source is None else source.provider)


def _loopback(host: str) -> bool:
    return host == "localhost" or ip_address(host).is_loopback


def _source(name: str, record: SourceRecord, provider: Any) -> Source:  # noqa: ANN401  (any plugin)
    return Source(
        name=name,
        provider_name=record.provider,
        provider=provider,
        rate=record.rate_limit or Rate(per_second=provider.abilities.rate),
        max_connections=record.max_connections,
        looks=record.looks,
        interval=record.interval,
        discover=record.discover,
        hint_token=_hint_token(name, provider),
    )


def _hint_token(name: str, provider: Any) -> str | None:  # noqa: ANN401  (any plugin)
    """Return what makes the address for hints unguessable; None: the source has no secret."""
    kind = type(provider)
    keys = {"api_key"} & hidden(kind) or hidden(kind)
    secrets = [getattr(provider, option) for option in sorted(keys)]
    given = [one for one in secrets if isinstance(one, str) and one]
    return hint_token(name, "\n".join(given)) if given else None


def _retention(record: RetentionRecord) -> Retention:
    return Retention(
        attempts=record.attempts, bodies=record.bodies, deliveries=record.deliveries
    )


def _digest(watches: Sequence[ConfiguredWatch]) -> str:
    """Return a text that is another one as soon as any watch is."""
    digest = sha256()
    for watch in watches:
        seconds = watch.deadline.total_seconds()
        said = (watch.source, watch.id, watch.webhooks, watch.until.word, seconds)
        digest.update(encode((*said, watch.metadata)) + b"\n")
    return digest.hexdigest()


def _placed(path: Path, said: str, options: Collection[str]) -> tuple[Path, str]:
    """Return the place of what a plugin says of its options: that of the one it begins with."""
    name = re.match(r"\w*", said, re.ASCII)
    if name is None or name[0] not in options:
        return path, said
    return (*path, name[0]), said[name.end() :].lstrip(":, ")
