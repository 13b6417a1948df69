"""The verdict on an attempt: what an answer, or the lack of one, means for a delivery.

A delivery is never given up before the moment that its receiver asked for, and a redirect
is never followed. The tables are those of DELIVERY, sections 2 and 3.
"""

from datetime import timedelta
from functools import lru_cache
from http import HTTPStatus
from typing import TypeAlias

from bridge.core.delivering.acknowledgement import (
    Accepted,
    Acknowledgement,
    Declined,
    Gone,
    Throttled,
    TooRich,
    Unclear,
    Uneditable,
)
from bridge.core.delivering.retry import LONGEST, RetryPolicy, capped, wait
from bridge.core.delivering.trouble import Blame, Trouble, with_answer, without_answer
from bridge.core.network.exchange import Answer, Response, Unanswered
from bridge.core.network.retry_after import retry_after
from bridge.core.record import Record

__all__ = [
    "Blame",
    "Delivered",
    "Disable",
    "GiveUp",
    "TryAgain",
    "Verdict",
    "judge",
    "unrendered",
]

MOST_ASKED = timedelta(hours=24)
"""The longest wait that a receiver may ask for."""

MOST_THROTTLED = timedelta(minutes=5)
"""The longest pause of a webhook that throttles without saying how long."""

OUR_PAUSE = timedelta(seconds=5)
"""The first wait after a failure of this machine, which uses no step of the schedule."""

MOST_OURS = timedelta(minutes=5)
"""The longest of those waits."""


class Delivered(Record, frozen=True, kw_only=True):
    """The receiver has the message; `pause`: it wants no other one before that has passed."""

    code: str
    sentence: str
    receipt: str | None = None
    pause: timedelta | None = None


class TryAgain(Record, frozen=True, kw_only=True):
    """Another attempt follows after `wait`; `because` says what set it.

    `blame` is None for a throttle, which is nobody's failure. `step`: the attempt used a
    step of the schedule. `gate`: the whole webhook pauses that long. `strained`: fewer
    requests at a time would help the receiver.
    """

    code: str
    sentence: str
    blame: Blame | None
    wait: timedelta
    because: str
    step: bool = True
    gate: timedelta | None = None
    strained: bool = False


class GiveUp(Record, frozen=True, kw_only=True):
    """The delivery has failed: it is kept, and can be replayed."""

    code: str
    sentence: str
    blame: Blame


class Disable(Record, frozen=True, kw_only=True):
    """The webhook is switched off; what waits is held.

    `delivered`: this message still arrived; else it waits with the others.
    """

    code: str
    sentence: str
    delivered: bool = False


Verdict: TypeAlias = Delivered | TryAgain | GiveUp | Disable


def judge(
    answer: Answer,
    acknowledgement: Acknowledgement,
    *,
    tries: int,
    throttles: int,
    policy: RetryPolicy,
    spread: float,
    spend: bool = True,
    free: int = 0,
) -> Verdict:
    """Return what becomes of a delivery.

    `tries` counts the steps that earlier attempts have used, `free` the attempts that used
    none, `throttles` the throttles that the webhook has answered in a row before this one.
    `spread` is chance in [-1, 1]. A probe does not `spend` a step, and so is never the last
    attempt.
    `TooRich` ends the delivery: whoever asks has sent every poorer form before. Whoever asks
    has also posted what could not be edited: of a post, `Uneditable` says nothing.
    """
    if isinstance(answer, Unanswered):
        trouble = without_answer(answer)
        if trouble.blame is Blame.US:
            return _our_turn(trouble, policy, spread, free)
        return _again(
            *(trouble, None),
            tries=tries,
            policy=policy,
            spread=spread,
            spend=spend,
        )
    settled = _settled(answer, acknowledgement)
    if settled is not None:
        return settled
    asked = _asked(answer, acknowledgement)
    if _throttles(answer, acknowledgement, asked):
        return _throttled(answer, acknowledgement, asked, throttles, spread)
    trouble = with_answer(answer, acknowledgement)
    return _again(trouble, asked, tries=tries, policy=policy, spread=spread, spend=spend)


