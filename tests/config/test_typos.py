"""A slip of one finger in any known key is answered with the right word."""

import random
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.config.access import BasicRecord, BearerRecord, OAuth2Record, TlsRecord
from bridge.config.near import near
from bridge.config.record import Record
from bridge.config.records import (
    NetworkRecord,
    RetentionRecord,
    RetryRecord,
    RootRecord,
    ServerRecord,
    SourceRecord,
    WatchRecord,
    WebhookRecord,
)
from tests.config.given import GOOD, said

RECORDS: tuple[type[Record], ...] = (
    RootRecord,
    ServerRecord,
    NetworkRecord,
    RetentionRecord,
    RetryRecord,
    SourceRecord,
    WatchRecord,
    WebhookRecord,
    TlsRecord,
    BasicRecord,
    BearerRecord,
    OAuth2Record,
)
LETTERS = "abcdefghijklmnopqrstuvwxyz_"


def slips(word: str) -> Iterator[str]:
    for at in range(len(word) + 1):
        yield from (word[:at] + letter + word[at:] for letter in LETTERS)
        yield from (word[:at] + letter + word[at + 1 :] for letter in LETTERS)
        yield word[:at] + word[at + 1 :]
        yield word[:at] + word[at + 1 : at + 2] + word[at : at + 1] + word[at + 2 :]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_nine_of_ten_slips_are_understood(record: type[Record]) -> None:
    keys = list(record.model_fields)
    cases = [(slip, key) for key in keys for slip in set(slips(key)) - set(keys) - {""}]
    cases = random.Random(7).sample(cases, min(len(cases), 1500))
    right = sum(near(slip, keys) == key for slip, key in cases)
    assert right / len(cases) >= 0.9


def test_the_word_stands_in_the_mistake() -> None:
    for slip in ("urll", "ur", "rul", "uxl", "URL"):
        assert "did you mean url?" in said(GOOD.replace("url:", f"{slip}:"))[0]


def test_what_is_near_nothing_is_given_no_word() -> None:
    assert near("zzzz", ["url", "secret"]) is None
    assert near("x" * 100_000, ["url"]) is None


@pytest.mark.parametrize("word", ["rate-limit", "RateLimit", "RATE_LIMIT", "ratelimit"])
def test_case_and_hyphens_do_not_count(word: str) -> None:
    assert near(word, ["rate_limit", "retry", "url"]) == "rate_limit"


@given(st.text(), st.lists(st.text(max_size=20), max_size=5))
def test_a_suggestion_is_one_of_the_words(word: str, words: list[str]) -> None:
    assert near(word, words) in {None, *words}
