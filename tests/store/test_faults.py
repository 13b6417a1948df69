"""Whatever the disk does, what was acknowledged is there; `./run bench faults` tries it at length.

Each fault has a control, a bug that it must find.
"""

import pytest

from bench.disk import failing, powercut, syscalls
from bench.disk.mounting import no_ext4, no_memory_disk, no_strace


@pytest.fixture(scope="session")
def on_ext4() -> None:
    _skip(no_ext4())


@pytest.fixture(scope="session")
def on_tmpfs() -> None:
    _skip(no_memory_disk())


@pytest.fixture(scope="session")
def traced() -> None:
    _skip(no_strace())


def _skip(why: str | None) -> None:
    if why is not None:
        pytest.skip(why)


@pytest.mark.usefixtures("on_ext4")
def test_a_power_cut_takes_nothing_that_was_acknowledged() -> None:
    outcome = powercut.cut(4)
    assert outcome.good, outcome


@pytest.mark.usefixtures("on_ext4")
def test_without_full_synchronisation_a_power_cut_would_take_it() -> None:
    assert powercut.cut(2, bug="normal").lost > 0


@pytest.mark.usefixtures("traced")
@pytest.mark.parametrize("action", ["SIGKILL", "EIO", "ENOSPC"])
def test_a_fault_at_any_system_call_takes_nothing_that_was_acknowledged(
    action: str,
) -> None:
    outcome = syscalls.every(actions=(action,), step=70)
    assert outcome.good, outcome


@pytest.mark.usefixtures("traced")
def test_an_acknowledgement_before_the_commit_would_be_found() -> None:
    calls = ("pwrite64",)
    outcome = syscalls.every(calls=calls, actions=("SIGKILL",), step=14, bug="early")
    assert outcome.lost > 0


@pytest.mark.usefixtures("traced")
def test_an_acknowledgement_in_spite_of_an_error_would_be_found() -> None:
    calls = ("fdatasync",)
    outcome = syscalls.every(calls=calls, actions=("EIO",), step=2, bug="blind")
    assert outcome.lost > 0


@pytest.mark.usefixtures("on_tmpfs")
def test_a_full_disk_acknowledges_nothing_false_and_the_same_process_goes_on() -> None:
    outcome = failing.full(0.5)
    assert outcome.good, outcome


@pytest.mark.usefixtures("on_tmpfs")
def test_an_acknowledgement_on_a_full_disk_would_be_found() -> None:
    assert failing.full(0.3, bug="blind").lost > 0


@pytest.mark.usefixtures("on_ext4")
def test_a_disk_that_turns_read_only_takes_nothing_that_was_acknowledged() -> None:
    outcome = failing.read_only(0.5)
    assert outcome.good, outcome


@pytest.mark.usefixtures("on_ext4")
def test_an_acknowledgement_on_a_read_only_disk_would_be_found() -> None:
    assert failing.read_only(0.5, bug="blind").lost > 0
