"""Progress in one message: what names it at the receiver is kept with the watch.

An expand: code of the schema before knows nothing of it, and posts every state.
"""

from alembic import op
from sqlalchemy import BigInteger, Column, ForeignKey, Integer, Text

revision = "4"
down_revision = "3"
compatible_from = 1

BIG = BigInteger().with_variant(Integer(), "sqlite")
TEXT = Text().with_variant(Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add a table."""
    watch = ForeignKey("watches.id", ondelete="CASCADE")
    op.create_table(
        "receipts",
        Column("watch_id", BIG, watch, primary_key=True),
        Column("webhook_id", Integer, primary_key=True, autoincrement=False),
        Column("place", TEXT, nullable=False),
        Column("receipt", TEXT, nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
