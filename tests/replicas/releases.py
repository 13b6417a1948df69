"""Releases to come: the tree of this one with another schema, as its authors would change it.

The next one says `build` where this one says `version` of a replica, and brings the *expand* that
makes both possible; the one after it brings the *contract* that takes `version` away.
"""

import re
import shutil
from pathlib import Path
from textwrap import dedent

from bridge.store.tables import COMPATIBLE_FROM, REVISION

ROOT = Path(__file__).parents[2]

EXPAND, CONTRACT = REVISION + 1, REVISION + 2
"""The schemas of the next release and of the one after it."""

OF_EXPAND = """
    op.add_column("replicas", sa.Column("build", sa.Text))
    op.alter_column("replicas", "version", nullable=True)
"""
OF_CONTRACT = """
    op.drop_column("replicas", "version")
"""


def next_release(folder: Path) -> Path:
    """Make the next release in a folder and return its root."""
    root = _copied(ROOT, folder / "next")
    _script(root, EXPAND, COMPATIBLE_FROM, OF_EXPAND)
    tables = root / "bridge/store/tables.py"
    _edit(tables, r"^REVISION = \d+$", f"REVISION = {EXPAND}")
    # Its code calls the column as before; only the database knows the new name.
    _edit(tables, r'Column\("version", .*', 'Column("build", TEXT, key="version"),')
    return root


def release_after_it(folder: Path) -> Path:
    """Make the release after the next in a folder and return its root."""
    root = _copied(next_release(folder), folder / "after")
    _script(root, CONTRACT, EXPAND, OF_CONTRACT)
    tables = root / "bridge/store/tables.py"
    _edit(tables, r"^REVISION = \d+$", f"REVISION = {CONTRACT}")
    _edit(tables, r"^COMPATIBLE_FROM = \d+$", f"COMPATIBLE_FROM = {EXPAND}")
    return root


def _copied(tree: Path, root: Path) -> Path:
    ours = shutil.ignore_patterns("__pycache__")
    shutil.copytree(tree / "bridge", root / "bridge", ignore=ours)
    entry = Path("tests/replicas/quick.py")
    (root / entry).parent.mkdir(parents=True)
    shutil.copy(tree / entry, root / entry)
    return root


def _script(root: Path, revision: int, compatible_from: int, work: str) -> None:
    head = f"""
        import sqlalchemy as sa
        from alembic import op
        revision, down_revision, compatible_from = "{revision}", "{revision - 1}", {compatible_from}

        def upgrade():
    """
    path = root / f"bridge/store/migrations/versions/r{revision:04}_replicas.py"
    path.write_text(dedent(head).strip() + work)


def _edit(path: Path, pattern: str, text: str) -> None:
    changed, count = re.subn(pattern, text, path.read_text(), flags=re.MULTILINE)
    assert count == 1, f"{path.name} has no longer one {pattern}"
    path.write_text(changed)
