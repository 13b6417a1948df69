"""The settings: what a whole and checked configuration says, in the words of the engine."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from typing import Any

from bridge.core.delivering.auth import Auth
from bridge.core.delivering.retry import DEFAULT_RETRY, RetryPolicy
from bridge.core.delivering.signing import Key
from bridge.core.ladder import State
from bridge.core.network.way import DIRECT, Way
from bridge.core.ports import Format, Provider


class Order(StrEnum):
    """How deliveries of one generation follow each other at one webhook."""

    STRICT = "strict"
    LATEST = "latest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """So many a span of time; `600/m` and `10/s` are the same rate."""

    per_second: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One configured account at a provider.

    `hint_token` makes the address for its callbacks unguessable, None: there is none, for it has
    no key to make one of.
    """

    name: str
    provider_name: str
    provider: Provider
    rate: Rate
    max_connections: int = 200
    looks: int = 24
    interval: timedelta = timedelta(minutes=15)
    discover: bool = False
    hint_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Where events go. `keys` sign every attempt, newest first."""

    name: str
    url: str = field(repr=False)
    keys: tuple[Key, ...] = field(default=(), repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    timeout: timedelta = timedelta(seconds=15)
    concurrency: int = 8
    rate: Rate | None = None
    order: Order = Order.STRICT
    disable_after: timedelta = timedelta(days=5)
    alerts: str | None = None
    retry: RetryPolicy = DEFAULT_RETRY
    format_name: str = "standard"
    format: Format
    states: frozenset[State] = frozenset(State)
    auth: Auth | None = field(default=None, repr=False)
    way: Way = DIRECT
    hub_signature: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfiguredWatch:
    """A watch as the file asks for it, its webhooks by name."""

    source: str
    id: str
    webhooks: tuple[str, ...]
    until: State = State.COMPLETED
    deadline: timedelta = timedelta(hours=24)
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where the API listens; `host` None: switched off."""

    host: str | None = "127.0.0.1"
    port: int = 8383
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long what is over is kept."""

    attempts: timedelta = timedelta(days=30)
    bodies: timedelta = timedelta(days=7)
    deliveries: timedelta = timedelta(days=90)


def shared(database: str) -> bool:
    """Return whether a database is one that several replicas can share, by its URL."""
    return database.startswith(("postgresql://", "postgres://"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A whole configuration.

    `database` is a path or a `postgresql://` URL. `digest` changes whenever a watch of the file
    changes. `warnings` are sentences with their place, for `check` and the log.
    """

    path: str
    database: str = field(repr=False)
    session_url: str | None = field(default=None, repr=False)
    server: Server = Server()
    allow: tuple[IPv4Network | IPv6Network, ...] = ()
    sources: Mapping[str, Source]
    webhooks: Mapping[str, Webhook]
    watches: tuple[ConfiguredWatch, ...]
    retention: Retention = Retention()
    digest: str = ""
    warnings: tuple[str, ...] = ()
