from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.network.retry_after import retry_after
from bridge.core.reading.wait import asked_wait

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("5", 5),
        (" 5\t", 5),
        ("0", 0),
        ("007", 7),
        ("9999999999", 9_999_999_999),
        ("Sat, 21 Nov 2026 08:00:30 GMT", 30),
        ("Saturday, 21-Nov-26 08:00:30 GMT", 30),
        ("Sat Nov 21 08:00:30 2026", 30),
        ("Sat, 21 Nov 2026 08:00:00 GMT", 0),
        ("12345678901", None),
        ("+5", None),
        ("-5", None),
        ("1_0", None),
        ("1.5", None),
        ("٣", None),
        ("\uff15", None),
        ("²", None),
        ("", None),
        ("soon", None),
        ("21 Nov 2026", None),
        ("2026-11-21T08:00:30Z", None),
        ("Sat, 32 Nov 2026 08:00:30 GMT", None),
        ("Sat, 21 Nov 99999 08:00:30 GMT", None),
        ("Sat, 21 Nov 2026 08:00:30 +9999", None),
        ("Sat, 21 Nov 2026 07:59:59 GMT", None),
        ("a:b:c", None),
    ],
)
def test_seconds_and_three_shapes_of_a_date_are_read_and_nothing_else(
    text: str, seconds: float | None
) -> None:
    wait = retry_after({"retry-after": text}, NOW)

    assert wait == (None if seconds is None else timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("sent_at", "seconds"),
    [
        ("Sat, 21 Nov 2026 08:10:00 GMT", 60),
        ("Sat, 21 Nov 2026 07:40:00 GMT", 1860),
        ("Mon, 21 Nov 2022 08:10:00 GMT", 660),
        ("nonsense", 660),
    ],
)
def test_a_date_counts_from_the_answers_own_clock_if_that_is_within_a_day_of_ours(
    sent_at: str, seconds: int
) -> None:
    headers = {"retry-after": "Sat, 21 Nov 2026 08:11:00 GMT", "date": sent_at}

    assert retry_after(headers, NOW) == timedelta(seconds=seconds)


def test_without_the_header_no_wait_is_asked_for() -> None:
    assert retry_after({"date": "Sat, 21 Nov 2026 08:10:00 GMT"}, NOW) is None


@given(st.text(max_size=40) | st.from_regex(r"[A-Za-z, 0-9:+-]{,40}"), st.text(max_size=40))
def test_no_header_raises_and_no_wait_is_negative(text: str, date: str) -> None:
    wait = retry_after({"retry-after": text, "date": date}, NOW)

    assert wait is None or wait >= timedelta()


@pytest.mark.parametrize(
    ("ms", "body", "detail", "seconds"),
    [
        ("1500", 9, "resets in ~30s", 1.5),
        ("0", 9, None, 0),
        ("1e3", 9, None, 9),
        ("-1", "9.5", None, 9.5),
        (None, True, "limit resets in ~30s.", 30),
        (None, float("nan"), "Reset in 2.5 s", 2.5),
        (None, -1, None, None),
        (None, 10**400, None, None),
        (None, "9" * 5000, ["resets in ~30s"], None),
        (None, None, "resets in a while", None),
    ],
)
def test_a_wait_is_taken_from_the_first_place_that_can_be_read(
    ms: str | None, body: object, detail: object, seconds: float | None
) -> None:
    headers = {} if ms is None else {"retry-after-ms": ms}

    wait = asked_wait(headers, NOW, body=body, detail=detail)

    assert wait == (None if seconds is None else timedelta(seconds=seconds))
