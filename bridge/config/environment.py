"""The environment: what a configuration may ask of the machine it stands on."""

import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

MOST_BYTES = 64 << 10
"""What `${file:…}` reads at most: secrets are small, and some files never end."""
_MOST_PEM = 4 << 20
"""A file of authorities at most; those of a system have some 200 KiB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Variables, files and credentials.

    `read_file` returns the bytes of a small regular file; it raises OSError, or ValueError
    with a reason, and never waits; so does `read_pem`, of files that may be larger.
    `credentials` is the folder of systemd's credentials, None where it is absent or may not be
    read. `now` tells which certificates have expired. `descriptors` is how many files this
    process may open; None: as many as it likes.
    """

    variables: Mapping[str, str] = field(repr=False)
    read_file: Callable[[Path], bytes]
    read_pem: Callable[[Path], bytes] = field(default_factory=lambda: pem_file)
    now: Callable[[], datetime] = field(default_factory=lambda: _machine_time)
    credentials: Path | None = None
    descriptors: int | None = None

    @classmethod
    def real(cls) -> Self:
        """Return the environment of this process."""
        return cls(
            variables=dict(os.environ),
            read_file=small_file,
            credentials=_readable(os.environ.get("CREDENTIALS_DIRECTORY")),
            descriptors=_descriptors(),
        )


def small_file(path: Path) -> bytes:
    """Return the bytes of a regular file of at most 64 KiB.

    It is opened without waiting: a pipe that nobody writes to must not hold the daemon up.
    """
    return _file(path, MOST_BYTES)


def pem_file(path: Path) -> bytes:
    """Return the bytes of a regular file of at most 4 MiB, as `small_file` does."""
    return _file(path, _MOST_PEM)


def _file(path: Path, most: int) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("not a regular file")
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"larger than {most >> 10} KiB")
    return content


def _machine_time() -> datetime:
    return datetime.now(UTC)  # noqa: TID251  (the machine itself is what is described here)


def _descriptors() -> int | None:
    """Return the limit that counts; there is none of this kind on Windows."""
    try:
        import resource  # noqa: PLC0415  (see above)
    except ImportError:
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft


def _readable(folder: str | None) -> Path | None:
    if not folder or not os.access(folder, os.R_OK | os.X_OK):
        return None
    return Path(folder)
