"""The tables in the pages agree with the code."""

import ast
import json
import re
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from importlib.metadata import metadata
from typing import Any

import pytest

from bridge.core.delivering import breaker
from bridge.core.event import Event, envelope
from bridge.core.examples import example_options
from bridge.core.ladder import State
from bridge.core.looking import Output
from bridge.plugins import Plugins
from tests.docs.pages import DOCS, README, ROOT, block, table
from tests.providers.talking import provider

DECISIONS = DOCS / "decisions.md"


def _spoken(span: timedelta | None) -> str:
    seconds = 0 if span is None else span.total_seconds()
    if not seconds:
        return ""
    for unit, from_, size in (
        ("d", 3 * 86_400, 86_400),
        ("h", 3600, 3600),
        ("min", 600, 60),
    ):
        if seconds >= from_:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:g} s"


def test_the_table_of_providers_is_what_they_can_do() -> None:
    rows = list(table(README, "`provider`"))
    # `http` can do what its description says.
    names = [name for name in Plugins().names("provider") if name != "http"]
    assert [row["`provider`"].strip("`") for row in rows] == names
    for row in rows:
        name = row["`provider`"].strip("`")
        able = provider(name).abilities
        life = provider(name).api.dialect.life
        assert row["long poll"] == (_spoken(able.hold) or "no")
        assert row["batch"] == str(able.batch or "no")
        assert row["list"] == ("yes" if able.listing else "no")
        assert row["requests"] == f"{able.rate:.0f}/s"
        assert row["pause at least"] == (_spoken(able.floor) or "none")
        assert row["links live"] == (_spoken(life) or "unknown")


def test_the_table_of_formats_is_what_they_take() -> None:
    rows = list(table(README, "`format`"))
    names = [row["`format`"].strip("`") for row in rows]
    assert sorted(names) == list(Plugins().names("format"))
    for name, row in zip(names, rows, strict=True):
        plugin = Plugins().load("format", name)
        made = plugin(**example_options(plugin))
        body, rate = made.limits.body, made.limits.rate
        assert row["signed"].startswith("yes" if made.signed else "no")
        assert row["body at most"] == (_size(body) if body else "-")
        assert row["requests"] == (_often(rate) if rate else "-")
        options = ", ".join(f"`{option.name}`" for option in fields(plugin))
        assert row["options"] == (options or "-")


def _size(number: int) -> str:
    for unit, size in (("MB", 1_000_000), ("KiB", 1024), ("KB", 1000)):
        if number % size == 0:
            return f"{number // size} {unit}"
    return f"{number:,} bytes"


def _often(rate: float) -> str:
    return f"{rate:.0f}/s" if rate >= 1 else f"{rate * 60:.0f}/min"


def test_the_event_in_the_readme_has_the_shape_of_real_ones() -> None:
    now = datetime(2026, 11, 21, 5, 12, tzinfo=UTC)
    real = json.loads(
        envelope(
            Event(
                tag="completed",
                occurred_at=now,
                source="luma",
                provider="luma-agents",
                generation_id="e3e70682",
                state=State.COMPLETED,
                native_state="completed",
                previous_state=State.DREAMING,
                observed_at=now,
                created_at=now,
                progress=1.0,
                outputs=(Output(type="image", url="https://a.example/", expires_at=now),),
                metadata={"order": 1042},
                sequence=2,
            )
        )
    )
    shown = json.loads(block(README, "json", "generation.completed"))
    assert list(shown["data"]) == [*real["data"], "raw"]
    del shown["data"]["raw"]
    assert _shape(shown) == _shape(real)


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return [(key, _shape(each)) for key, each in value.items()]
    if isinstance(value, list):
        return [_shape(each) for each in value]
    return type(value).__name__


_FAMILIES = ("MIT", "Apache", "BSD-2", "BSD-3", "MPL", "LGPL", "GPL")


def _families(text: str) -> set[str]:
    return {family for family in _FAMILIES if family in text}


def _licence(library: str) -> set[str]:
    found = metadata(library)
    if "License-Expression" in found:
        return _families(found["License-Expression"])
    classified = " ".join(c for c in found.get_all("Classifier") or [] if "License ::" in c)
    # The classifier does not tell the kinds of BSD apart; those concerned have three clauses.
    return _families(classified.replace("BSD License", "BSD-3"))


def test_every_dependency_is_listed_with_its_licence() -> None:
    rows = {row["library"]: row for row in table(DECISIONS, "library")}
    text = (ROOT / "pyproject.toml").read_text()
    runtime = text[text.index("\ndependencies = [") : text.index("[project.scripts]")]
    named = set(re.findall(r'"([a-z0-9-]+)', runtime)) - {"postgres"}
    assert set(rows) == named
    for name, row in rows.items():
        assert _families(row["licence"]) == _licence(name), name


def test_what_is_called_not_imported_yet_is_not_imported() -> None:
    code = "".join(path.read_text() for path in (ROOT / "bridge").rglob("*.py"))
    for row in table(DECISIONS, "library"):
        module = {"pyyaml": "yaml"}.get(row["library"], row["library"].replace("-", "_"))
        imported = re.search(rf"^\s*(import|from) {module}\b", code, re.MULTILINE)
        if "not imported yet" in row["for"]:
            assert not imported, module
        # typer and anyio import the first two; the third is an extra.
        elif module not in ("rich", "uvloop", "asyncpg"):
            assert imported, module


_WRITES = ("info", "warning", "error", "level", "say", "_report")


def _phrases() -> set[str]:
    """The fixed phrases that the daemon writes into its log, from `info` up."""
    files = [ROOT / "bridge/app.py", ROOT / "bridge/daemon.py"]
    files += [*(ROOT / "bridge/engine").glob("*.py")]
    files += (ROOT / "bridge/telemetry").glob("*.py")
    calls = (n for f in files for n in ast.walk(ast.parse(f.read_text())))
    return {
        argument.value
        for call in calls
        if isinstance(call, ast.Call)
        and getattr(call.func, "attr", getattr(call.func, "id", "")) in _WRITES
        for argument in call.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }


def test_every_phrase_of_the_log_is_explained_and_none_is_invented() -> None:
    listed = {
        phrase
        for row in table(DOCS / "operations.md", "`event`")
        for phrase in re.findall(r"`([^`]+)`", row["`event`"])
    }
    generations = {phrase for phrase in listed if phrase.startswith(("generation", "…"))}
    assert len(generations) == len([*State, "lost", "stalled"])
    assert listed - generations == _phrases()


def test_when_a_breaker_opens_and_closes_is_told_with_its_numbers() -> None:
    rows = {
        r["condition, breaker"]: r
        for r in table(DOCS / "operations.md", "condition, breaker")
    }
    told = rows["active, open"]
    assert f"after {breaker.IN_A_ROW} failures in a row" in told["what genbridge does"]
    assert f"{breaker.SHARE:.0%}".replace("%", " %") in told["what genbridge does"]
    assert f"({breaker.LEAST} of them at least)" in told["what genbridge does"]
    assert (breaker.ACCEPTED, told["what ends it"]) == (
        3,
        "three probes in a row are accepted",
    )


@pytest.mark.parametrize("number", ["0.1.0"])
def test_the_changelog_tells_of_this_version(number: str) -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    assert f'version = "{number}"' in (ROOT / "pyproject.toml").read_text()
    assert re.search(
        rf"^## \[{re.escape(number)}\] - \d{{4}}-\d\d-\d\d$", text, re.MULTILINE
    )
