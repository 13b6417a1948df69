"""The first minutes of a newcomer, with the commands as they are written in the pages."""

import json
import re
import shlex
import sqlite3
import urllib.request
from pathlib import Path

from bridge.core.ladder import State
from tests.cli.calling import genbridge, line_with, running
from tests.docs.pages import DOCS, README, block

OPERATIONS = DOCS / "operations.md"


def _told(line: str) -> tuple[str, ...]:
    """Webhook, format, event, state and source of a line of the demo."""
    return tuple(line.split()[1:6])


def test_the_demo_shows_what_the_readme_says() -> None:
    shown = block(README, "console", "./run demo").splitlines()
    done = genbridge("demo")
    assert done.returncode == 0, done.stdout
    real = done.stdout.splitlines()
    callbacks = [line for line in shown if "✓ verified" in line]
    assert len(callbacks) > 5
    assert {_told(line) for line in callbacks} <= {_told(line) for line in real}
    seconds = re.compile(r"[0-9.]+ s$")
    assert seconds.sub("", shown[-1]) == seconds.sub("", real[-1])


def _secret() -> str:
    (secret,) = set(re.findall(r"whsec_\S+", OPERATIONS.read_text()))
    return str(secret)


def test_without_an_account_a_callback_arrives_all_the_same(tmp_path: Path) -> None:
    command = shlex.split(block(OPERATIONS, "sh", "curl"))
    words = dict(zip(command[1:-1:2], command[2:-1:2], strict=True))
    name, _, value = words["-H"].partition(": ")
    text = block(OPERATIONS, "yaml", "# config.yaml")
    with (
        running("simulate", "--port", "0") as api,
        running("listen", "--port", "0", GENBRIDGE_SECRET=_secret()) as receiver,
    ):
        place = re.findall(r"http://[\d.]+:\d+", line_with(api, "luma-agents:"))[0]
        hook = line_with(receiver, "listening on").split()[-1]
        request = urllib.request.Request(  # noqa: S310  (loopback)
            command[-1].replace("http://127.0.0.1:8380", place),
            data=words["-d"].encode(),
            headers={name: value},
        )
        with urllib.request.urlopen(request) as answer:  # noqa: S310  (loopback)
            begun = json.load(answer)["id"]
        # The simulator's ids are always the same, in the same order: the page may name it.
        assert begun in text
        text = text.replace("http://127.0.0.1:8380", place)
        text = text.replace("http://127.0.0.1:8390/webhook", hook)
        text = f"server: {{listen: off}}\ndatabase: {tmp_path}/genbridge.db\n{text}"
        (tmp_path / "config.yaml").write_text(text)
        with running("run", "-c", tmp_path / "config.yaml", STUDIO_SECRET=_secret()):
            line = line_with(receiver, "generation.")
    assert begun in line
    assert "attempt 1, verified → 200" in line
    assert any(f"generation.{state.word}" in line for state in State)


def test_the_backup_of_the_page_is_a_whole_database(tmp_path: Path) -> None:
    command = shlex.split(block(OPERATIONS, "sh", "db backup"))
    assert command[:2] == ["./run", "genbridge"]
    text = f"database: {tmp_path}/genbridge.db\nserver: {{listen: off}}\n"
    (tmp_path / "config.yaml").write_text(text)
    with running("run", "-c", tmp_path / "config.yaml") as daemon:
        assert daemon.stderr is not None
        while '"ready"' not in daemon.stderr.readline():
            assert daemon.poll() is None
        done = genbridge(*command[2:], folder=tmp_path)
    assert done.returncode == 0, done.stderr
    copy = sqlite3.connect(tmp_path / command[-1])
    assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert copy.execute("SELECT count(*) FROM watches").fetchone() == (0,)
    copy.close()