def unrendered(
    why: str, *, tries: int, policy: RetryPolicy, spread: float, spend: bool = True
) -> Verdict:
    """Return what becomes of a delivery without a body: a reload may mend it."""
    trouble = Trouble(
        code="unrendered",
        sentence=f"the body cannot be rendered: {why}; correct the format and reload",
        blame=Blame.EVENT,
    )
    return _again(trouble, None, tries=tries, policy=policy, spread=spread, spend=spend)


# What ends the delivery or the webhook


def _settled(answer: Response, acknowledgement: Acknowledgement) -> Verdict | None:
    """Return the verdict of an answer that leaves nothing to wait for, None: it does."""
    delivered = _is_delivered(answer, acknowledgement)
    order = answer.headers.get("webhook-delivery", "").strip().lower()
    if order == "disable":
        return Disable(
            code="disable",
            sentence="the receiver asked to be switched off (webhook-delivery: disable); "
            "resume the webhook when it wants events again",
            delivered=delivered,
        )
    if delivered:
        return _delivered(answer, acknowledgement)
    if order == "abort-message":
        return _refused("aborted", "the receiver wants no more attempts of this message")
    return _ended(answer, acknowledgement)


def _ended(answer: Response, acknowledgement: Acknowledgement) -> Verdict | None:
    match acknowledgement:
        case Gone(why=why):
            return _gone(why)
        case Declined(why=why):
            return _refused("declined", why)
        case TooRich(why=why):
            return _refused("too-rich", f"the receiver cannot take this message: {why}")
        case Unclear() if answer.status == HTTPStatus.GONE:
            return _gone("410: the receiver says that it is gone for good")
        case _:
            return None


def _is_delivered(answer: Response, acknowledgement: Acknowledgement) -> bool:
    match acknowledgement:
        case Accepted():
            return True
        case Unclear():
            return 200 <= answer.status <= 299
        case _:
            return False


def _delivered(answer: Response, acknowledgement: Acknowledgement) -> Delivered:
    if isinstance(acknowledgement, Accepted):
        return _accepted(answer.status, acknowledgement, cut=answer.cut)
    return _just_accepted(answer.status, answer.cut)


def _accepted(status: int, said: Accepted, *, cut: bool) -> Delivered:
    note = "; the body of the answer was cut" if cut else ""
    edited = ": the earlier message was edited" if said.edited else ""
    return Delivered(
        code="accepted",
        sentence=f"accepted ({status}){edited}{note}",
        receipt=said.receipt,
        pause=said.pause and min(said.pause, MOST_ASKED),
    )


@lru_cache(maxsize=256)
def _just_accepted(status: int, cut: bool) -> Delivered:
    return _accepted(status, _JUST_ACCEPTED, cut=cut)


_JUST_ACCEPTED = Accepted()


def _gone(why: str) -> Disable:
    return Disable(code="gone", sentence=f"{why}; correct its url, then resume the webhook")


def _refused(code: str, why: str) -> GiveUp:
    return GiveUp(
        code=code, sentence=f"{why}; it is kept and can be replayed", blame=Blame.EVENT
    )


# What makes the webhook pause


def _asked(answer: Response, acknowledgement: Acknowledgement) -> timedelta | None:
    """Return the wait that the receiver asks for, None: it does not say."""
    if isinstance(acknowledgement, Throttled) and acknowledgement.after is not None:
        return acknowledgement.after
    return retry_after(answer.headers, answer.received_at)


def _throttles(
    answer: Response, acknowledgement: Acknowledgement, asked: timedelta | None
) -> bool:
    match acknowledgement:
        case Throttled():
            return True
        case Unclear() | Uneditable():
            return answer.status == HTTPStatus.TOO_MANY_REQUESTS or (
                answer.status == HTTPStatus.SERVICE_UNAVAILABLE and asked is not None
            )
        case _:
            return False


