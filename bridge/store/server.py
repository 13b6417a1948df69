"""One SQLAlchemy connection to a PostgreSQL server, for the commands that look after it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

import asyncpg
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from bridge.store.driving import CONNECTING, SETTINGS, shown, translated

T = TypeVar("T")

PATIENT = {**SETTINGS, "application_name": "genbridge db", "statement_timeout": "0"}
"""A table may take minutes to be read or changed; locks are waited for 2 s as ever."""


async def visit(
    url: str, work: Callable[[Connection], T], *, statement_timeout: float | None = None
) -> T:
    """Do the work on one connection.

    With a timeout, in seconds, each statement stands by itself. Raises StoreError.
    """
    where = shown(url)
    with translated(where):
        engine = _engine(url, statement_timeout)
        try:
            with _unwrapped():
                async with engine.connect() as connection:
                    return await connection.run_sync(work)
        finally:
            await engine.dispose()


def _engine(url: str, timeout: float | None) -> AsyncEngine:
    limits = {} if timeout is None else {"statement_timeout": f"{timeout * 1000:.0f}"}
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=partial(
            asyncpg.connect, url, timeout=CONNECTING, server_settings=PATIENT | limits
        ),
        poolclass=NullPool,
    )
    return engine.execution_options(isolation_level="AUTOCOMMIT") if limits else engine


@contextmanager
def _unwrapped() -> Iterator[None]:
    """Raise what asyncpg raised, out of what SQLAlchemy has put around it."""
    try:
        yield
    except DBAPIError as error:
        cause = error.orig.__cause__ if error.orig else None
        raise (cause or error) from None
