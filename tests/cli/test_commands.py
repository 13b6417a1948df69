import subprocess
import sys
from importlib import import_module

import pytest

from bridge.cli.commands import COMMANDS, app, loaded, module_of, obey
from tests.cli.calling import environment, genbridge

HEAVY = (
    "yaml",
    "pydantic",
    "anyio",
    "aiohttp",
    "httpx",
    "sqlalchemy",
    "structlog",
    "starlette",
    "uvicorn",
    "apscheduler",
    "cryptography",
)


def imported_by(*arguments: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "bridge", *arguments],
        capture_output=True,
        text=True,
        check=True,
        env=environment(),
    )
    lines = (line.rpartition("|")[2].strip() for line in done.stderr.splitlines())
    return set(lines)


def test_help_names_every_command_and_imports_none_of_them() -> None:
    modules = imported_by("--help")
    assert "bridge.cli.commands" in modules
    assert not {module_of(name) for name in COMMANDS} & modules
    assert not set(HEAVY) & modules


def test_help_shows_what_each_command_does() -> None:
    done = genbridge("--help")
    assert done.returncode == 0
    text = " ".join(done.stdout.replace("│", " ").split())
    for name, about in COMMANDS.items():
        assert f"{name} {about}" in text


def test_the_table_says_the_same_as_the_commands_themselves() -> None:
    for name, about in COMMANDS.items():
        documentation = import_module(module_of(name)).__doc__ or ""
        assert documentation.splitlines()[0] == about


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_its_own_help(name: str) -> None:
    command = loaded(name)
    assert command.name == name
    assert command.help.startswith(COMMANDS[name])


@pytest.mark.parametrize(
    "name",
    [
        "listen",
        "keys",
        "simulate",
        "demo",
        "verify",
        "schema",
        "watch",
        "unwatch",
        "status",
        "render",
        "deliveries",
        "explain",
        "replay",
        "send-test",
        "webhooks",
        "pause",
        "resume",
        "try",
    ],
)
def test_help_of_a_command_loads_nothing_heavy(name: str) -> None:
    heavy = {"anyio", "aiohttp", "httpx", "sqlalchemy", "starlette", "uvicorn", "yaml"}
    assert not heavy & imported_by(name, "--help")


def test_the_version_is_that_of_the_package() -> None:
    done = genbridge("--version")
    assert (done.returncode, done.stdout) == (0, "genbridge 0.1.0\n")


def test_a_misspelt_command_is_usage_and_gets_a_hint() -> None:
    done = genbridge("chek")
    assert done.returncode == 2
    assert "Did you mean 'check'" in done.stderr


@pytest.mark.parametrize(
    "arguments", [[], ["run", "--no-such-option"], ["listen", "--port", "x"]]
)
def test_wrong_usage_ends_with_2(arguments: list[str]) -> None:
    assert genbridge(*arguments).returncode == 2


def test_commands_of_later_versions_are_not_promised() -> None:
    later = {"tail", "init"}
    assert not later & set(COMMANDS)


def test_an_error_of_ours_is_a_sentence_with_its_own_exit_code() -> None:
    done = genbridge("run", "-c", "/nowhere/config.yaml")
    assert done.returncode == 2
    assert done.stderr.startswith("genbridge: /nowhere/config.yaml:1:1: cannot be read")
    assert "Traceback" not in done.stderr


def test_the_application_can_be_called_from_python() -> None:
    assert app is not None
    with pytest.raises(SystemExit):
        obey()
