"""Times, progress, failures and links, as they stand in answers."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.ladder import State
from bridge.core.looking import Failure
from bridge.core.reading.failing import failure
from bridge.core.reading.instant import instant
from bridge.core.reading.links import link_end
from bridge.core.reading.outputs import outputs
from bridge.core.reading.progress import progress
from bridge.core.reading.wordform import Spoken

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
STAMP = int(NOW.timestamp())
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
    ),
    max_leaves=8,
)


@pytest.mark.parametrize(
    "value",
    [
        "2026-03-02T10:00:00Z",
        "2026-03-02T10:00:00",
        "2026-03-02 10:00:00",
        " 2026-03-02T10:00:00+00:00 ",
        "2026-03-02T12:00:00+02:00",
        "2026-03-02T12:00:00+0200",
        "2026-03-02T10:00:00.000000000Z",
        "20260302T100000Z",
        STAMP,
        float(STAMP),
        STAMP * 1000,
        str(STAMP),
        str(STAMP * 1000),
        f"{STAMP}.0",
    ],
    ids=repr,
)
def test_a_moment_is_read_in_many_dresses(value: Any) -> None:
    assert instant(value) == NOW


@pytest.mark.parametrize(
    "value",
    [
        *(0, "0", "", " ", "created_at", -5, None, True, [], {}, 10**30, 10**400, 1e400),
        *("0001-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "9" * 39, "9" * 5000, "²"),
        *(float("nan"), "nan", "yesterday", "2026-13-01"),
    ],
    ids=range(22),
)
def test_nonsense_is_no_moment(value: Any) -> None:
    assert instant(value) is None


@given(json_values)
def test_any_value_is_a_moment_in_utc_after_1970_or_none(value: Any) -> None:
    moment = instant(value)

    assert moment is None or (moment.tzinfo is UTC and moment.year >= 1970)


@pytest.mark.parametrize(
    ("value", "full", "share"),
    [
        ("46%", 1, 0.46),
        ("46%", 100, 0.46),
        (" 46.5 % ", 1, 0.465),
        (0.42, 1, 0.42),
        ("0.3", 1, 0.3),
        (37, 100, 0.37),
        ("37", 100, 0.37),
        (120, 100, 1.0),
        (-1, 100, 0.0),
        (3, 12, 0.25),
        (0, 1, 0.0),
        ("", 1, None),
        ("half", 1, None),
        ("1_0", 100, None),
        ("nan", 1, None),
        (float("inf"), 1, None),
        (10**400, 1, None),
        (True, 1, None),
        (None, 1, None),
        ([1], 1, None),
        (5, 0, None),
        (5, "100", None),
        (5, None, None),
    ],
    ids=repr,
)
def test_progress_is_a_share(value: Any, full: Any, share: float | None) -> None:
    assert progress(value, full) == (None if share is None else pytest.approx(share))


@given(json_values, json_values)
def test_progress_of_anything_lies_between_0_and_1(value: Any, full: Any) -> None:
    share = progress(value, full)

    assert share is None or 0.0 <= share <= 1.0


FAILED = Spoken("Request Moderated", State.FAILED)


@pytest.mark.parametrize(
    ("spoken", "code", "reason", "told"),
    [
        (FAILED, None, None, Failure(code="request_moderated")),
        (FAILED, 0, 0, Failure(code="request_moderated", reason="0")),
        (FAILED, " ", " ", Failure(code="request_moderated")),
        (FAILED, {"a": 1}, {}, Failure(code="request_moderated")),
        (FAILED, True, False, Failure(code="request_moderated")),
        (FAILED, 1026, 400, Failure(code="1026", reason="400")),
        (
            FAILED,
            "new_code",
            {"message": "", "detail": "d"},
            Failure(code="new_code", reason="d"),
        ),
        (FAILED, "c", {"message": ["m"]}, Failure(code="c", reason='{"message":["m"]}')),
        (
            Spoken("COMPLETED", State.COMPLETED),
            None,
            "r",
            Failure(code="error", reason="r"),
        ),
        (Spoken("cancelled", State.FAILED), None, None, Failure(code="cancelled")),
        (Spoken("", State.FAILED), None, None, Failure(code="failed")),
    ],
)
def test_a_failure_has_always_a_code(
    spoken: Spoken, code: Any, reason: Any, told: Failure
) -> None:
    assert failure(spoken, code, reason) == told


@given(json_values, json_values)
def test_a_failure_can_be_made_of_anything(code: Any, reason: Any) -> None:
    told = failure(FAILED, code, reason)

    assert 0 < len(told.code) <= 200
    assert len(told.reason or "") <= 2_000
    assert told.reason != ""


def _jwt(claims: Any) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"https://x/y.mp4?_jwt=e30.{payload}.sig"


@pytest.mark.parametrize(
    ("url", "seconds"),
    [
        ("https://x/y?X-Amz-Date=20260302T100000Z&X-Amz-Expires=3600", 3600),
        ("https://x/y?x-amz-expires=3600&x-amz-date=20260302T100000Z#t", 3600),
        ("https://x/y?X-Goog-Date=20260302T100000Z&X-Goog-Expires=60", 60),
        ("https://x/y?se=2026-03-02T10%3A10%3A00Z&sig=x", 600),
        (f"https://x/y?Expires={STAMP + 9}&Signature=x", 9),
        (_jwt({"exp": STAMP + 7}), 7),
        ("https://x/y", None),
        ("https://x/y?X-Amz-Expires=3600", None),
        ("https://x/y?X-Amz-Date=20260302T100000Z&X-Amz-Expires=-1", None),
        ("https://x/y?X-Amz-Date=20260302T100000Z&X-Amz-Expires=9999999999", 9_999_999_999),
        ("https://x/y?X-Amz-Date=99990302T100000Z&X-Amz-Expires=9999999999", None),
        ("https://x/y?X-Amz-Date=never&X-Amz-Expires=60", None),
        ("https://x/y#?Expires=1", None),
        ("https://x/y?Expires=", None),
        (_jwt({"exp": "soon"}), None),
        (_jwt([1]), None),
        ("https://x/y?_jwt=a.b.c", None),
        ("https://x/y?_jwt=%F0.%F0.%F0", None),
        ("https://x/y?_jwt=" + "." * 9, None),
    ],
)
def test_a_link_says_itself_when_it_ends(url: str, seconds: int | None) -> None:
    wanted = None if seconds is None else NOW + timedelta(seconds=seconds)

    assert link_end(url) == wanted


@given(st.text())
def test_the_end_of_any_text_is_a_moment_or_none(query: str) -> None:
    for name in ("se", "Expires", "_jwt", "X-Amz-Date=20260302T100000Z&X-Amz-Expires"):
        end = link_end(f"https://x/y?{name}={query}")
        assert end is None or end.tzinfo is UTC


@pytest.mark.parametrize(
    ("entry", "kind"),
    [
        ({"url": "https://x/a.mp4", "type": "clip"}, "clip"),
        ({"url": "https://x/a.mp4", "content_type": "image/png"}, "image"),
        ({"url": "https://x/a.mp4", "type": "", "content_type": "png"}, "video"),
        ({"url": "https://x/a.mp4", "type": 7, "content_type": None}, "video"),
        ("https://x/a.MP4?b=c.png#d.wav", "video"),
        ("https://x/a.webp", "image"),
        ("https://x/a.mp3", "audio"),
        ("https://x/a", "file"),
        ("https://x.mp4", "file"),
        ("https://x/mp4", "file"),
        ("HTTP://x/a.png", "image"),
        (" https://x/a.png ", "image"),
    ],
)
def test_an_output_has_a_type(entry: Any, kind: str) -> None:
    (output,) = outputs([entry], observed_at=NOW)

    assert output.type == kind


@pytest.mark.parametrize(
    "entry",
    [
        *(None, "", 7, [], {}, {"url": None}, {"link": "https://x/y"}, ["https://x/y"]),
        *("https://", "https:///x", "ftp://x/y", "javascript:alert(1)", "data:image/png,x"),
        *("https://x/\ud800", "https://x/\ny", "https://x/\0", "x https://x/y"),
        "https://x/" + "y" * 20_000,
    ],
    ids=range(17 + 1),
)
def test_what_is_no_link_is_no_output(entry: Any) -> None:
    assert outputs([entry], observed_at=NOW) == ()


def test_one_link_alone_is_an_output_and_equal_links_are_one() -> None:
    assert len(outputs("https://x/y", observed_at=NOW)) == 1
    assert len(outputs(["https://x/y", {"url": "https://x/y"}], observed_at=NOW)) == 1


def test_a_link_that_names_no_end_lives_as_long_as_the_api_says() -> None:
    hour = timedelta(hours=1)
    said = "https://x/y?Expires=1772445609"

    plain, dated = outputs(["https://x/y", said], observed_at=NOW, life=hour)

    assert plain.expires_at == NOW + hour
    assert dated.expires_at == datetime.fromtimestamp(1772445609, UTC)
    assert outputs("https://x/y", observed_at=NOW)[0].expires_at is None


def test_a_thousand_outputs_are_told() -> None:
    assert len(outputs([f"https://x/{n}" for n in range(1500)], observed_at=NOW)) == 1000


@given(json_values)
def test_outputs_can_be_looked_for_in_anything(found: Any) -> None:
    assert all(o.url.startswith("http") for o in outputs(found, observed_at=NOW))
