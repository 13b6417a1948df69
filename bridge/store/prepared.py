"""A statement as SQLite runs it: its text in a few sizes, its values in order."""

import re
from itertools import chain
from typing import Any

from sqlalchemy.dialects import sqlite

from bridge.store.sql import MARK, Query, Statement, compiled

DIALECT = sqlite.dialect(paramstyle="qmark")

_ROWS = re.compile(re.escape(MARK) + r"(\d+)\?")


class Prepared:
    """One statement, and its texts for 1 to 8, 10, 12, 14, 16, 20, 24 … rows.

    A text of its own for every number of rows would be parsed anew nearly every time, at 3 µs a
    row (measured); of these few SQLite keeps the parsed form.
    """

    def __init__(self, statement: Statement) -> None:
        text = compiled(statement, DIALECT)
        self._names = text.names
        self._texts: dict[int, str] = {}
        batch = _ROWS.search(text.sql)
        self._before, self._after = (
            (text.sql, "") if batch is None else _around(text.sql, batch)
        )
        self._width = 0 if batch is None else int(batch[1])
        self._none = [None, *[0] * (self._width - 1)] if self._width else []

    def text(self, rows: int) -> str:
        """Return the text that takes at least so many rows."""
        size = _size(rows)
        if size not in self._texts:
            values = ",".join(["(" + ",".join("?" * self._width) + ")"] * size)
            self._texts[size] = self._before + (values if self._width else "") + self._after
        return self._texts[size]

    def values(self, query: Query, now: int) -> list[Any]:
        """Return the values of a query in the order of its text."""
        values: list[Any] = []
        for name in self._names:
            if name == "now":
                values.append(now)
            elif name == "rows":
                values.extend(chain.from_iterable(query.rows))
                values.extend(self._none * (_size(len(query.rows)) - len(query.rows)))
            else:
                values.append(query.given[name])
        return values


def _size(rows: int) -> int:
    """Return the next size of which there is a text: four between two powers of two."""
    if rows <= 4:
        return max(1, rows)
    step = 1 << ((rows - 1).bit_length() - 3)
    return -(-rows // step) * step


def _around(sql: str, batch: re.Match[str]) -> tuple[str, str]:
    return sql[: batch.start()], sql[batch.end() :]