def _throttled(
    answer: Response,
    acknowledgement: Acknowledgement,
    asked: timedelta | None,
    throttles: int,
    spread: float,
) -> TryAgain:
    """Return the pause of a webhook that is asked too often: never early, at most 1 s late."""
    why = (
        acknowledgement.why if isinstance(acknowledgement, Throttled) else "asked too often"
    )
    pause = max(_granted(asked), _least_pause(throttles + 1, said=asked is not None))
    gate = pause + timedelta(seconds=(min(1.0, max(-1.0, spread)) + 1) / 2)
    return TryAgain(
        code="throttled",
        sentence=f"{answer.status}: {why}; the whole webhook pauses{_said(asked)}",
        blame=None,
        wait=gate,
        because=_because(asked) if asked is not None and pause <= asked else "gate",
        step=False,
        gate=gate,
        strained=True,
    )


def _least_pause(throttles: int, *, said: bool) -> timedelta:
    """Return how long the n-th throttle in a row pauses a webhook at least.

    Without a word of the receiver 1 s, doubling; with one nothing before the sixth: a
    receiver that always asks for no time at all must not be asked without end.
    """
    if said and throttles < 6:
        return timedelta()
    exponent = throttles - (5 if said else 1)
    return capped(2.0 ** min(exponent, 30), MOST_THROTTLED)


# What uses a step of the schedule


def _again(
    trouble: Trouble,
    asked: timedelta | None,
    *,
    tries: int,
    policy: RetryPolicy,
    spread: float,
    spend: bool,
) -> TryAgain | GiveUp:
    """Return when a failed delivery is tried again, or that it no longer is.

    Where the receiver names a moment there is another attempt even after the last step, not
    sooner than that step would be.
    """
    if not spend:
        return _unspent(trouble, asked)
    step = wait(policy.schedule, policy.jitter, tries + 1, spread)
    if step is None and asked is None:
        return GiveUp(
            code="exhausted",
            sentence=f"given up after {tries + 1} attempts; the last: {trouble.sentence}",
            blame=trouble.blame,
        )
    if step is None:
        step = (
            wait(policy.schedule, policy.jitter, len(policy.schedule), spread)
            or timedelta()
        )
    granted = _granted(asked)
    factor = 1 + policy.jitter * spread
    return TryAgain(
        code=trouble.code,
        sentence=trouble.sentence + _said(asked),
        blame=trouble.blame,
        wait=max(step, granted),
        because=_because(asked)
        if granted > step
        else f"step {tries + 1} \N{MULTIPLICATION SIGN} {factor:.2f}",
        strained=trouble.strained,
    )


def _unspent(trouble: Trouble, asked: timedelta | None) -> TryAgain:
    """Return what a failed probe is: the breaker says when the next one goes out."""
    return TryAgain(
        code=trouble.code,
        sentence=trouble.sentence + _said(asked),
        blame=trouble.blame,
        wait=max(_granted(asked), timedelta(seconds=1)),
        because="probe",
        step=False,
        strained=trouble.strained,
    )


def _our_turn(trouble: Trouble, policy: RetryPolicy, spread: float, free: int) -> TryAgain:
    """Return when we try again: after 5 s, doubling to 5 min, for a dead proxy stays dead."""
    seconds = OUR_PAUSE.total_seconds() * 2.0 ** min(free, 30)
    pause = capped(
        min(seconds, MOST_OURS.total_seconds()) * (1 + policy.jitter * spread), LONGEST
    )
    return TryAgain(
        code=trouble.code,
        sentence=trouble.sentence,
        blame=Blame.US,
        wait=pause,
        because="our own failure",
        step=False,
    )


def _granted(asked: timedelta | None) -> timedelta:
    return timedelta() if asked is None else max(timedelta(), min(asked, MOST_ASKED))


def _because(asked: timedelta | None) -> str:
    return f"Retry-After {_granted(asked).total_seconds():.0f} s"


def _said(asked: timedelta | None) -> str:
    if asked is None:
        return ""
    seconds = f"; it asked for {asked.total_seconds():.0f} s"
    return f"{seconds}, at most 24 h are granted" if asked > MOST_ASKED else seconds
