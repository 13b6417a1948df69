"""Every recorded answer and question of the manifest."""

from dataclasses import replace
from typing import Any

import pytest

from bridge.core.ports import Provider
from bridge.providers.kling import Provider as Kling
from tests.providers.describing import PLAIN, mapped
from tests.providers.recorded import ANSWERS, ASKS, check_answer, check_question
from tests.providers.talking import NAMES, provider


def _of_plain(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [case for case in cases if case["provider"] in PLAIN]


def _asking(case: dict[str, Any]) -> Provider:
    asking = provider(case["provider"])
    # Of several families Kling's pages are asked one by one: the recorded one is of this.
    return (
        replace(asking, families=("text2video",)) if isinstance(asking, Kling) else asking
    )


@pytest.mark.parametrize("case", ANSWERS, ids=lambda case: case["case"])
def test_a_recorded_answer_is_read_as_the_manifest_says(case: dict[str, Any]) -> None:
    check_answer(_asking(case), case)


@pytest.mark.parametrize("case", _of_plain(ANSWERS), ids=lambda case: case["case"])
def test_what_yaml_describes_reads_the_same_answers_the_same(case: dict[str, Any]) -> None:
    check_answer(mapped(case["provider"]), case)


def test_every_provider_has_recorded_answers_and_every_answer_a_provider() -> None:
    assert {case["provider"] for case in ANSWERS} == set(NAMES)


def test_nearly_every_api_can_be_described() -> None:
    assert len(PLAIN) == 21
    assert {case["provider"] for case in _of_plain(ANSWERS)} == set(PLAIN)


@pytest.mark.parametrize("case", ASKS, ids=lambda case: case["case"])
def test_a_question_is_asked_as_the_manifest_says(case: dict[str, Any]) -> None:
    check_question(provider(case["provider"], **case["options"]), case)


@pytest.mark.parametrize("case", _of_plain(ASKS), ids=lambda case: case["case"])
def test_what_yaml_describes_asks_the_same(case: dict[str, Any]) -> None:
    check_question(mapped(case["provider"], **case["options"]), case)
