"""What a run that was killed has left of its network goes with the next one."""

import subprocess
import sys

import pytest

from tests.replicas.namespace import OURS, hindrance, namespace, tidy


@pytest.fixture(scope="module", autouse=True)
def able() -> None:
    if (why := hindrance()) is not None:
        pytest.skip(why)


def names() -> set[str]:
    listed = subprocess.run(
        ["ip", "netns", "list"], check=True, capture_output=True, text=True
    )
    return {line.split()[0] for line in listed.stdout.splitlines()}


def left_behind() -> str:
    """Return the namespace of a process that is no more."""
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        name = f"{OURS}{ended.pid}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    return name


def test_a_namespace_of_a_process_that_is_gone_goes_and_others_stay() -> None:
    with namespace() as mine:
        old = left_behind()
        tidy()
        assert mine.name in names()
    assert not {old, mine.name} & names()


def test_a_name_of_somebody_else_is_left_alone() -> None:
    theirs = f"{OURS}of-somebody"
    subprocess.run(["ip", "netns", "add", theirs], check=True)
    try:
        tidy()
        assert theirs in names()
    finally:
        subprocess.run(["ip", "netns", "del", theirs], check=True)
