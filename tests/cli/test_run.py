import json
import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from tests.cli.calling import genbridge, running


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(
        f"database: {tmp_path / 'genbridge.db'}\n"
        'server: {listen: "off"}\n'
        "sources: {luma: {provider: luma-agents, api_key: CANARY}}\n"
        "webhooks: {studio: {url: 'https://example.com/CANARY'}}\n"
    )
    return path


def logged(process: subprocess.Popen[str], event: str) -> dict[str, object]:
    """Return the next entry of the log with this phrase."""
    assert process.stderr is not None
    seen = []
    for line in process.stderr:
        seen.append(line)
        entry: dict[str, object] = json.loads(line)
        if entry["event"] == event:
            return entry
    raise AssertionError(f"no {event!r} in {''.join(seen)}")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_daemon_runs_until_it_is_told_to_stop(
    config: Path, number: signal.Signals
) -> None:
    with running("run", "-c", config) as process:
        assert logged(process, "ready")["sources"] == 1
        process.send_signal(number)
        assert logged(process, "stopped")["level"] == "info"
        assert process.wait(10) == 0


def test_every_line_of_the_log_is_json_and_holds_no_secret(config: Path) -> None:
    with running("run", "-c", config, "--log-level", "debug") as process:
        logged(process, "ready")
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=10)
    assert out == ""
    assert all(json.loads(line)["time"].endswith("Z") for line in err.splitlines())
    assert "CANARY" not in err


def test_a_reload_is_told_good_or_bad(config: Path) -> None:
    with running("run", "-c", config) as process:
        logged(process, "ready")
        good = config.read_text()
        config.write_text("webhoks: {}\n")
        process.send_signal(signal.SIGHUP)
        refused = logged(process, "reload refused")
        assert f"{config}:1:1: webhoks: unknown key" in str(refused["reason"])
        config.write_text(good.replace("studio:", "studio2:"))
        process.send_signal(signal.SIGHUP)
        logged(process, "reloaded")
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_a_warning_of_the_configuration_is_a_fixed_phrase_at_the_start_and_after_a_reload(
    config: Path,
) -> None:
    config.write_text(config.read_text().replace("https://", "http://"))
    phrase = "the configuration is worth a look"
    with running("run", "-c", config) as process:
        found = logged(process, phrase)
        assert found["level"] == "warning"
        assert f"{config}:4:" in str(found["reason"])
        assert "webhooks.studio" in str(found["reason"])
        logged(process, "ready")
        process.send_signal(signal.SIGHUP)
        assert logged(process, phrase)["reason"] == found["reason"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_a_wrong_configuration_ends_it_with_2_and_every_mistake(config: Path) -> None:
    config.write_text("webhoks: {}\nsorces: {}\n")
    done = genbridge("run", "-c", config)
    assert done.returncode == 2
    assert "webhoks: unknown key; did you mean webhooks?" in done.stderr
    assert "sorces: unknown key; did you mean sources?" in done.stderr


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 0), (signal.SIGHUP, 2)]
)
def test_signals_are_obeyed_before_the_daemon_has_begun(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    # A configuration that does not come keeps the process where the daemon has not begun. After
    # SIGHUP it reads on, and finds the file empty.
    pipe = tmp_path / "config.yaml"
    os.mkfifo(pipe)
    with running("run", "-c", pipe) as process:
        # Opening the other end succeeds only once the process waits for the file's content.
        with pipe.open("wb"):
            process.send_signal(number)
            if code == 0:
                assert process.wait(10) == 0
        assert process.wait(10) == code


def test_a_port_in_use_ends_it_with_1_and_the_way_out(config: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        config.write_text(config.read_text().replace('"off"', f'"{address}"'))
        done = genbridge("run", "-c", config)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"genbridge: cannot listen at {address}: ")
    assert "server.listen" in last
    assert "Traceback" not in done.stderr
