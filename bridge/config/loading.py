"""Loading: from a file to settings, or to all that is wrong with it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from bridge.config.assembly import Assembly
from bridge.config.environment import Environment
from bridge.config.excerpts import placed, wrong
from bridge.config.expansion import Expanded, expand
from bridge.config.mistakes import Enough, Findings, Mistake, Wrong
from bridge.config.mistakes import Path as Steps
from bridge.config.reading import Reader
from bridge.config.sections import Sections
from bridge.config.tree import MOST_BYTES, Document, read
from bridge.core.ports import Catalog
from bridge.core.settings import Settings

_ABSENT = (
    "the credential {} is taken as present: the folder of credentials cannot be read here"
)


def load(
    source: Path | bytes,
    name: str,
    *,
    environment: Environment,
    catalog: Catalog,
    check: bool = False,
) -> Settings:
    """Return the settings of a file or of its content; `name` is what mistakes call it.

    `check`: a `${credential:…}` counts as present, with a warning, where the folder of
    credentials cannot be read; the settings then hold a stand-in and must not be run.
    Raises Wrong, a ConfigError, with every mistake at its place; it never holds a secret.
    """
    content = source if isinstance(source, bytes) else content_of(source, name)
    findings = Findings()
    document = read(content, findings)
    try:
        settings = _settings(document, findings, name, environment, catalog, check=check)
    except Enough:
        settings = None
    if settings is None or findings:
        raise wrong(name, document, findings)
    return settings


def mistakes(
    source: Path | bytes,
    name: str,
    *,
    environment: Environment,
    catalog: Catalog,
    check: bool = False,
) -> tuple[Mistake, ...]:
    """Return the first mistakes as records, in order of place; none: the file is good."""
    try:
        load(source, name, environment=environment, catalog=catalog, check=check)
    except Wrong as error:
        return error.mistakes
    return ()


def _settings(
    document: Document,
    findings: Findings,
    name: str,
    environment: Environment,
    catalog: Catalog,
    *,
    check: bool,
) -> Settings | None:
    if not document.whole or document.root is None:
        return None
    expanded = expand(document, environment, findings, lenient=check)
    reader = Reader(document, document.root, findings, elsewhere=expanded.places)
    parts = Sections(reader, catalog, frozenset(expanded.absent)).read()
    assembly = Assembly(reader, parts, environment, check=check)
    settings = assembly.settings(name)
    if settings is None:
        return None
    found = sorted([*assembly.warnings, *_absences(expanded)])
    warnings = (placed(name, document, *warning) for warning in found)
    return replace(settings, warnings=tuple(warnings))


def _absences(expanded: Expanded) -> Iterator[tuple[int, Steps, str]]:
    for credential, (index, path) in expanded.absent_at.items():
        yield index, path, _ABSENT.format(credential)


def content_of(path: Path, name: str) -> bytes:
    """Return the bytes of a file; raises Wrong where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not the path of a file"
        mistake = Mistake(
            file=name,
            line=1,
            column=1,
            path="",
            message=f"cannot be read: {reason}",
            hint="config.example.yaml shows every key",
        )
        raise Wrong(str(mistake), (mistake,), 1) from None
