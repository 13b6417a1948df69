import re
import signal
from pathlib import Path

import httpx
import pytest

from tests.cli.calling import genbridge, line_with, running


def test_the_demo_shows_everything_and_passes(tmp_path: Path) -> None:
    done = genbridge("demo", TMPDIR=str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    *lines, verdict = done.stdout.splitlines()
    assert re.fullmatch(
        r"5 generations, \d+ callbacks, all signatures verified, a 503 and a 429 overcome, "
        r"in \d+\.\d s",
        verdict,
    )
    for word in ("standard", "slack", "flat", "queued", "dreaming", "completed", "failed"):
        assert any(word in line for line in lines)
    assert sum("→ 503" in line for line in lines) == 1
    assert sum("→ 429" in line for line in lines) == 1
    assert any("attempt 2" in line and "→ 200" in line for line in lines)
    assert all("✓ verified" in line for line in lines)
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"


def test_kept_everything_goes_on_until_ctrl_c(tmp_path: Path) -> None:
    with running("demo", "--keep", TMPDIR=str(tmp_path)) as process:
        line_with(process, "all signatures verified")
        api = line_with(process, "simulated APIs").split()[-1]
        ready = line_with(process, "/readyz").split()[1].rstrip(",")
        config = Path(line_with(process, "configuration").split()[-1])
        assert httpx.get(ready).status_code == 200
        assert httpx.get(f"{api}/luma-agents/v1/generations/x").status_code == 401
        assert "relay-luma" in config.read_text()
        process.send_signal(signal.SIGINT)
        assert process.wait(15) == 0
        with pytest.raises(httpx.HTTPError):
            httpx.get(ready)
    assert list(tmp_path.iterdir()) == []


def test_a_daemon_that_does_not_start_is_explained(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\nif 'run' in sys.argv: raise SystemExit('no daemon today')\n"
    )
    with running("demo", PYTHONPATH=str(tmp_path)) as process:
        out, _ = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "the demo failed:" in out
    assert "the webhook studio was told the end of 0 of 5 generations" in out
    assert "the daemon ended with exit code 1, where 0 was expected" in out
    assert "no daemon today" in out


def test_the_demo_can_be_stopped_early(tmp_path: Path) -> None:
    with running("demo", TMPDIR=str(tmp_path)) as process:
        line_with(process, "→")
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=15)
    assert process.returncode == 1
    assert "stopped" in out
    assert list(tmp_path.iterdir()) == []
