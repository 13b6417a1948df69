import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINT = (
    "import sys; from importlinter.cli import lint_imports_command; "
    "sys.exit(lint_imports_command(['--no-logo', '--no-cache']))"
)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy in which something may be planted."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(
        ROOT / "bridge", tmp_path / "bridge", ignore=shutil.ignore_patterns("__pycache__")
    )
    return tmp_path


def lint(checkout: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", LINT],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_every_arrow_points_one_way(checkout: Path) -> None:
    status, said = lint(checkout)
    assert status == 0, said


@pytest.mark.parametrize(
    ("place", "line", "broken"),
    [
        ("providers/planted.py", "import httpx", "Providers and formats are pure"),
        ("formats/planted.py", "import time", "Providers and formats are pure"),
        ("core/planted.py", "import sqlite3", "The core does nothing"),
        ("core/planted.py", "import bridge.engine", "Dependencies point one way"),
        ("web/planted.py", "import bridge.store", "Dependencies point one way"),
        ("planted.py", "", "Dependencies point one way"),
    ],
    ids=lambda value: value.replace(" ", "-") or "a-module-without-a-layer",
)
def test_a_forbidden_import_is_refused(
    checkout: Path, place: str, line: str, broken: str
) -> None:
    (checkout / "bridge" / place).write_text(f'"""Planted."""\n\n{line}\n')
    status, said = lint(checkout)
    assert status == 1, said
    assert f"{broken} BROKEN" in said
