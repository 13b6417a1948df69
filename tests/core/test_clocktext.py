"""Times as text: RFC 3339 in UTC, read back by anybody."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.text.clocktext import rfc3339

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))
MOMENTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=ZONES)  # noqa: DTZ001  (the zones are beside)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (None, None),
        (datetime(2026, 11, 21, 8, 30, tzinfo=UTC), "2026-11-21T08:30:00Z"),
        (datetime(2026, 11, 21, 8, 30, 0, 123456, tzinfo=UTC), "2026-11-21T08:30:00.123Z"),
        (datetime(2026, 11, 21, 8, 30, 0, 999, tzinfo=UTC), "2026-11-21T08:30:00Z"),
        (datetime(2026, 11, 21, 8, 30, 0, 5000, tzinfo=UTC), "2026-11-21T08:30:00.005Z"),
        (
            datetime(2026, 11, 21, 10, 30, tzinfo=timezone(timedelta(hours=2))),
            "2026-11-21T08:30:00Z",
        ),
        (datetime(1, 2, 3, tzinfo=UTC), "0001-02-03T00:00:00Z"),
    ],
)
def test_a_moment_is_written_in_utc_to_the_millisecond(
    moment: datetime | None, text: str | None
) -> None:
    assert rfc3339(moment) == text


@given(MOMENTS)
def test_every_moment_reads_back_within_a_millisecond(moment: datetime) -> None:
    text = rfc3339(moment)
    assert text is not None
    lost = moment - datetime.fromisoformat(text)
    assert timedelta() <= lost < timedelta(milliseconds=1)
