import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock")
PIN = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)


def pins(lock: str) -> set[tuple[str, str]]:
    return {(name, version) for name, version in PIN.findall((ROOT / lock).read_text())}


@pytest.mark.parametrize("lock", LOCKS)
def test_no_lock_names_a_place_to_download_from(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "://" not in text
    assert not re.search(r"\b[\w-]+\.(org|com|net|io|internal|local)\b", text)
    assert not re.search(r"^-", text, re.MULTILINE), "an option such as --index-url"


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_its_hashes(lock: str) -> None:
    text = (ROOT / lock).read_text().replace("\\\n", " ")
    assert pins(lock)
    for line in text.splitlines():
        assert re.search(r"==\S+ .*--hash=sha256:[0-9a-f]{64}", line), line[:60]


def test_the_tests_run_on_the_versions_that_users_run_on() -> None:
    assert pins("requirements.lock") <= pins("requirements-dev.lock")


def test_the_locks_hold_every_dependency_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    named = project["project"]["dependencies"]
    named += project["project"]["optional-dependencies"]["postgres"]
    wanted = {re.split(r"[^A-Za-z0-9-]", name)[0].lower() for name in named}
    assert wanted <= {name for name, _ in pins("requirements.lock")}
