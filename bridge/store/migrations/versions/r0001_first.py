"""The first schema.

It stays as it was released, whatever becomes of `tables.py`; a test holds the two together.
"""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import UUID

revision = "1"
down_revision = None
compatible_from = 1

BIG = BigInteger().with_variant(Integer(), "sqlite")
SMALL = SmallInteger().with_variant(Integer(), "sqlite")
FLAG = Boolean().with_variant(Integer(), "sqlite")
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
UID = Text().with_variant(UUID(as_uuid=False), "postgresql")
BUSY = {
    "fillfactor": 70,
    "autovacuum_vacuum_scale_factor": 0.01,
    "autovacuum_vacuum_threshold": 1000,
    "autovacuum_vacuum_cost_delay": 0,
}


def upgrade() -> None:
    """Make every table."""
    _meta()
    _replicas()
    _webhooks()
    _budgets()
    _watches()
    _events()
    _deliveries()
    _attempts()
    _bodies()
    _duties()
    _replays()


def _meta() -> None:
    op.create_table(
        "meta",
        Column("key", TEXT, primary_key=True),
        Column("value", TEXT, nullable=False),
        sqlite_strict=True,
    )


def _replicas() -> None:
    op.create_table(
        "replicas",
        Column("id", Integer, Identity(), primary_key=True),
        Column("name", TEXT, nullable=False),
        Column("version", TEXT, nullable=False),
        Column("started_at", BIG, nullable=False),
        Column("seen_at", BIG, nullable=False),
        Column("owned", Integer, nullable=False),
        Column("dead_at", BIG),
        Column("stats", TEXT),
        sqlite_strict=True,
    )


def _webhooks() -> None:
    op.create_table(
        "webhooks",
        Column("id", Integer, Identity(), primary_key=True),
        Column("key", TEXT, nullable=False, unique=True),
        Column("url", TEXT),
        Column("secret", TEXT),
        Column("state", SMALL, nullable=False),
        Column("gate_until", BIG),
        Column("gate_why", TEXT),
        sqlite_strict=True,
    )


def _budgets() -> None:
    op.create_table(
        "budgets",
        Column("key", TEXT, primary_key=True),
        Column("tat", BIG, nullable=False),
        sqlite_strict=True,
    )


def _watches() -> None:
    op.create_table(
        "watches",
        Column("id", BIG, Identity(), primary_key=True),
        Column("uid", UID, nullable=False),
        Column("source", TEXT, nullable=False),
        Column("generation_id", TEXT, nullable=False),
        Column("origin", SMALL, nullable=False),
        Column("until_rank", SMALL, nullable=False),
        Column("webhooks", TEXT, nullable=False),
        Column("metadata", TEXT),
        Column("deadline_at", BIG, nullable=False),
        Column("rank", SMALL, nullable=False),
        Column("native_state", TEXT),
        Column("seq", SMALL, nullable=False),
        Column("state_at", BIG),
        Column("active", FLAG, nullable=False),
        Column("ended", TEXT),
        Column("ended_at", BIG),
        Column("due_at", BIG, nullable=False),
        Column("owner", Integer, ForeignKey("replicas.id")),
        Column("fence", Integer, nullable=False),
        Column("dirty", FLAG, nullable=False),
        Column("created_at", BIG, nullable=False),
        UniqueConstraint("source", "generation_id"),
        sqlite_strict=True,
        postgresql_with=BUSY,
    )
    if op.get_bind().dialect.name == "sqlite":
        over, runs = text("active = 0"), text("active = 1")
        op.create_index("watches_ended", "watches", ["ended_at"], sqlite_where=over)
        op.create_index("watches_running", "watches", ["active"], sqlite_where=runs)
    else:
        _where("watches_ended", "watches", "ended_at", where="NOT active")
        unowned = "active AND owner IS NULL"
        _where("watches_unowned", "watches", "due_at", where=unowned)
        _where("watches_owned", "watches", "owner", where="owner IS NOT NULL")
        _where("watches_dirty", "watches", "owner", where="dirty")


