import json
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bridge.store.tables import REVISION
from tests.cli.calling import genbridge, running
from tests.cli.test_run import logged


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "genbridge.db"


@pytest.fixture
def config(tmp_path: Path, database: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(
        f"database: {database}\n"
        'server: {listen: "off"}\n'
        "sources: {luma: {provider: luma-agents, api_key: CANARY}}\n"
        "webhooks: {studio: {url: 'https://example.com/CANARY'}}\n"
    )
    return path


@pytest.fixture
def made(config: Path, database: Path) -> Path:
    database.touch()
    assert genbridge("db", "upgrade", "-c", config).returncode == 0
    return database


def test_an_empty_file_gets_the_schema_once(config: Path, database: Path) -> None:
    database.touch()
    assert genbridge("db", "upgrade", "-c", config).stdout == (
        f"the schema is {REVISION} now, it was none\n"
    )
    assert genbridge("db", "upgrade", "-c", config).stdout == (
        f"the schema is {REVISION} already\n"
    )


def test_a_working_daemon_is_described_backed_up_and_not_upgraded(
    config: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.db"
    with running("run", "-c", config) as process:
        logged(process, "ready")
        shown = genbridge("db", "status", "-c", config)
        copied = genbridge("db", "backup", copy, "-c", config)
        upgraded = genbridge("db", "upgrade", "-c", config)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert f"alive as process {process.pid}, owns 0 watches" in shown.stdout
    size = copy.stat().st_size / 1024
    assert (copied.returncode, copied.stdout) == (0, f"{copy}: {size:.1f} KiB, checked\n")
    assert 100 < size < 1000
    assert upgraded.returncode == 2
    assert f"held by process {process.pid}" in upgraded.stderr


def test_programs_read_the_status_as_json(config: Path, made: Path) -> None:
    done = genbridge("db", "status", "--json", "-c", config)
    found = json.loads(done.stdout)
    assert found["database"] == str(made)
    assert (found["schema"], found["watches"], found["replicas"]) == (REVISION, {}, [])


def test_the_status_of_an_older_schema_names_the_way_out(config: Path, made: Path) -> None:
    with closing(sqlite3.connect(made)) as connection:
        connection.execute("UPDATE meta SET value = '0' WHERE key = 'revision'")
        connection.commit()
    shown = genbridge("db", "status", "-c", config)
    assert "run `genbridge db upgrade`" in shown.stdout
    refused = genbridge("run", "-c", config)
    assert refused.returncode == 2
    assert "run `genbridge db upgrade`" in refused.stderr


def test_a_backup_never_replaces_a_file(config: Path, made: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    copy.write_text("precious")
    done = genbridge("db", "backup", copy, "-c", config)
    assert done.returncode == 2
    assert done.stderr == (
        f"genbridge: {copy} is there already: name another file (it is kept)\n"
    )
    assert copy.read_text() == "precious"


def test_a_move_tells_of_each_table(made: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.db"
    done = genbridge("db", "move", made, new)
    assert done.returncode == 0, done.stderr
    assert "watches               0 rows, the same\n" in done.stdout
    assert done.stdout.endswith(
        f"all 0 rows are there: set `database: {new}` and start the daemon\n"
    )
    again = genbridge("db", "move", made, made)
    assert (again.returncode, again.stdout) == (2, "")
    assert "cannot be moved into itself" in again.stderr


@pytest.mark.parametrize("words", [("status",), ("backup", "copy.db"), ("upgrade",)])
def test_a_database_that_is_not_there_is_a_sentence(
    config: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    done = genbridge("db", *words, "-c", config, folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("genbridge: there is no database ")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["config.yaml"]
