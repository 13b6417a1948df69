"""The tables, for SQLite and PostgreSQL alike (STORE, section 2).

Times are microseconds UTC in a BIGINT on both, so that one statement does the same sums on
both; uuids are text on SQLite. Every id is the database's own.
"""

from sqlalchemy import (
    DDL,
    REAL,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    and_,
    event,
    true,
)
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.types import TypeEngine

REVISION = 4
"""The schema that this code reads and writes."""

COMPATIBLE_FROM = 1
"""The oldest code that can work with this schema."""

BIG = BigInteger().with_variant(Integer(), "sqlite")
SMALL = SmallInteger().with_variant(Integer(), "sqlite")
FLAG = Boolean().with_variant(Integer(), "sqlite")
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
UID = Text().with_variant(UUID(as_uuid=False), "postgresql")
NUMBER: TypeEngine[float] = Double().with_variant(REAL(), "sqlite")

BUSY = {
    "fillfactor": 70,
    "autovacuum_vacuum_scale_factor": 0.01,
    "autovacuum_vacuum_threshold": 1000,
    "autovacuum_vacuum_cost_delay": 0,
}
"""How PostgreSQL keeps tables whose rows are updated again and again: with room for the next
version beside them, and cleaned early."""

metadata = MetaData()

meta = Table(
    "meta",
    metadata,
    Column("key", TEXT, primary_key=True),
    Column("value", TEXT, nullable=False),
    sqlite_strict=True,
)

replicas = Table(
    "replicas",
    metadata,
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

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("key", TEXT, nullable=False, unique=True),
    Column("url", TEXT),
    Column("secret", TEXT),
    Column("state", SMALL, nullable=False),
    Column("gate_until", BIG),
    Column("gate_why", TEXT),
    # Its health (bridge/core/delivering/health.py). NULL: nothing is known against it.
    Column("breaker", FLAG),
    Column("opened", Integer),
    Column("streak", Integer),
    Column("failing_since", BIG),
    Column("failures", Integer),
    Column("told", SMALL),
    # Only of those that a caller brought along: when the last watch that names it ends.
    Column("wanted_until", BIG),
    sqlite_strict=True,
)

budgets = Table(
    "budgets",
    metadata,
    Column("key", TEXT, primary_key=True),
    Column("tat", BIG, nullable=False),
    sqlite_strict=True,
)

