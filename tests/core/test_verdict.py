"""The verdict on every answer: the tables of DELIVERY, sections 2 and 3, row by row."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.delivering.acknowledgement import (
    Accepted,
    Acknowledgement,
    Declined,
    Gone,
    Throttled,
    TooRich,
    Unclear,
    Unconfirmed,
)
from bridge.core.delivering.retry import DEFAULT_SCHEDULE, RetryPolicy
from bridge.core.delivering.trouble import Blame
from bridge.core.delivering.verdict import (
    Delivered,
    Disable,
    GiveUp,
    TryAgain,
    Verdict,
    judge,
    unrendered,
)
from bridge.core.network.exchange import Answer, Phase, Response, Unanswered

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
POLICY = RetryPolicy(schedule=DEFAULT_SCHEDULE, jitter=0.2)
HOUR, DAY = timedelta(hours=1), timedelta(hours=24)
USED_UP = len(DEFAULT_SCHEDULE)

# The same moment, two minutes from now, in the three shapes of an HTTP date.
FIXDATE = "Sat, 21 Nov 2026 08:32:00 GMT"
RFC850 = "Saturday, 21-Nov-26 08:32:00 GMT"
ASCTIME = "Sat Nov 21 08:32:00 2026"
TEN_YEARS = str(10 * 365 * 86400)
WAITS: dict[str | None, timedelta | None] = {
    None: None,
    "120": timedelta(seconds=120),
    "0": timedelta(),
    FIXDATE: timedelta(seconds=120),
    RFC850: timedelta(seconds=120),
    ASCTIME: timedelta(seconds=120),
    "Sat, 21 Nov 2026 08:00:00 GMT": None,
    "soon": None,
    "-1": None,
    "1_000": None,
    "1.5": None,
    "12345678901": None,
    TEN_YEARS: DAY,
}
STATUSES = [-1, 0, 1, 99, *range(100, 600), 600, 999, 12345]


def answered(status: int, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status=status, headers=named, received_at=NOW)


def verdict(
    answer: Answer,
    acknowledgement: Acknowledgement = Unclear(),  # noqa: B008  (frozen)
    *,
    tries: int = 0,
    throttles: int = 0,
    spread: float = 0.0,
    policy: RetryPolicy = POLICY,
    spend: bool = True,
    free: int = 0,
) -> Verdict:
    return judge(
        answer,
        acknowledgement,
        tries=tries,
        throttles=throttles,
        policy=policy,
        spread=spread,
        spend=spend,
        free=free,
    )


def again(found: Verdict) -> TryAgain:
    assert isinstance(found, TryAgain), found
    return found


def row(status: int, wait: timedelta | None) -> str:
    """Return the row of the table that a status belongs to, written a second time."""
    if 200 <= status <= 299:
        return "delivered"
    if status == 410:
        return "disable"
    if status == 429 or (status == 503 and wait is not None):
        return "throttle"
    if 400 <= status <= 499 and status not in {401, 403, 404, 405, 407, 408, 421, 425, 426}:
        return "event"
    return "receiver"


LOCATIONS = [None, "https://elsewhere.example/hooks/secret", "/moved", "ftp://x", ""]
UNANSWERED = {
    Phase.CREDENTIALS: "receiver",
    Phase.CONSENT: "receiver",
    Phase.GUARD: "receiver",
    Phase.RESOLVE: "receiver",
    Phase.CONNECT: "receiver",
    Phase.TLS: "receiver",
    Phase.ANSWER: "receiver",
    Phase.DEADLINE: "receiver",
    Phase.PROXY: "us",
    Phase.LOCAL: "us",
}


def every_answer(value: str | None) -> list[tuple[Answer, str, timedelta | None]]:
    """Return all that can come back, with its row of the table and the wait it asks for."""
    asked = {} if value is None else {"retry_after": value}
    table: list[tuple[Answer, str, timedelta | None]] = []
    for status in STATUSES:
        for location in LOCATIONS:
            told = asked if location is None else asked | {"location": location}
            table.append(
                (answered(status, **told), row(status, WAITS[value]), WAITS[value])
            )
    return table + [
        (Unanswered(phase=phase, reason="because"), UNANSWERED[phase], None)
        for phase in Phase
    ]


@pytest.mark.parametrize("spend", [True, False])
@pytest.mark.parametrize("value", WAITS, ids=str)
def test_everything_that_can_come_back_has_the_verdict_of_its_row(
    value: str | None, spend: bool
) -> None:
    for answer, expected, wait in every_answer(value):
        found = verdict(answer, spend=spend)
        match expected:
            case "delivered":
                assert isinstance(found, Delivered), answer
            case "disable":
                assert isinstance(found, Disable), answer
                assert not found.delivered
            case "throttle":
                check_throttle(again(found), wait)
            case "us":
                assert (again(found).blame, again(found).step) == (Blame.US, False)
            case _:
                check_failure(again(found), wait, Blame(expected), spend=spend)
        assert "hooks/secret" not in found.sentence


def check_throttle(found: TryAgain, asked: timedelta | None) -> None:
    assert (found.blame, found.step, found.strained) == (None, False, True)
    assert found.gate == found.wait
    least = timedelta(seconds=1) if asked is None else asked
    assert least <= found.wait <= least + timedelta(seconds=1)


def check_failure(
    found: TryAgain, asked: timedelta | None, blame: Blame, *, spend: bool
) -> None:
    assert (found.blame, found.step, found.gate) == (blame, spend, None)
    least = timedelta(seconds=5 if spend else 1)
    assert found.wait == max(least, asked or timedelta())


def test_a_probe_is_never_the_last_attempt() -> None:
    for tries in (0, USED_UP, 10**6):
        found = again(verdict(answered(500), tries=tries, spend=False))
        assert (found.step, found.because) == (False, "probe")
        found = again(
            unrendered("KeyError", tries=tries, policy=POLICY, spread=0.0, spend=False)
        )
        assert not found.step


@pytest.mark.parametrize("status", [502, 503, 504])
def test_an_overloaded_receiver_gets_fewer_requests_at_a_time(status: int) -> None:
    assert again(verdict(answered(status))).strained
    assert not again(verdict(answered(500))).strained


def test_a_redirect_is_told_and_never_followed() -> None:
    for status in range(300, 400):
        found = again(
            verdict(answered(status, location="https://elsewhere.example/secret"))
        )
        assert found.blame is Blame.RECEIVER


def test_a_moved_receiver_is_named_without_its_path() -> None:
    moved = answered(301, location="https://user:pw@elsewhere.example/hooks/T0/secret")
    assert "secret" not in again(verdict(moved)).sentence
    assert "pw" not in again(verdict(moved)).sentence
    moved = answered(308, location="https://elsewhere.example:8443/hooks/T0/secret?x=1")
    assert (
        again(verdict(moved)).sentence
        == "308: the receiver has moved; set url to https://elsewhere.example:8443/…"
    )


@given(st.text())
def test_no_location_breaks_the_verdict_or_shows_a_path(location: str) -> None:
    found = again(verdict(answered(301, location=f"https://host.example/{location}")))
    assert (
        found.sentence == "301: the receiver has moved; set url to https://host.example/…"
    )
    assert len(again(verdict(answered(301, location=location))).sentence) < 400


def test_a_move_within_the_host_does_not_show_the_new_path() -> None:
    found = again(verdict(answered(301, location="/hooks/secret")))
    assert found.sentence.endswith("set url to its new path on the same host")


def test_a_body_that_was_cut_is_noted_and_the_delivery_counts() -> None:
    found = verdict(replace(answered(200), cut=True))
    assert isinstance(found, Delivered)
    assert "cut" in found.sentence


def test_a_receipt_is_kept() -> None:
    found = verdict(answered(200), Accepted(pause=timedelta(days=9)))
    assert isinstance(found, Delivered)
    assert found.pause == DAY
    found = verdict(answered(200), Accepted(receipt="m1"))
    assert found == Delivered(code="accepted", sentence="accepted (200)", receipt="m1")


@pytest.mark.parametrize("status", [200, 204, 400, 404, 429, 500, 503])
def test_a_receiver_can_switch_itself_off_with_any_status(status: int) -> None:
    found = verdict(answered(status, webhook_delivery="disable"))
    assert isinstance(found, Disable)
    assert found.delivered == (status < 300)


def test_a_receiver_can_abort_one_message_unless_it_took_it() -> None:
    assert verdict(answered(500, webhook_delivery="abort-message")) == GiveUp(
        code="aborted",
        sentence="the receiver wants no more attempts of this message; "
        "it is kept and can be replayed",
        blame=Blame.EVENT,
    )
    assert isinstance(verdict(answered(200, webhook_delivery="abort-message")), Delivered)
    assert isinstance(verdict(answered(500, webhook_delivery="other")), TryAgain)


@pytest.mark.parametrize(
    ("phase", "code", "blame", "step"),
    [
        (Phase.GUARD, "forbidden", Blame.RECEIVER, True),
        (Phase.RESOLVE, "unresolved", Blame.RECEIVER, True),
        (Phase.CONNECT, "unreachable", Blame.RECEIVER, True),
        (Phase.TLS, "tls", Blame.RECEIVER, True),
        (Phase.ANSWER, "broken", Blame.RECEIVER, True),
        (Phase.DEADLINE, "timeout", Blame.RECEIVER, True),
        (Phase.PROXY, "proxy", Blame.US, False),
        (Phase.LOCAL, "local", Blame.US, False),
    ],
)
def test_no_answer_is_tried_again_and_blamed_by_how_far_it_came(
    phase: Phase, code: str, blame: Blame, step: bool
) -> None:
    found = again(verdict(Unanswered(phase=phase, reason="because")))
    assert (found.code, found.blame, found.step) == (code, blame, step)
    assert found.sentence == "because"
    assert found.wait == timedelta(seconds=5)
    assert found.strained == (phase is Phase.DEADLINE)


def test_our_own_failures_never_use_up_the_schedule() -> None:
    found = verdict(Unanswered(phase=Phase.LOCAL, reason="no descriptor"), tries=10**6)
    assert again(found).wait == timedelta(seconds=5)


@pytest.mark.parametrize(
    ("free", "seconds"), [(0, 5), (1, 10), (3, 40), (6, 300), (10**6, 300)]
)
def test_what_we_cannot_mend_is_tried_less_and_less_often(free: int, seconds: int) -> None:
    found = verdict(Unanswered(phase=Phase.LOCAL, reason="proxy refused"), free=free)
    assert again(found).wait == timedelta(seconds=seconds)


def test_a_body_that_cannot_be_rendered_is_tried_again_and_blamed_on_the_event() -> None:
    found = again(unrendered("KeyError", tries=1, policy=POLICY, spread=0.0))
    assert (found.code, found.blame, found.wait) == (
        "unrendered",
        Blame.EVENT,
        timedelta(minutes=5),
    )


# When again


@pytest.mark.parametrize("tries", range(USED_UP))
def test_each_failure_waits_for_the_next_step(tries: int) -> None:
    found = again(verdict(answered(500), tries=tries, spread=0.65))
    assert abs(found.wait - 1.13 * DEFAULT_SCHEDULE[tries]) < timedelta(milliseconds=1)
    assert found.because == f"step {tries + 1} \N{MULTIPLICATION SIGN} 1.13"


@pytest.mark.parametrize("answer", [answered(500), Unanswered(phase=Phase.TLS, reason="x")])
def test_a_delivery_is_given_up_when_the_schedule_is_used_up(answer: Answer) -> None:
    found = verdict(answer, tries=USED_UP)
    assert isinstance(found, GiveUp)
    assert (found.code, found.blame) == ("exhausted", Blame.RECEIVER)
    assert "after 10 attempts" in found.sentence


def test_an_empty_schedule_means_one_attempt() -> None:
    found = verdict(answered(500), policy=RetryPolicy(schedule=(), jitter=0.0))
    assert isinstance(found, GiveUp)


@pytest.mark.parametrize("tries", [USED_UP, USED_UP + 1, 10_000])
def test_a_delivery_is_not_given_up_before_the_moment_asked_for(tries: int) -> None:
    found = again(verdict(answered(500, retry_after="3600"), tries=tries, spread=-1.0))
    assert found.wait >= HOUR


def test_a_wait_that_was_asked_for_is_named_with_its_cap() -> None:
    found = again(verdict(answered(500, retry_after=TEN_YEARS)))
    assert found.wait == DAY
    assert "asked for 315360000 s, at most 24 h are granted" in found.sentence
    assert found.because == "Retry-After 86400 s"


def test_the_later_of_header_and_schedule_counts() -> None:
    assert again(verdict(answered(500, retry_after="60"), tries=1)).wait == timedelta(
        minutes=5
    )
    assert again(verdict(answered(500, retry_after="600"), tries=1)).wait == timedelta(
        minutes=10
    )


# Throttles


@pytest.mark.parametrize(
    ("throttles", "seconds"),
    [(0, 1), (1, 2), (2, 4), (7, 128), (8, 256), (9, 300), (10**9, 300)],
)
def test_throttles_without_a_word_double_up_to_five_minutes(
    throttles: int, seconds: int
) -> None:
    found = again(verdict(answered(429), throttles=throttles, spread=-1.0))
    assert found.gate == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("throttles", "seconds"),
    [(0, 0), (4, 0), (5, 2), (6, 4), (11, 128), (13, 300), (10**9, 300)],
)
def test_from_the_sixth_throttle_on_no_pause_is_too_short(
    throttles: int, seconds: int
) -> None:
    found = again(verdict(answered(429, retry_after="0"), throttles=throttles, spread=-1.0))
    assert found.gate == timedelta(seconds=seconds)


@given(
    st.integers(0, 10**10 - 1), st.integers(0, 100), st.integers(0, 50), st.floats(-1, 1)
)
def test_a_throttle_ends_never_early_and_at_most_a_second_late(
    asked: int, throttles: int, tries: int, spread: float
) -> None:
    found = again(
        verdict(
            answered(429, retry_after=str(asked)),
            throttles=throttles,
            tries=tries,
            spread=spread,
        )
    )
    assert found.gate is not None
    wanted = timedelta(seconds=min(asked, 86400))
    floor = max(wanted, timedelta(minutes=5)) if throttles >= 5 else wanted
    assert wanted <= found.gate <= floor + timedelta(seconds=1)
    assert not found.step


def test_a_format_can_say_how_long_to_pause() -> None:
    reading = Throttled(why="slowly", after=timedelta(seconds=7))
    found = again(verdict(answered(500, retry_after="60"), reading, spread=-1.0))
    assert found.gate == timedelta(seconds=7)
    assert "slowly" in found.sentence


# What a format reads out of an answer


@pytest.mark.parametrize(
    ("reading", "kind", "code"),
    [
        (Accepted(), Delivered, "accepted"),
        (Throttled(why="why"), TryAgain, "throttled"),
        (TooRich(why="why"), GiveUp, "too-rich"),
        (Declined(why="why"), GiveUp, "declined"),
        (Gone(why="why"), Disable, "gone"),
        (Unconfirmed(why="why"), TryAgain, "unconfirmed"),
    ],
)
@pytest.mark.parametrize("status", [200, 400, 404, 410, 500, 503])
def test_the_reading_of_a_format_outranks_the_status(
    status: int, reading: Acknowledgement, kind: type, code: str
) -> None:
    found = verdict(answered(status), reading)
    assert isinstance(found, kind)
    assert found.code == code
    assert code == "accepted" or "why" in found.sentence


def test_a_success_that_is_not_confirmed_counts_against_the_receiver() -> None:
    found = again(verdict(answered(200), Unconfirmed(why="no ok")))
    assert (found.blame, found.step, found.gate) == (Blame.RECEIVER, True, None)


def test_the_hint_of_a_format_replaces_the_general_advice() -> None:
    found = again(verdict(answered(404), Unclear(hint="activate the workflow")))
    assert found.sentence == "404: activate the workflow"


# Any answer at all

READINGS: st.SearchStrategy[Acknowledgement] = st.sampled_from(
    [
        Accepted(),
        Throttled(why="w"),
        TooRich(why="w"),
        Declined(why="w"),
        Gone(why="w"),
        Unconfirmed(why="w"),
        Unclear(),
    ]
)
ANSWERS = st.builds(
    Response,
    status=st.integers(-(10**6), 10**6),
    headers=st.dictionaries(
        st.sampled_from(["retry-after", "date", "location", "webhook-delivery"]),
        st.text() | st.sampled_from([*filter(None, WAITS), "disable", "abort-message"]),
    ),
    body=st.binary(max_size=20),
    received_at=st.just(NOW),
    cut=st.booleans(),
) | st.builds(Unanswered, phase=st.sampled_from(Phase), reason=st.text())


@given(
    ANSWERS,
    READINGS,
    st.integers(0, 10**9),
    st.integers(0, 10**9),
    st.floats(-1, 1),
)
def test_any_answer_has_a_verdict_whose_wait_can_be_waited(
    answer: Answer, reading: Acknowledgement, tries: int, throttles: int, spread: float
) -> None:
    found = verdict(answer, reading, tries=tries, throttles=throttles, spread=spread)
    assert found.code
    if isinstance(found, TryAgain):
        assert timedelta() <= found.wait <= timedelta(days=30)
        assert found.gate in (None, found.wait)
        assert found.step == (found.blame in (Blame.RECEIVER, Blame.EVENT))
    else:
        assert found.sentence
