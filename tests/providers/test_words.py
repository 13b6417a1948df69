"""The words of each API, and nothing beside them (PROVIDERS, section 1)."""

from typing import Any

import pytest

from bridge.core.ladder import State
from bridge.core.looking import Get
from bridge.core.reading.wordform import snake
from tests.providers.talking import NAMES, answer, provider, talk

_LUMA = ("state", "queued", "dreaming", "completed", "failed")
_TASK = ("data.status", "NOT_START SUBMITTED QUEUED", "IN_PROGRESS", "SUCCESS", "FAILURE")
_RUNWAY = ("PENDING THROTTLED", "RUNNING", "SUCCEEDED", "FAILED CANCELLED")
# Where the word stands, and the words for queued, dreaming, completed and failed.
TABLE: dict[str, tuple[str, str, str, str, str]] = {
    "aimlapi-luma": _LUMA,
    "aimlapi-suno": (
        "status", "submitted queued", "streaming", "complete completed", "error",
    ),
    "aimlapi-video": (
        "status", "queued waiting", "generating active processing", "completed", "error",
    ),
    "dream-machine": _LUMA,
    "fal": ("status", "IN_QUEUE", "IN_PROGRESS", "COMPLETED", ""),
    "flux": ("status", "", "Pending", "Ready", "Request-Moderated Content-Moderated Error"),
    "heygen": ("data.status", "pending waiting", "processing", "completed", "failed"),
    "ideogram": ("status", "", "pending", "completed", "failed"),
    "kling": (
        "data.task_status",
        "submitted queued", "processing in_progress", "succeed completed", "failed",
    ),
    "luma-agents": ("state", "queued", "processing", "completed", "failed"),
    "minimax": ("status", "Preparing Queueing", "Processing", "Success", "Fail"),
    "minimax-v2": (
        "task.status", "queued", "running", "succeeded", "failed cancelled expired",
    ),
    "openai-batch": (
        "status",
        "validating", "in_progress finalizing cancelling", "completed",
        "failed expired cancelled",
    ),
    "openai-videos": ("status", "queued", "in_progress", "completed", "failed"),
    "pika": ("status", "queued", "started", "finished", "failed"),
    "relay-luma": (
        "state", "pending queued", "processing dreaming", "completed", "failed",
    ),
    "relay-luma-own": (
        "state",
        "pending queued NOT_START SUBMITTED QUEUED", "processing dreaming IN_PROGRESS",
        "completed SUCCESS", "failed FAILURE",
    ),
    "relay-midjourney": (
        "status", "NOT_START SUBMITTED", "IN_PROGRESS MODAL", "SUCCESS", "FAILURE CANCEL",
    ),
    "relay-runway": ("task.status", *_RUNWAY),
    "relay-suno": _TASK,
    "relay-udio": _TASK,
    "replicate": (
        "status", "starting", "processing", "succeeded", "failed canceled aborted",
    ),
    "runway": ("status", *_RUNWAY),
}  # fmt: skip
WORDLESS = {"stability", "veo"}
"""One has HTTP statuses instead of words, the other a boolean: see the traps."""

CASES = [
    (name, place, word, state)
    for name, (place, *rungs) in TABLE.items()
    for state, words in zip(State, rungs, strict=True)
    for word in words.split()
]


def _said(place: str, word: str) -> Any:
    value: Any = word
    for key in reversed(place.split(".")):
        value = {key: value}
    return value


@pytest.mark.parametrize(("name", "place", "word", "state"), CASES)
def test_a_word_means_its_rung(name: str, place: str, word: str, state: State) -> None:
    # fal and minimax have a second call.
    fine = answer({"base_resp": {"status_code": 0}})

    seen = talk(provider(name), Get(id="g-1"), answer(_said(place, word)), fine)

    assert seen.observation.state is state
    assert seen.observation.native_state == word


@pytest.mark.parametrize("name", TABLE)
def test_no_other_word_is_known(name: str) -> None:
    known = provider(name).api.dialect.words.known.values()
    named = {snake(spoken.native) for spoken in known} - {""}

    assert named == {snake(word) for one, _, word, _ in CASES if one == name}


def test_the_table_forgets_nobody() -> None:
    assert set(NAMES) == {*TABLE, *WORDLESS}
