"""Detection that learns: what was learned outlives a restart, and so do rounds through lists.

An expand: code of the schema before goes on working on it. The uids of events that belong to a
watch lose their index, for nothing looks for them but older code that was not told what became of
a commit; a SQLite file is copied once for that.
"""

from alembic import op
from sqlalchemy import REAL, BigInteger, Column, Double, Integer, Text, text
from sqlalchemy.types import TypeEngine

revision = "3"
down_revision = "2"
compatible_from = 1

BIG = BigInteger().with_variant(Integer(), "sqlite")
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
NUMBER: TypeEngine[float] = Double().with_variant(REAL(), "sqlite")
BUSY = {
    "fillfactor": 70,
    "autovacuum_vacuum_scale_factor": 0.01,
    "autovacuum_vacuum_threshold": 1000,
    "autovacuum_vacuum_cost_delay": 0,
}


def upgrade() -> None:
    """Add tables, replace an index."""
    if op.get_bind().dialect.name == "postgresql":
        _uids_on_a_server()
    else:
        _uids_in_a_file()
    _pace()
    _discoveries()


def _uids_on_a_server() -> None:
    """Make the new index beside those who write, and anew where it was broken off."""
    with op.get_context().autocommit_block():
        op.drop_index("events_uid", "events", if_exists=True, postgresql_concurrently=True)
        op.create_index(
            "events_uid",
            "events",
            ["uid"],
            unique=True,
            postgresql_where=text("watch_id IS NULL"),
            postgresql_concurrently=True,
        )
    op.drop_constraint("events_uid_key", "events", type_="unique")


def _uids_in_a_file() -> None:
    """Make the table anew: SQLite drops no constraint, and gives none a name."""
    named = {"uq": "%(table_name)s_%(column_0_name)s_key"}
    with op.batch_alter_table("events", naming_convention=named) as events:
        events.drop_constraint("events_uid_key", type_="unique")
    op.create_index(
        "events_uid", "events", ["uid"], unique=True, sqlite_where=text("watch_id IS NULL")
    )


def _pace() -> None:
    op.create_table(
        "pace",
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


def _discoveries() -> None:
    op.create_table(
        "discoveries",
        Column("source", TEXT, primary_key=True),
        Column("since", BIG, nullable=False),
        Column("anchor", TEXT, nullable=False),
        Column("updated_at", BIG, nullable=False),
        sqlite_strict=True,
    )
