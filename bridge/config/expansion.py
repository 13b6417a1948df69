"""Expansion of ${…}: after parsing, once, and never read as YAML or expanded again.

`${NAME}` and `${NAME:-default}` read a variable, `${file:PATH}` a small file,
`${credential:NAME}` a credential of systemd. `$${` stands for `${` itself.
"""

import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from bridge.config.environment import Environment
from bridge.config.mistakes import Finding, Findings
from bridge.config.mistakes import Path as Steps
from bridge.config.openness import Openness, openness
from bridge.config.tree import Document, ListNode, MapNode

_MOST_CHARACTERS = 16 << 20
"""What all expansions of a file may add up to: references are short and files are not."""

_REFERENCE = re.compile(r"\$\$\{|\$\{(?P<inside>[^}]*)(?P<closed>\}?)")
_VARIABLE = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>.*))?", re.DOTALL)
_FORMS = "${NAME}, ${NAME:-default}, ${file:PATH} or ${credential:NAME}"


@dataclass(slots=True, kw_only=True)
class Expanded:
    """What expansion leaves behind.

    `places` are those of the values that came from elsewhere: they are never quoted in a
    message. `absent` are texts that stand for credentials which could not be read,
    `absent_at` where.
    """

    places: set[int] = field(default_factory=set)
    absent: set[str] = field(default_factory=set)
    absent_at: dict[str, tuple[int, Steps]] = field(default_factory=dict)


class _Missing(Exception):
    """What a reference names is not there; the message says so in a sentence."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def expand(
    document: Document,
    environment: Environment,
    findings: Findings,
    *,
    lenient: bool,
) -> Expanded:
    """Replace the references in all values of the document, in place.

    `lenient`: a credential counts as present where the folder itself cannot be read. Its
    value is then a stand-in of the right shape for a secret, the same for the same name.
    """
    expander = _Expander(document, environment, findings, lenient=lenient)
    # A backslash may hide a dollar in quotes; without either there is nothing to look for.
    if document.root is not None and ("$" in document.text or "\\" in document.text):
        expander.walk(document.root)
    return expander.expanded


class _Expander:
    def __init__(
        self,
        document: Document,
        environment: Environment,
        findings: Findings,
        *,
        lenient: bool,
    ) -> None:
        self.expanded = Expanded()
        self._document = document
        self._environment = environment
        self._findings = findings
        self._lenient = lenient
        self._files: dict[Path, str] = {}
        self._left = _MOST_CHARACTERS

    def walk(self, root: MapNode) -> None:
        """Expand everything below the root."""
        for branch, path in _branches(root):
            for number, step, value in branch.values():
                if isinstance(value, str) and "${" in value:
                    branch.put(step, self._expanded(branch, number, value, (*path, step)))

    def _expanded(
        self, branch: MapNode | ListNode, number: int, value: str, path: Steps
    ) -> str:
        place = branch.place(number)
        branch.quote(number)
        self.expanded.places.add(place)
        parts, done = [], 0
        for match in _REFERENCE.finditer(value):
            parts.append(value[done : match.start()])
            done = match.end()
            try:
                parts.append(self._meant(match, place, path))
            except _Missing as missing:
                self._document.refused.add(place)
                at = self._document.text.find(match[0], place, branch.end(number))
                self._complain(place if at < 0 else at, path, missing)
        return "".join((*parts, value[done:]))

    def _complain(self, index: int, path: Steps, missing: _Missing) -> None:
        self._findings.add(
            Finding(index=index, path=path, message=str(missing), hint=missing.hint)
        )

    def _meant(self, match: re.Match[str], place: int, path: Steps) -> str:
        if match[0] == "$${":
            return "${"
        if not match["closed"]:
            raise _Missing("this ${ is never closed", hint="write $${ for ${ itself")
        text = self._value(match["inside"], place, path)
        self._left -= len(text)
        if self._left < 0:
            raise _Missing(f"all ${{…}} together exceed {_MOST_CHARACTERS >> 20} MiB")
        return text

    def _value(self, inside: str, place: int, path: Steps) -> str:
        kind, colon, rest = inside.partition(":")
        if colon and kind == "file":
            return self._file(Path(rest), "the file")
        if colon and kind == "credential":
            return self._credential(rest, place, path)
        variable = _VARIABLE.fullmatch(inside)
        if variable is None:
            raise _Missing(f"expected {_FORMS}", hint="write $${ for ${ itself")
        return self._variable(variable["name"], variable["default"], path)

    def _variable(self, name: str, default: str | None, path: Steps) -> str:
        value = self._environment.variables.get(name)
        if default is not None:
            value = value or default
        if value is None:
            # A default for a secret would be a secret in the file.
            harmless = openness(path) is Openness.OPEN
            hint = f"set it, or write ${{{name}:-default}}" if harmless else "set it"
            raise _Missing(f"the environment variable {name} is not set", hint=hint)
        return _sound(value, f"the environment variable {name}")

    def _credential(self, name: str, place: int, path: Steps) -> str:
        if not name or "/" in name or "\0" in name or name in {".", ".."}:
            raise _Missing("a credential's name is that of a file, without a folder")
        folder = self._environment.credentials
        if folder is not None:
            return self._file(folder / name, f"the credential {name}")
        if not self._lenient:
            hint = "systemd makes it for each LoadCredential= of the unit"
            raise _Missing("the folder of credentials cannot be read", hint=hint)
        self.expanded.absent_at.setdefault(name, (place, path))
        stand_in = "whsec_" + b64encode(sha256(name.encode()).digest()).decode()
        self.expanded.absent.add(stand_in)
        return stand_in

    def _file(self, path: Path, what: str) -> str:
        if path not in self._files:
            self._files[path] = self._read(path, what)
        return self._files[path]

    def _read(self, path: Path, what: str) -> str:
        shown = what if what != "the file" else f"the file {path}"
        try:
            content = self._environment.read_file(path)
            return _sound(content.decode("utf-8").rstrip("\r\n"), shown)
        except OSError as error:
            raise _Missing(f"{shown} cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise _Missing(f"{shown} is not UTF-8") from None
        except ValueError as error:
            raise _Missing(f"{shown} cannot be read: {error}") from None


def _sound(value: str, what: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise _Missing(f"{what} is not UTF-8") from None
    return value


def _branches(root: MapNode) -> Iterator[tuple[MapNode | ListNode, Steps]]:
    """Yield every mapping and list with its path, in the order of the file."""
    waiting: list[tuple[MapNode | ListNode, Steps]] = [(root, ())]
    while waiting:
        branch, path = waiting.pop()
        yield branch, path
        below = [
            (value, (*path, step))
            for _, step, value in branch.values()
            if not isinstance(value, str)
        ]
        waiting.extend(reversed(below))
