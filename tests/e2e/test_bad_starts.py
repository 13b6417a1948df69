"""What cannot work is refused at the start: an exit code, and a message that says what to do."""

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from tests.e2e.scene import CANARY, place, settings, source, webhook
from tests.e2e.stage import Stage, scene

pytestmark = pytest.mark.timeout(120)


def good(stage: Stage, **more: Any) -> dict[str, Any]:
    """Return settings that work."""
    return settings(
        {"aiml": source(stage.upstream.url("aimlapi-luma"))},
        {"studio": webhook(place(stage.receiver, "studio"))},
        [{"source": "aiml", "id": "g"}],
        **more,
    )


async def refused(stage: Stage, code: int, *words: str) -> None:
    """Begin the daemon, see it end with this code, these words and no trace of an accident."""
    before = len(stage.daemon.text)
    await stage.daemon.begin()
    assert await stage.daemon.ended() == code, stage.daemon.text
    said = stage.daemon.text[before:]
    for word in words:
        assert word in said, said
    assert "READY=1" not in stage.daemon.notices


@scene
async def test_a_wrong_configuration_ends_it_with_2_and_names_every_mistake(
    stage: Stage,
) -> None:
    wrong = good(stage)
    wrong["sources"]["aiml"]["provider"] = "luma-agent"
    wrong["sources"]["dream"] = source("http://127.0.0.1:1", "dream-machine")
    wrong["sources"]["dream"]["api_key"] = "${NO_SUCH_VARIABLE}"
    wrong["webhooks"]["team"] = webhook(f"ftp://x/{CANARY}", secret=f"whsec_{CANARY}")
    wrong["webhooks"]["team"]["secert"] = CANARY
    wrong["watches"][0]["webhooks"] = ["studoi"]
    stage.daemon.configure(wrong)
    await refused(
        stage,
        2,
        "config.yaml:",
        "did you mean luma-agents?",
        "NO_SUCH_VARIABLE",
        "webhooks.team.url",
        "genbridge keys new",
        "did you mean secret?",
        "did you mean studio?",
    )


@scene
async def test_a_file_that_is_no_yaml_ends_it_with_2_and_the_place(stage: Stage) -> None:
    texts = {
        f"sources:\n\t- {CANARY}\n": "config.yaml:2:",
        f"sources: {{a: [{CANARY}\n": "config.yaml:",
        f"sources: &{CANARY} [*{CANARY}]\n": "config.yaml:1:",
    }
    for text, place_ in texts.items():
        stage.daemon.config.write_text(text)
        await refused(stage, 2, place_)


@scene
async def test_a_configuration_that_is_not_there_ends_it_with_2(stage: Stage) -> None:
    await refused(stage, 2, "config.yaml")


@scene
async def test_a_foreign_file_is_not_taken_for_a_database_and_stays_as_it_is(
    stage: Stage,
) -> None:
    database = stage.daemon.database
    stage.daemon.configure(good(stage))
    database.write_text("a letter to a friend\n" * 100)
    database.chmod(0o600)
    await refused(stage, 2, "genbridge.db is not a SQLite database", "name another file")
    assert database.read_text() == "a letter to a friend\n" * 100


@scene
async def test_the_database_of_another_program_is_refused_and_stays_as_it_is(
    stage: Stage,
) -> None:
    database = stage.daemon.database
    stage.daemon.configure(good(stage))
    with closing(sqlite3.connect(database)) as other:
        other.execute("CREATE TABLE bookmarks (url TEXT)")
    content = database.read_bytes()
    await refused(stage, 2, "database of another program", "name another file")
    assert database.read_bytes() == content


@scene
async def test_a_database_that_cannot_be_there_is_refused(stage: Stage) -> None:
    stage.daemon.configure(good(stage, database=str(stage.folder / "none" / "x.db")))
    await refused(stage, 2, "does not exist: create it")
    (stage.folder / "folder.db").mkdir()
    stage.daemon.configure(good(stage, database=str(stage.folder / "folder.db")))
    await refused(stage, 2, "is not a file")


@scene
async def test_the_database_of_a_newer_genbridge_is_refused(stage: Stage) -> None:
    await stage.daemon.start(good(stage))
    assert await stage.daemon.stop() == 0
    with closing(sqlite3.connect(stage.daemon.database, isolation_level=None)) as other:
        other.execute("UPDATE meta SET value = '9999' WHERE key <> 'version'")
    await refused(stage, 2, "newer genbridge")


@scene
async def test_a_damaged_database_ends_it_with_1_and_is_kept(stage: Stage) -> None:
    await stage.daemon.start(good(stage))
    assert await stage.daemon.stop() == 0
    content = bytearray(stage.daemon.database.read_bytes())
    content[100:] = b"\xa5" * (len(content) - 100)
    stage.daemon.database.write_bytes(content)
    await refused(stage, 1, "damaged", "restore a backup")
    assert stage.daemon.database.read_bytes() == content


@scene
async def test_a_second_daemon_on_the_same_database_is_refused_and_the_first_goes_on(
    stage: Stage,
) -> None:
    await stage.daemon.start(good(stage))
    second = await stage.daemon.beside()
    assert second.returncode == 2
    said = second.stderr.decode()
    assert "the database is held by process " in said
    assert "stop that one" in said
    assert CANARY not in said
    assert await stage.daemon.stop() == 0


@scene
async def test_a_port_in_use_ends_it_with_1_and_the_way_out(stage: Stage) -> None:
    port = int(stage.receiver.url.rsplit(":", 1)[1].split("/")[0])
    stage.daemon.configure(good(stage, port=port))
    await refused(stage, 1, "another program listens there already", "server.listen")
