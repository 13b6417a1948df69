"""The environment: what a configuration may ask of the machine it stands on."""

import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

MOST_BYTES = 64 << 10
"""What `${file:…}` reads at most: secrets are small, and some files never end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Variables, files and credentials.

    `read_file` returns the bytes of a small regular file; it raises OSError, or ValueError
    with a reason, and never waits. `credentials` is the folder of systemd's credentials,
    None where it is absent or may not be read.
    """

    variables: Mapping[str, str] = field(repr=False)
    read_file: Callable[[Path], bytes]
    credentials: Path | None = None

    @classmethod
    def real(cls) -> Self:
        """Return the environment of this process."""
        return cls(
            variables=dict(os.environ),
            read_file=small_file,
            credentials=_readable(os.environ.get("CREDENTIALS_DIRECTORY")),
        )


def small_file(path: Path) -> bytes:
    """Return the bytes of a regular file of at most 64 KiB.

    It is opened without waiting: a pipe that nobody writes to must not hold the daemon up.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("not a regular file")
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ValueError(f"larger than {MOST_BYTES >> 10} KiB")
    return content


def _readable(folder: str | None) -> Path | None:
    if not folder or not os.access(folder, os.R_OK | os.X_OK):
        return None
    return Path(folder)
