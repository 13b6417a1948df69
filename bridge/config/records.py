"""Records: what may stand in a configuration, section by section.

Defaults are written as a user would write them.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bridge.config import fields as f
from bridge.config import references as r
from bridge.config.scalars import Unfit
from bridge.config.tree import ListNode, MapNode

MOST_KEYS = 20_000
"""Keys of one record that are looked at, so that a hostile file is answered in bounded
time.
"""


class Record(BaseModel):
    """A mapping with known keys; it is read from a node of the tree and shows no values."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        arbitrary_types_allowed=True,
        protected_namespaces=(),
    )

    @model_validator(mode="before")
    @classmethod
    def _opened(cls, node: object) -> object:
        if isinstance(node, dict):
            return node
        if not isinstance(node, MapNode):
            what = "a list" if isinstance(node, ListNode) else "a single value"
            raise Unfit(f"expected keys and values, not {what}")
        if len(node.items) > MOST_KEYS:
            raise Unfit(f"more than {MOST_KEYS:,} keys")
        return node.items

    def __repr_args__(self) -> Any:  # noqa: ANN401  (pydantic's own signature)
        """Show no values: some are secret."""
        return ()


def written(default: str, about: str, **more: Any) -> Any:  # noqa: ANN401  (as pydantic)
    """Return a field whose default is written as in the file and read like it."""
    return Field(default=default, validate_default=True, description=about, **more)


def needed(about: str) -> Any:  # noqa: ANN401
    """Return a field that must be given."""
    return Field(description=about)


def maybe(about: str) -> Any:  # noqa: ANN401
    """Return a field that may be absent."""
    return Field(default=None, description=about)


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
    discover: f.NotYetTrue = written("false", "Watch what the provider lists.")


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
    tls: f.NotYet = maybe("Not yet supported by this version.")
    auth: f.NotYet = maybe("Not yet supported by this version.")
    proxy: f.NotYet = maybe("Not yet supported by this version.")
    hub_signature: f.NotYetTrue = written("false", "Add X-Hub-Signature-256.")


class WatchRecord(Record):
    """One or many generations to watch."""

    source: r.SourceName = needed("The name of a source.")
    id: r.Id | None = maybe("The provider's id of a generation.")
    ids: r.Ids | None = maybe("Many ids, instead of `id`.")
    webhooks: r.WebhookNames | None = maybe("Who is told; default: every webhook.")
    until: f.Until = written("completed", "The state at which the watch ends.")
    deadline: f.Deadline = written("24h", "Then the generation is given up as lost.")
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
