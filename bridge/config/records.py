"""Records: what may stand in a configuration, section by section.

Defaults are written as a user would write them.
"""

from typing import Any

from pydantic import Field

from bridge.config import fields as f
from bridge.config import references as r
from bridge.config.access import AuthField, TlsRecord
from bridge.config.record import Record, maybe, needed, written


class ServerRecord(Record):
    """Where the API, the dashboard and the metrics are served."""

    listen: f.Listen = written("127.0.0.1:8383", "Address and port; `off` switches it off.")
    token: f.Hidden | None = maybe(
        "Bearer token; may be absent only on a loopback address."
    )


class NetworkRecord(Record):
    """Which private networks may be contacted."""

    allow: f.Networks = Field(
        default=[], description="Addresses and networks such as 10.0.0.0/8; public is open."
    )


class RetentionRecord(Record):
    """How long what is over is kept."""

    attempts: f.Duration = written("30d", "The log of attempts.")
    bodies: f.Duration = written("7d", "What receivers answered.")
    deliveries: f.Duration = written("90d", "Events and deliveries that are over.")


class RetryRecord(Record):
    """When a failed delivery is tried again."""

    schedule: f.Schedule | None = maybe("The waits after the first, second … failure.")
    jitter: f.Share = written("0.2", "How far a wait is spread, as a share of it.")


class SourceRecord(Record):
    """One account at a provider; further keys are the provider's own options."""

    provider: r.ProviderName = needed("The kind of API.")
    rate_limit: f.RateField | None = maybe(
        "Requests for this key; default: the provider's."
    )
    max_connections: f.Connections = written("200", "Connections open at once.")
    looks: f.Looks = written("24", "Wanted looks per state of a generation.")
    interval: f.Interval = written("15m", "The longest pause between two looks.")
    discover: f.Truth = written("false", "Watch every new generation that the API lists.")


class WebhookRecord(Record):
    """Where events go; further keys are the format's own options."""

    url: r.Url = needed("Where events are posted.")
    secret: r.Secrets | None = maybe("One or several, newest first; `genbridge keys new`.")
    headers: r.HeadersField = Field(default_factory=dict, description="Headers to add.")
    timeout: f.Timeout = written("15s", "Bounds a whole attempt.")
    concurrency: f.Concurrency = written("8", "Attempts under way at once.")
    rate_limit: f.RateField | None = maybe("Attempts at most; default: the format's.")
    order: f.OrderField = written("strict", "latest: an older state gives way to a newer.")
    disable_after: f.Duration = written(
        "5d", "Without one accepted delivery: switched off."
    )
    alerts: r.WebhookName | None = maybe("The webhook that is told of this one's troubles.")
    retry: RetryRecord = Field(
        default_factory=RetryRecord, description="When to try again."
    )
    format: r.FormatName = written("standard", "The body that this receiver understands.")
    states: f.States | None = maybe("The states to tell; default: all.")
    tls: TlsRecord | None = maybe("Whom to trust, and a certificate of our own.")
    auth: AuthField | None = maybe("How the receiver knows us, beside the signature.")
    proxy: r.ProxyUrl | None = maybe("http://, https://, socks5:// or socks5h://.")
    hub_signature: f.Truth = written("false", "Add X-Hub-Signature-256.")


class WatchRecord(Record):
    """One or many generations to watch."""

    source: r.SourceName = needed("The name of a source.")
    id: r.Id | None = maybe("The provider's id of a generation.")
    ids: r.Ids | None = maybe("Many ids, instead of `id`.")
    webhooks: r.WebhookNames | None = maybe("Who is told; default: every webhook.")
    until: f.Until = written("completed", "The state at which the watch ends.")
    deadline: f.Deadline = written(
        "24h", "The first answer after it ends the watch, as lost if it is not over."
    )
    metadata: f.Metadata | None = maybe("Comes back in every event.")


class RootRecord(Record):
    """A configuration of genbridge; its sections are read one by one."""

    database: f.Database = written(
        "genbridge.db",
        "A file (SQLite) in the working directory, or postgresql://user@host/database.",
    )
    session_url: f.SessionUrl | None = maybe(
        "Where `database` leads to a pooler: the server's own address."
    )
    server: Any = None
    network: Any = None
    sources: Any = None
    webhooks: Any = None
    watches: Any = None
    retention: Any = None


SINGLE_SECTIONS: dict[str, type[Record]] = {
    "server": ServerRecord,
    "network": NetworkRecord,
    "retention": RetentionRecord,
}
"""Sections that are one record; the others hold many."""
