"""What genbridge raises on purpose.

    GenbridgeError
    ├── ConfigError            the configuration or the command line is wrong        exit 2
    ├── StoreError
    │   ├── StoreRefused       this database must not be opened (foreign, newer,
    │   │                      held by another process, on a network drive)         exit 2
    │   ├── StoreUnavailable   full, read-only, locked, gone: the same call may
    │   │                      succeed later; nothing was written
    │   └── StoreBroken        the file is damaged: it is kept as it is             exit 1
    ├── NoDaemon               the running daemon cannot be reached                 exit 3
    └── StartError             an address is in use, a part would not start         exit 1

An expected outcome (a 503, an older state, a refused connection) is a value, not one of these.
A message says where, what was expected and what came instead; it never holds a key, a secret or
the path of a webhook's URL.
"""


class GenbridgeError(Exception):
    """Anything that genbridge raises on purpose; `exit_code` is what a command ends with."""

    exit_code = 1


class ConfigError(GenbridgeError):
    """The configuration is wrong; the message holds every mistake with its place, a line each."""

    exit_code = 2


class StoreError(GenbridgeError):
    """The database did not do what was asked; nothing of the call was written."""


class StoreRefused(StoreError):
    """The database must not be used as it stands; the message names the way out."""

    exit_code = 2


class StoreUnavailable(StoreError):
    """The database cannot write or read now (full, read-only, locked); ask again later."""


class StoreBroken(StoreError):
    """The database file is damaged; it is kept, never started anew."""


class NoDaemon(GenbridgeError):
    """The running daemon cannot be reached."""

    exit_code = 3


class StartError(GenbridgeError):
    """A part of the daemon would not start; the message says which and what to do."""
