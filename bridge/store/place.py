"""Where a database file may lie, who may read it, and which process holds it."""

import ctypes
import fcntl
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bridge.errors import StoreRefused, StoreUnavailable

PRIVATE = 0o600

NETWORK = {
    0x6969: "NFS",
    0x517B: "SMB",
    0xFE534D42: "SMB",
    0xFF534D42: "SMB",
    0x01021997: "9p",
    0x00C36400: "Ceph",
}
"""File systems on which SQLite's locks do not hold, by their magic in statfs(2)."""


def magic(folder: Path) -> int:
    """Return what statfs(2) says a folder's file system is; 0 where it cannot be asked."""
    if sys.platform != "linux":
        return 0
    answer = ctypes.create_string_buffer(512)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.statfs(os.fsencode(folder), answer):
        error = ctypes.get_errno()
        raise StoreUnavailable(f"{folder}: {os.strerror(error)}")
    return ctypes.c_ulong.from_buffer(answer).value & 0xFFFFFFFF


@contextmanager
def held(path: Path, *, kind: Callable[[Path], int] = magic) -> Iterator[None]:
    """Hold a database file, made where it is missing, private and on a local disk.

    Raises StoreRefused with the way out where it must not be used.
    """
    folder = path.parent
    if not folder.is_dir():
        raise StoreRefused(
            f"database {path}: the folder {folder} does not exist: create it"
        )
    if network := NETWORK.get(kind(folder)):
        raise StoreRefused(
            f"database {path}: {folder} is on a network drive ({network}), where SQLite's "
            "locks do not hold: use a local disk, or postgresql://"
        )
    with _locked(path.with_name(path.name + ".lock")):
        _made_private(path)
        for ending in ("-wal", "-shm"):
            _tightened(path.with_name(path.name + ending))
        yield


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock file. It is never deleted: a deleted one would be held twice."""
    _tightened(path)
    lock = _opened(path, os.O_RDWR | os.O_CREAT)
    try:
        if not _taken(lock):
            raise StoreRefused(
                f"{path}: the database is held by {_holder(lock)}: one process at a time "
                "uses a SQLite file; stop that one, or use postgresql://"
            )
        with suppress(OSError):  # on a full disk the lock holds without its pid
            os.ftruncate(lock, 0)
            os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(lock)


def _taken(lock: int) -> bool:
    """Say whether the lock is ours now; `db status` may hold it for some microseconds."""
    for pause in (0.0, 0.02, 0.2):
        time.sleep(pause)
        with suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
    return False


def _holder(lock: int) -> str:
    text = os.pread(lock, 32, 0).decode("ascii", "replace").strip()
    return f"process {text}" if text.isdigit() else "another process"


def _made_private(path: Path) -> None:
    """Create the file where it is missing, readable by its owner alone, or tighten it."""
    if _tightened(path):
        return
    os.close(_opened(path, os.O_RDWR | os.O_CREAT | os.O_EXCL))
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _opened(path: Path, flags: int) -> int:
    with _refusing(path):
        return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE)


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreRefused(
            f"{path}: cannot be opened for writing: {error.strerror}: check its rights and "
            "those of its folder"
        ) from error


def _tightened(path: Path) -> bool:
    """Say whether the file is there; refuse a foreign one, close an open one to others."""
    with _refusing(path):
        if not os.path.lexists(path):
            return False
        status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        raise StoreRefused(f"{path} is a symbolic link: name the file that it points to")
    if not stat.S_ISREG(status.st_mode):
        raise StoreRefused(
            f"{path} is not a file: name a file, which is created if missing"
        )
    if status.st_uid != os.geteuid():
        raise StoreRefused(
            f"{path} belongs to user {status.st_uid}, this process runs as {os.geteuid()}: "
            "run as its owner, or give the file to this user"
        )
    if stat.S_IMODE(status.st_mode) & ~PRIVATE:
        with _refusing(path):
            path.chmod(PRIVATE)
    return True
