"""The configuration as commands read it: from a file, with this process's environment."""

from pathlib import Path

from bridge.config import Environment, load
from bridge.core.settings import Settings
from bridge.plugins import Plugins


def settings(path: Path, *, check: bool = False) -> Settings:
    """Return what the file says; `check`: credentials that cannot be read here count as present.

    Raises ConfigError with every mistake.
    """
    return load(
        path, str(path), environment=Environment.real(), catalog=Plugins(), check=check
    )
