"""The table of commands: `genbridge --help` reads it and loads none of them."""

import sys
from importlib import import_module
from io import TextIOWrapper
from keyword import iskeyword
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from bridge import __version__
from bridge.errors import GenbridgeError

COMMANDS = {
    "run": "Run the daemon.",
    "check": "Name every mistake in the configuration.",
    "watch": "Watch a generation.",
    "unwatch": "End a watch.",
    "try": "Ask a source about one generation, once, and say what was read.",
    "status": "Show what is watched.",
    "deliveries": "Show deliveries, or one with every attempt.",
    "explain": "Explain a delivery: what happened, why, what comes next, what to do.",
    "replay": "Send deliveries again, by their IDs or many at once.",
    "send-test": "Send an example to a webhook, and say what its answer means.",
    "webhooks": "Show the webhooks and how they stand, or one in full.",
    "pause": "Pause a webhook.",
    "resume": "Resume a webhook that was paused or disabled.",
    "demo": "Show everything at work, without a key: a simulated API, the daemon, a receiver.",
    "simulate": "Simulate the upstream APIs.",
    "listen": "Receive callbacks here, verify and print them.",
    "render": "Show what a webhook would be sent.",
    "keys": "Make secrets.",
    "verify": "Check the signature of a callback.",
    "db": "Look after the database: its schema, its backups, its way to PostgreSQL.",
    "schema": "Print the JSON Schema of the configuration.",
}
"""Every command's name and help; the help is the first line of the docstring of its file."""


class LazyGroup(TyperGroup):
    """Commands that are known by name and help, and imported when they are called."""

    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401  (typer's own signature)
        super().__init__(**attributes)
        self.commands = {
            name: TyperCommand(name, help=about) for name, about in COMMANDS.items()
        }

    def resolve_command(
        self,
        ctx: Any,  # noqa: ANN401
        args: list[str],
    ) -> tuple[str | None, Any, list[str]]:
        """Return the real command that the arguments name, and what is left for it."""
        name, known, rest = super().resolve_command(ctx, args)
        return name, known if name is None else loaded(name), rest


def module_of(name: str) -> str:
    """Return the module of a command: a hyphen is none of its letters, `try` a word of Python's."""
    word = name.replace("-", "_")
    return f"bridge.cli.{word}_" if iskeyword(word) else f"bridge.cli.{word}"


def loaded(name: str) -> Any:  # noqa: ANN401  (typer keeps the type of its commands to itself)
    """Return a command of the table, imported."""
    command = typer.main.get_command(import_module(module_of(name)).app)
    command.name = name
    for one in (command, *getattr(command, "commands", {}).values()):
        one.help = _flowing(one.help or "")
    return command


def _flowing(text: str) -> str:
    """Return a docstring with each paragraph on one line: the terminal's width breaks it anew."""
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # it prints the values of variables: secrets
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"genbridge {__version__}")
        raise typer.Exit


@app.callback()
def genbridge(
    *,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Watch generations that can only be polled, and tell webhooks about them."""


def obey() -> int:
    """Do what the command line says, and return the exit code of an error of ours, else 0.

    1: failed; 2: usage or configuration; 3: the daemon cannot be reached. Typer ends the process
    itself, with 2 after a wrong command line.
    """
    if isinstance(sys.stdout, TextIOWrapper):
        # A terminal or a pipe that knows no ✓ gets something else, not an error.
        sys.stdout.reconfigure(errors="replace")
    try:
        typer.main.get_command(app)(prog_name="genbridge")
    except GenbridgeError as error:
        sys.stderr.write(f"genbridge: {error}\n")
        return error.exit_code
    return 0
