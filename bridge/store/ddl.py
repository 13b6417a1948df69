"""The statements that make an empty database ours."""

from sqlalchemy import create_mock_engine
from sqlalchemy.sql.base import Executable

from bridge.store.tables import metadata


def statements(driver: str) -> list[str]:
    """Return them for a kind of database: `sqlite`, or `postgresql+asyncpg`."""
    made: list[str] = []

    def write(statement: Executable, *_: object, **__: object) -> None:
        made.append(str(statement.compile(dialect=engine.dialect)))  # type: ignore[attr-defined]

    engine = create_mock_engine(f"{driver}://", write)
    metadata.create_all(engine, checkfirst=False)
    return made