watches = Table(
    "watches",
    metadata,
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
_over = ~watches.c.active
Index("watches_ended", watches.c.ended_at, sqlite_where=_over, postgresql_where=_over)
# A start reads the running ones without walking past months of ended ones.
_runs = watches.c.active == true()
Index("watches_running", watches.c.active, sqlite_where=_runs).ddl_if("sqlite")
# Only replicas ask for owners; on SQLite an index on them misleads the planner (STORE, section 7).
_owned = watches.c.owner.is_not(None)
_unowned = and_(watches.c.active, ~_owned)
Index("watches_unowned", watches.c.due_at, postgresql_where=_unowned).ddl_if("postgresql")
Index("watches_owned", watches.c.owner, postgresql_where=_owned).ddl_if("postgresql")
Index("watches_dirty", watches.c.owner, postgresql_where=watches.c.dirty).ddl_if(
    "postgresql"
)

events = Table(
    "events",
    metadata,
    Column("id", BIG, Identity(), primary_key=True),
    Column("uid", UID, nullable=False),
    Column("watch_id", BIG, ForeignKey("watches.id", ondelete="CASCADE")),
    Column("tag", TEXT, nullable=False),
    Column("seq", SMALL, nullable=False),
    Column("body", TEXT, nullable=False),
    Column("raw", TEXT),
    Column("occurred_at", BIG, nullable=False),
    UniqueConstraint("watch_id", "tag"),
    sqlite_strict=True,
)

# Operational events have no watch that would take them along when it goes, nor one that would
# tell them apart. The uid of the others follows from watch and tag: an index of it would be a
# page at random, written anew for each event.
_operational = events.c.watch_id.is_(None)
Index(
    "events_uid",
    events.c.uid,
    unique=True,
    sqlite_where=_operational,
    postgresql_where=_operational,
)
Index(
    "events_operational",
    events.c.occurred_at,
    sqlite_where=_operational,
    postgresql_where=_operational,
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", BIG, Identity(), primary_key=True),
    Column("event_id", BIG, ForeignKey("events.id", ondelete="CASCADE"), nullable=False),
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
_pending = deliveries.c.status == 0
_claimed = deliveries.c.claimed_by.is_not(None)
Index(
    "deliveries_due",
    deliveries.c.webhook_id,
    deliveries.c.manual,
    deliveries.c.due_at,
    sqlite_where=_pending,
    postgresql_where=_pending,
)
Index(
    "deliveries_order",
    deliveries.c.watch_id,
    deliveries.c.webhook_id,
    deliveries.c.seq,
    sqlite_where=_pending,
    postgresql_where=_pending,
)
Index(
    "deliveries_claimed",
    deliveries.c.claimed_by,
    sqlite_where=_claimed,
    postgresql_where=_claimed,
)
Index("deliveries_listed", deliveries.c.webhook_id, deliveries.c.status, deliveries.c.id)
# The dead letters of all webhooks: a few among millions.
_failed = deliveries.c.status == 2
Index("deliveries_failed", deliveries.c.id, sqlite_where=_failed, postgresql_where=_failed)

# What names the one message in which a webhook is told of a watch's progress, where it is edited.
receipts = Table(
    "receipts",
    metadata,
    Column("watch_id", BIG, ForeignKey("watches.id", ondelete="CASCADE"), primary_key=True),
    Column("webhook_id", Integer, primary_key=True, autoincrement=False),
    Column("place", TEXT, nullable=False),
    Column("receipt", TEXT, nullable=False),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

attempts = Table(
    "attempts",
    metadata,
    Column(
        "delivery_id",
        BIG,
        ForeignKey("deliveries.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("attempt", Integer, primary_key=True),
    Column("at", BIG, primary_key=True),
    Column("replica", Integer, nullable=False),
    Column("code", Integer),
    Column("timings", TEXT, nullable=False),
    Column("answer", TEXT),
    Column("why", TEXT),
    Column("particulars", TEXT),
    Index("attempts_at", "at"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
    postgresql_partition_by="RANGE (at)",
)
# Days are made ahead (bridge/store/days.py); this one takes what no day is there for.
_default = DDL("CREATE TABLE attempts_default PARTITION OF attempts DEFAULT")  # type: ignore[no-untyped-call]  # SQLAlchemy types it not
event.listen(attempts, "after_create", _default.execute_if(dialect="postgresql"))

bodies = Table(
    "bodies",
    metadata,
    Column("sha256", TEXT, primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Column("at", BIG, nullable=False),
    Index("bodies_at", "at"),
    sqlite_strict=True,
)

duties = Table(
    "duties",
    metadata,
    Column("name", TEXT, primary_key=True),
    Column("owner", Integer),
    Column("due_at", BIG, nullable=False),
    Column("last_at", BIG),
    Column("last_result", TEXT),
    sqlite_strict=True,
)

replays = Table(
    "replays",
    metadata,
    Column("id", BIG, Identity(), primary_key=True),
    Column("filter", TEXT, nullable=False),
    Column("cursor", BIG, nullable=False),
    Column("done", BIG, nullable=False),
    Column("state", TEXT, nullable=False),
    Column("begun_at", BIG),
    Column("last", BIG),
    Column("over_at", BIG),
    sqlite_strict=True,
)

# What is known of how long a state lasts (DETECTION, section 8); `n` and `x` are JSON, a number
# for each bin. A row belongs to a replica that may be gone: `pacing.inherit` takes it up then.
pace = Table(
    "pace",
    metadata,
    Column("source", TEXT, primary_key=True),
    Column("model", TEXT, primary_key=True),
    Column("state", TEXT, primary_key=True),
    Column("replica", Integer, primary_key=True, autoincrement=False),
    Column("layout", TEXT, nullable=False),
    Column("n", TEXT, nullable=False),
    Column("x", TEXT, nullable=False),
    Column("weight", NUMBER, nullable=False),
    Column("strain", NUMBER, nullable=False),
    Column("saved_at", BIG, nullable=False),
    sqlite_strict=True,
    postgresql_with=BUSY,
)

discoveries = Table(
    "discoveries",
    metadata,
    Column("source", TEXT, primary_key=True),
    Column("since", BIG, nullable=False),
    Column("anchor", TEXT, nullable=False),
    Column("updated_at", BIG, nullable=False),
    sqlite_strict=True,
)
