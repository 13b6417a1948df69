"""Delivery that outlasts everything: health of webhooks, the log of attempts by days, replays.

An expand: code of the schema before goes on working on it. On PostgreSQL the attempts that there
are become one partition, up to the end of tomorrow, and go as a whole once they are old; that
costs one look through them, during which nothing else can be logged.
"""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Text,
    text,
)

revision = "2"
down_revision = "1"
compatible_from = 1

BIG = BigInteger().with_variant(Integer(), "sqlite")
SMALL = SmallInteger().with_variant(Integer(), "sqlite")
FLAG = Boolean().with_variant(Integer(), "sqlite")
TEXT = Text().with_variant(Text(collation="C"), "postgresql")

DAY = 86_400_000_000
"""Microseconds."""

LATEST = """
SELECT greatest((extract(epoch FROM statement_timestamp()) * 1000000)::bigint,
                (SELECT max(at) FROM attempts_before))
"""


def upgrade() -> None:
    """Add columns, tables and indexes."""
    if op.get_bind().dialect.name == "postgresql":
        _indexes(concurrently=True)
        _partitioned()
        op.alter_column("replays", "done", type_=BigInteger())
    else:
        _indexes(concurrently=False)
        op.add_column("attempts", Column("particulars", TEXT))
    for column in (
        Column("breaker", FLAG),
        Column("opened", Integer),
        Column("streak", Integer),
        Column("failing_since", BIG),
        Column("failures", Integer),
        Column("told", SMALL),
        Column("wanted_until", BIG),
    ):
        op.add_column("webhooks", column)
    for name in ("begun_at", "last", "over_at"):
        op.add_column("replays", Column(name, BIG))


def _indexes(*, concurrently: bool) -> None:
    """Make indexes; on a server beside those who write, and anew where it was broken off."""
    wanted = (
        ("events_operational", "events", "occurred_at", "watch_id IS NULL"),
        ("deliveries_failed", "deliveries", "id", "status = 2"),
    )
    if not concurrently:
        for name, table, column, some in wanted:
            op.create_index(name, table, [column], sqlite_where=text(some))
        return
    with op.get_context().autocommit_block():
        for name, table, column, some in wanted:
            op.drop_index(name, table, if_exists=True, postgresql_concurrently=True)
            op.create_index(
                name,
                table,
                [column],
                postgresql_where=text(some),
                postgresql_concurrently=True,
            )


def _partitioned() -> None:
    """Make the log of attempts a table of days; what was logged before is one partition."""
    op.execute("LOCK TABLE attempts IN ACCESS EXCLUSIVE MODE")
    some = op.get_bind().scalar(text("SELECT EXISTS (SELECT FROM attempts)"))
    if some:
        _set_aside()
    else:
        op.drop_table("attempts")
    op.create_table(
        "attempts",
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
        postgresql_partition_by="RANGE (at)",
    )
    op.execute("CREATE TABLE attempts_default PARTITION OF attempts DEFAULT")
    if some:
        # Other replicas go on logging into it until the days begin.
        day = int(op.get_bind().scalar(text(LATEST))) // DAY + 2
        op.execute(
            "ALTER TABLE attempts ATTACH PARTITION attempts_before"
            f" FOR VALUES FROM (MINVALUE) TO ({day * DAY})"
        )


def _set_aside() -> None:
    op.rename_table("attempts", "attempts_before")
    op.execute("ALTER INDEX attempts_pkey RENAME TO attempts_before_pkey")
    op.execute("ALTER INDEX attempts_at RENAME TO attempts_before_at_idx")
    op.execute(
        "ALTER TABLE attempts_before RENAME CONSTRAINT attempts_delivery_id_fkey"
        " TO attempts_before_delivery_id_fkey"
    )
    op.add_column("attempts_before", Column("particulars", TEXT))
