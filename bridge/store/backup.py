"""A backup of a SQLite file: one whole, checked file, made while the daemon goes on working."""

import errno
import os
import sqlite3
import tempfile
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote

from bridge.errors import StoreBroken, StoreError, StoreRefused
from bridge.store.connection import reading, translated
from bridge.store.file import recognised

_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS}


def backup(database: Path, copy: Path) -> int:
    """Copy a database into a new file, which its owner alone may read; return its size.

    The copy is what was committed when it began; it has its name only once it is whole, on the
    disk and checked. Meanwhile the daemon writes on, into a log that grows by as much. Raises
    StoreRefused where the file is there already, StoreError where it cannot be made.
    """
    if not database.exists():
        raise StoreRefused(f"there is no database {database}")
    with translated(database), closing(reading(database)) as connection:
        recognised(connection, database)
        return _written(connection, copy)


def _written(connection: sqlite3.Connection, copy: Path) -> int:
    _refuse_existing(copy)
    part = _part(copy)
    try:
        # Into the empty file, for SQLite would make one with rights after the umask.
        connection.execute("VACUUM INTO ?", (str(part),))
        _on_disk(part)
        _sound(part)
        _named(part, copy)
        _on_disk(copy.parent)
        return copy.stat().st_size
    except OSError as error:
        raise StoreError(f"{copy}: {error.strerror}") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _refuse_existing(copy: Path) -> None:
    if os.path.lexists(copy):
        raise StoreRefused(f"{copy} is there already: name another file (it is kept)")


def _part(copy: Path) -> Path:
    try:
        file, name = tempfile.mkstemp(".part", f"{copy.name}.", copy.parent)
    except OSError as error:
        raise StoreRefused(f"{copy} cannot be made: {error.strerror}") from error
    os.close(file)
    return Path(name)


def _on_disk(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _sound(part: Path) -> None:
    address = f"file:{quote(str(part))}?mode=ro&immutable=1"
    with closing(sqlite3.connect(address, uri=True)) as connection:
        answer = connection.execute("PRAGMA quick_check(3)").fetchall()
    if answer != [("ok",)]:
        raise StoreBroken(f"the copy is damaged ({answer[0][0]}), and perhaps the database")


def _named(part: Path, copy: Path) -> None:
    """Give the copy its name: a link, unlike a renaming, never replaces a file."""
    try:
        os.link(part, copy)
    except FileExistsError:
        _refuse_existing(copy)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        _refuse_existing(copy)
        part.rename(copy)
