"""Modelled on two facts: `verify` exits 0 for a misspelt key and ignores the line, so only an
empty stderr counts; and `security --threshold` takes the score times ten."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "systemd/genbridge.service"
EGRESS = ROOT / "systemd/genbridge.service.d/10-egress.conf"
# The program is not installed where the unit is tested; nothing else is let through.
ABSENT = re.compile(r"^.*is not executable: No such file or directory\n?", re.MULTILINE)

pytestmark = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None and "CI" not in os.environ,
    reason="systemd-analyze is not installed (Debian: apt install systemd)",
)


def verified(root: Path, text: str, *drop_ins: Path) -> str:
    """Put a unit under a root; what systemd-analyze has to say about it."""
    folder = root / "etc/systemd/system"
    (folder / f"{UNIT.name}.d").mkdir(parents=True)
    (folder / UNIT.name).write_text(text)
    for drop_in in drop_ins:
        shutil.copy(drop_in, folder / f"{UNIT.name}.d")
    command = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no"]
    done = subprocess.run(
        [*command, folder / UNIT.name], capture_output=True, text=True, check=False
    )
    return ABSENT.sub("", done.stderr)


def exposed(root: Path, *, limit: float) -> bool:
    """Whether a verified unit is more exposed than the limit."""
    done = subprocess.run(
        [
            "systemd-analyze",
            "security",
            "--offline=true",
            f"--root={root}",
            f"--threshold={limit * 10:.0f}",
            "--no-pager",
            UNIT.name,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Overall exposure level" in done.stdout, done.stderr
    return done.returncode != 0


def test_systemd_has_nothing_to_remark_on_the_unit(tmp_path: Path) -> None:
    assert verified(tmp_path, UNIT.read_text()) == ""
    assert not exposed(tmp_path, limit=0.9)


def test_the_unit_stays_closed_with_the_public_addresses_open(tmp_path: Path) -> None:
    assert verified(tmp_path, UNIT.read_text(), EGRESS) == ""
    assert not exposed(tmp_path, limit=1.0)


def test_a_misspelt_key_in_the_unit_would_be_noticed(tmp_path: Path) -> None:
    typo = UNIT.read_text().replace("ProtectSystem=", "ProtectSytem=")
    assert "ProtectSytem" in verified(tmp_path, typo)


def test_a_unit_without_its_sandbox_would_be_noticed(tmp_path: Path) -> None:
    sandbox = r"^(System|Restrict|Protect|Private|Capability|NoNew).*\n"
    naked = re.sub(sandbox, "", UNIT.read_text(), flags=re.MULTILINE)
    assert verified(tmp_path, naked) == ""
    assert exposed(tmp_path, limit=1.0)


def test_the_unit_lets_out_what_the_address_guard_lets_out() -> None:
    made = subprocess.run(
        [sys.executable, ROOT / "systemd/egress.py"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert made.stdout == EGRESS.read_text()
