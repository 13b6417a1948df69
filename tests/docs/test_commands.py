"""Commands, flags and addresses in the pages are those of the program."""

import re
import shlex
from collections.abc import Iterator
from functools import cache

import pytest

from bridge.cli.commands import COMMANDS
from bridge.core.settings import Server
from tests.cli.calling import genbridge
from tests.docs.pages import GUIDES, README, ROOT, blocks, inline, table


def _lines() -> Iterator[str]:
    """Every command line that a page shows."""
    for page in GUIDES:
        for language in ("sh", "console"):
            for shown in blocks(page, language):
                yield from shown.text.replace("\\\n", " ").splitlines()
        yield from inline(page)


def _arguments(line: str) -> list[str] | None:
    """What is given to genbridge; None: another command."""
    found = re.match(
        r"(?:\$ )?(?:\S+=)?(?:\"\$\()?(?:\./run |\S*/)?genbridge (?P<said>[^#)]*)",
        line.removeprefix("export ").removeprefix("sh ").strip(),
    )
    if found is None:
        return None
    return shlex.split(found["said"].partition(" > ")[0].strip(' "'))


@cache
def _help(*command: str) -> str:
    done = genbridge(*command, "--help")
    assert done.returncode == 0, command
    return done.stdout


def _calls() -> list[tuple[str, ...]]:
    found = (_arguments(line) for line in _lines())
    said = {tuple(call) for call in found if call and call[0][0].isalpha()}
    return sorted(said)


def test_the_pages_show_commands() -> None:
    assert {call[0] for call in _calls()} == set(COMMANDS)


@pytest.mark.parametrize("call", _calls(), ids=" ".join)
def test_every_command_exists_with_its_flags(call: tuple[str, ...]) -> None:
    assert call[0] in COMMANDS
    words = call[:2] if call[0] in {"keys", "db"} else call[:1]
    shown = _help(*words)
    for flag in (word.partition("=")[0] for word in call if word.startswith("-")):
        assert re.search(rf"(?<![\w-]){flag}(?![\w-])", shown), flag


def test_every_flag_in_the_table_of_commands_exists() -> None:
    rows = list(table(README, "command"))
    assert len(rows) == len(COMMANDS)
    for row in rows:
        words = row["command"].strip("`").split()[1:]
        assert words[0] in COMMANDS
        for flag in re.findall(r"`(--[\w-]+)`", row["does"]):
            assert flag in _help(*words)


def test_what_is_to_be_pasted_calls_the_command_in_the_checkout() -> None:
    pages = (README, *(page for page in GUIDES if "docs" in page.parts))
    lines = [
        line
        for page in pages
        for one in blocks(page, "sh")
        for line in one.text.splitlines()
    ]
    called = [line for line in lines if re.search(r"\bgenbridge (?=[a-z])", line)]
    assert called
    assert [line for line in called if "./run genbridge" not in line] == []


def test_every_word_after_run_is_one_of_its_commands() -> None:
    script = (ROOT / "run").read_text()
    words = {w for line in _lines() for w in re.findall(r"(?:^|\s)\./run (\w+)", line)}
    assert words == {"demo", "genbridge", "test", "check", "bench"}
    for word in words:
        assert f"\n  {word}) " in script


def test_the_ports_and_paths_are_the_real_ones() -> None:
    text = README.read_text()
    health = (ROOT / "bridge/web/health.py").read_text()
    server = Server()
    assert f"`{server.host}:{server.port}`" in text
    for path in ("/healthz", "/readyz"):
        assert f"`GET {path}`" in text
        assert f'"{path}"' in health
    for command, port in (("simulate", "8380"), ("listen", "8390")):
        assert f"on port {port}" in text
        assert f"default: {port}" in _help(command)
