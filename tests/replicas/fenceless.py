"""A broken daemon, as a control: what it writes is accepted whoever owns the row by now.

`python -m tests.replicas.fenceless run -c FILE`. The guard is the owner, the fence and, in series
with them, the order of steps; with any of these left, the ledger shows no harm.
"""

from collections.abc import Collection

from sqlalchemy import BinaryExpression, ColumnElement, Update, and_

from bridge.store import recording, settling
from bridge.store.sql import Statement
from tests.replicas import quick


def unguarded(statement: Statement, kept: Collection[str]) -> Statement:
    """Return an update that asks nothing of a row but that it is the one: columns `kept`."""
    update = statement.construct
    assert isinstance(update, Update)
    (*guards,) = update._where_criteria  # noqa: SLF001  (there is no public way to read them)
    chosen = [one for one in guards if _compares(one, kept)]
    assert len(chosen) == len(kept) < len(guards)
    update = update._generate()  # noqa: SLF001  (a copy, to which other terms are given)
    update._where_criteria = ()  # noqa: SLF001
    return Statement(f"{statement.name}, whoever owns it", update.where(and_(*chosen)))


def _compares(term: ColumnElement[bool], kept: Collection[str]) -> bool:
    return isinstance(term, BinaryExpression) and getattr(term.left, "name", None) in kept


def main() -> None:
    """Run without guards."""
    for module, name in ((recording, "STEP"), (settling, "SETTLE")):
        setattr(module, name, unguarded(getattr(module, name), ["id"]))
    quick.main()


if __name__ == "__main__":
    main()
