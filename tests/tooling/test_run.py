import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RUN = ROOT / "run"


def said(*arguments: str | Path, **changed: str) -> tuple[int, str]:
    done = subprocess.run(
        arguments,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **changed},
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("shell", ["sh", "dash"])
def test_run_is_plain_posix_shell(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    assert RUN.read_text().startswith("#!/bin/sh\n")
    assert said(shell, "-n", RUN) == (0, "")


@pytest.mark.parametrize("script", ["run", ".ci/run"])
def test_the_scripts_can_be_started(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK)


def test_run_without_a_command_says_which_there_are() -> None:
    status, text = said(RUN)
    assert status == 2
    for command in ("demo", "genbridge", "test", "check", "bench", "lock"):
        assert f"./run {command} " in text


def test_run_says_in_plain_words_that_there_is_no_python(tmp_path: Path) -> None:
    checkout = tmp_path / "a checkout"
    tools = tmp_path / "tools"
    checkout.mkdir()
    tools.mkdir()
    for name in ("run", "pyproject.toml", "requirements.lock", "requirements-dev.lock"):
        shutil.copy(ROOT / name, checkout)
    for name in ("sh", "cat", "cksum", "date", "dirname", "rm"):
        (tools / name).symlink_to(shutil.which(name) or "")
    status, text = said(checkout / "run", "demo", PATH=str(tools))
    assert status == 2
    assert text.startswith("run: Python 3.11 or newer is needed")
    assert "apt install" in text
    assert not (checkout / ".venv").exists()


def test_the_gate_needs_no_more_than_bash() -> None:
    assert said("bash", "-n", ROOT / ".ci/run") == (0, "")