def _events() -> None:
    op.create_table(
        "events",
        Column("id", BIG, Identity(), primary_key=True),
        Column("uid", UID, nullable=False, unique=True),
        Column("watch_id", BIG, ForeignKey("watches.id", ondelete="CASCADE")),
        Column("tag", TEXT, nullable=False),
        Column("seq", SMALL, nullable=False),
        Column("body", TEXT, nullable=False),
        Column("raw", TEXT),
        Column("occurred_at", BIG, nullable=False),
        UniqueConstraint("watch_id", "tag"),
        sqlite_strict=True,
    )


def _deliveries() -> None:
    event = ForeignKey("events.id", ondelete="CASCADE")
    op.create_table(
        "deliveries",
        Column("id", BIG, Identity(), primary_key=True),
        Column("event_id", BIG, event, nullable=False),
        Column("watch_id", BIG),
        Column("webhook_id", Integer, ForeignKey("webhooks.id"), nullable=False),
        Column("seq", SMALL, nullable=False),
        Column("status", SMALL, nullable=False),
        Column("manual", FLAG, nullable=False),
        Column("attempt", Integer, nullable=False),
        Column("tries", Integer, nullable=False),
        Column("due_at", BIG, nullable=False),
        Column("first_at", BIG, nullable=False),
        Column("claimed_by", Integer),
        Column("fence", Integer, nullable=False),
        Column("last_code", Integer),
        Column("last_why", TEXT),
        Column("settled_at", BIG),
        UniqueConstraint("event_id", "webhook_id"),
        sqlite_strict=True,
        postgresql_with=BUSY,
    )
    due, order = ("webhook_id", "manual", "due_at"), ("watch_id", "webhook_id", "seq")
    _where("deliveries_due", "deliveries", *due, where="status = 0")
    _where("deliveries_order", "deliveries", *order, where="status = 0")
    claimed = "claimed_by IS NOT NULL"
    _where("deliveries_claimed", "deliveries", "claimed_by", where=claimed)
    op.create_index("deliveries_listed", "deliveries", ["webhook_id", "status", "id"])


def _attempts() -> None:
    delivery = ForeignKey("deliveries.id", ondelete="CASCADE")
    op.create_table(
        "attempts",
        Column("delivery_id", BIG, delivery, primary_key=True),
        Column("attempt", Integer, primary_key=True),
        Column("at", BIG, primary_key=True),
        Column("replica", Integer, nullable=False),
        Column("code", Integer),
        Column("timings", TEXT, nullable=False),
        Column("answer", TEXT),
        Column("why", TEXT),
        Index("attempts_at", "at"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _bodies() -> None:
    op.create_table(
        "bodies",
        Column("sha256", TEXT, primary_key=True),
        Column("body", LargeBinary, nullable=False),
        Column("at", BIG, nullable=False),
        Index("bodies_at", "at"),
        sqlite_strict=True,
    )


def _duties() -> None:
    op.create_table(
        "duties",
        Column("name", TEXT, primary_key=True),
        Column("owner", Integer),
        Column("due_at", BIG, nullable=False),
        Column("last_at", BIG),
        Column("last_result", TEXT),
        sqlite_strict=True,
    )


def _replays() -> None:
    op.create_table(
        "replays",
        Column("id", BIG, Identity(), primary_key=True),
        Column("filter", TEXT, nullable=False),
        Column("cursor", BIG, nullable=False),
        Column("done", Integer, nullable=False),
        Column("state", TEXT, nullable=False),
        sqlite_strict=True,
    )


def _where(name: str, table: str, *columns: str, where: str) -> None:
    """Make an index over some of the rows."""
    some = text(where)
    op.create_index(name, table, columns, sqlite_where=some, postgresql_where=some)
