"""The programme: what the audience of the demo gets to read."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from bridge.cli.paint import Paint
from bridge.cli.stage.callback import Callback

_LOG_SHOWN = 60
"""Lines of the daemon's log that explain a failure."""


class Programme:
    """Writes it line by line; `say` is given each."""

    def __init__(self, say: Callable[[str], object], paint: Paint) -> None:
        self._say = say
        self._paint = paint

    def show(self, at: datetime, callback: Callback) -> None:
        """Tell of a callback."""
        clock = at.strftime("%H:%M:%S.%f")[:-3]
        seal = "✓ verified" if callback.verified else "✗ NOT VERIFIED"
        self._say(
            f"{clock}  {callback.webhook:<6}  {callback.format:<8}  {callback.type:<20}  "
            f"{callback.state:<9}  {_short(callback.subject):<22}  attempt {callback.attempt}  "
            f"{self._paint(seal, 'green' if callback.verified else 'red')}  → "
            f"{self._paint(str(callback.status), 'green' if callback.accepted else 'yellow')}"
        )

    def praise(self, verdict: str) -> None:
        """Tell that all went well."""
        self._say(self._paint(verdict, "green"))

    def blame(self, faults: Sequence[str], log: str) -> None:
        """Tell what went wrong, and what the daemon had to say."""
        self._say(self._paint("the demo failed:", "red"))
        for fault in faults:
            self._say(f"  {fault}")
        lines = log.splitlines()[-_LOG_SHOWN:]
        self._say("the daemon's log:" if lines else "the daemon logged nothing")
        for line in lines:
            self._say(f"  {line}")

    def invite(self, places: Mapping[str, str]) -> None:
        """Tell where everything is that goes on."""
        self._say("everything goes on until Ctrl-C:")
        for what, where in places.items():
            self._say(f"  {what:<16} {where}")
        self._say(
            "begin a generation at the simulated API, add its id to the configuration, and send "
            "SIGHUP to the daemon"
        )


def _short(subject: str) -> str:
    """Return source and id, of which the beginning is enough to tell ids apart."""
    source, _, id_ = subject.partition(" ")
    return f"{source} {id_[:8]}"
