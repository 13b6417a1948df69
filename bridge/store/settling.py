"""Settlements: what an attempt made of a delivery, its log, and who comes next."""

from collections.abc import Sequence
from hashlib import sha256
from operator import itemgetter

import msgspec
from sqlalchemy import LargeBinary, Text, case, exists, true, update
from sqlalchemy.dialects.postgresql import insert

from bridge.core.delivering.delivery import (
    Particulars,
    Settlement,
    Status,
    WebhookState,
)
from bridge.core.text.jsontext import encode
from bridge.store import alerting, receipts
from bridge.store.recording import Gathered, ours, waiting
from bridge.store.sql import (
    Now,
    Query,
    Row,
    Statement,
    Transaction,
    batch,
    given,
    picked,
    rounds,
)
from bridge.store.tables import (
    BIG,
    SMALL,
    TEXT,
    attempts,
    bodies,
    deliveries,
)
from bridge.store.texts import micros, plain
from bridge.store.webhooks import NOTE, merged, noted

SIZE = 500

ANSWER_LIMIT = 64 * 1024
"""Bytes of an answer that are kept (DELIVERY, section 6)."""

HOUR = 3_600_000_000
"""Microseconds after which an answer that comes again is kept for longer."""

d, a, b = deliveries.c, attempts.c, bodies.c

n = batch(
    id=BIG, fence=BIG, status=SMALL, wait=BIG, step=SMALL, tried=SMALL, code=BIG, why=TEXT
)
SETTLE = Statement(
    "settle deliveries",
    update(deliveries)
    .values(
        {
            d.status: n.c.status,
            d.claimed_by: None,
            d.due_at: Now() + n.c.wait,
            d.tries: d.tries + n.c.step,
            # Given back unsent: the attempt that the claim had counted was none.
            d.attempt: case((n.c.tried == 1, d.attempt), else_=d.attempt - 1),
            d.last_code: case((n.c.tried == 1, n.c.code), else_=d.last_code),
            d.last_why: case((n.c.tried == 1, n.c.why), else_=d.last_why),
            d.settled_at: case((n.c.status != 0, Now())),
        }
    )
    .where(
        d.id == n.c.id,
        ours(d.claimed_by),
        d.fence == n.c.fence,
        waiting(d.status),
    )
    .returning(d.id),
)

n = batch(
    id=BIG, number=BIG, code=BIG, timings=TEXT, answer=TEXT, why=TEXT, particulars=TEXT
)
_ATTEMPT = {
    a.delivery_id: n.c.id,
    a.attempt: n.c.number,
    a.at: Now(),
    a.replica: given("me"),
    a.code: n.c.code,
    a.timings: n.c.timings,
    a.answer: n.c.answer,
    a.why: n.c.why,
    a.particulars: n.c.particulars,
}
LOG = Statement(
    "log attempts",
    insert(attempts)
    .from_select(list(_ATTEMPT), picked(_ATTEMPT).where(true()))
    .on_conflict_do_nothing(),
)
# A replica makes an attempt of a number once: a row of it says that this write is repeated.
_logged = exists().where(
    a.delivery_id == n.c.id, a.attempt == n.c.number, a.replica == given("me")
)
_known = exists().where(d.id == n.c.id)
LOG_ANYWAY = Statement(
    "log attempts of deliveries that are no longer ours",
    insert(attempts)
    .from_select(list(_ATTEMPT), picked(_ATTEMPT).where(_known, ~_logged))
    .on_conflict_do_nothing(),
)

_body = insert(bodies).values(
    sha256=given("sha256", Text()), body=given("body", LargeBinary()), at=Now()
)
KEEP = Statement(
    "keep an answer",
    _body.on_conflict_do_update(
        index_elements=[b.sha256],
        set_={"at": _body.excluded.at},
        where=b.at < _body.excluded.at - HOUR,
    ),
)

n = batch(watch=BIG, hook=BIG, seq=SMALL)
RELEASE = Statement(
    "release successors",
    update(deliveries)
    .values({d.due_at: case((d.due_at > Now(), Now()), else_=d.due_at)})
    .where(
        d.watch_id == n.c.watch,
        d.webhook_id == n.c.hook,
        d.seq > n.c.seq,
        d.status == 0,
        d.tries == 0,
        d.claimed_by.is_(None),
        ~d.manual,
    )
    .returning(d.webhook_id),
)


def settle(
    settlements: Sequence[Settlement], me: int, gathered: Gathered
) -> Transaction[None]:
    """Settle deliveries; count those that are no longer ours, but log their attempts."""
    for some in rounds(settlements, lambda one: one.delivery.id, SIZE):
        yield from _settle([settlement for _, settlement in some], me, gathered)


def _settle(
    settlements: Sequence[Settlement], me: int, gathered: Gathered
) -> Transaction[None]:
    rows = yield Query(SETTLE, {"me": me}, [_settlement(one) for one in settlements])
    accepted = {id_ for (id_,) in rows}
    gathered.fenced += len(settlements) - len(accepted)
    yield from _log(settlements, accepted, me)
    settled = [one for one in settlements if one.delivery.id in accepted]
    gathered.woken |= {
        one.delivery.webhook
        for one in settled
        if one.status is Status.PENDING and not one.wait
    }
    finished = _finished(settled)
    if finished:
        gathered.woken |= {hook for (hook,) in (yield Query(RELEASE, {}, finished))}
    yield from receipts.keep(settled)
    if states := _states(settlements):
        yield Query(NOTE, {}, [noted(state) for state in states])
    yield from alerting.announce([a for one in settlements for a in one.alerts], gathered)


def _log(
    settlements: Sequence[Settlement], accepted: set[int], me: int
) -> Transaction[None]:
    """Log attempts; an answer is kept once, however often it came.

    What was accepted is not logged yet, for this same write is never accepted twice.
    """
    answers: dict[str, bytes] = {}
    rows = [row for one in settlements for row in _attempt(one, answers)]
    # In the order of the table: fewer of its pages are split, and written again.
    rows.sort(key=itemgetter(0))
    if ours := [row for row in rows if row[0] in accepted]:
        yield Query(LOG, {"me": me}, ours)
    if others := [row for row in rows if row[0] not in accepted]:
        yield Query(LOG_ANYWAY, {"me": me}, others)
    for digest, body in answers.items():
        yield Query(KEEP, {"sha256": digest, "body": body})


def _settlement(one: Settlement) -> Row:
    attempt = one.attempt
    return (
        one.delivery.id,
        one.delivery.fence,
        int(one.status),
        micros(one.wait),
        int(one.step),
        int(attempt is not None),
        attempt and attempt.code,
        attempt and plain(attempt.why),
    )


def _attempt(one: Settlement, answers: dict[str, bytes]) -> list[Row]:
    attempt = one.attempt
    if attempt is None:
        return []
    digest = None
    if answer := attempt.answer[:ANSWER_LIMIT]:
        digest = digest_of(answer)
        answers[digest] = answer
    timings = msgspec.json.encode(attempt.timings).decode("ascii")
    return [
        (
            one.delivery.id,
            attempt.number,
            attempt.code,
            timings,
            digest,
            plain(attempt.why),
            particulars_text(attempt.particulars),
        )
    ]


def digest_of(answer: bytes) -> str:
    """Return what an answer is kept under."""
    return sha256(answer).hexdigest()


def particulars_text(particulars: Particulars) -> str:
    """Return the circumstances of an attempt as ASCII JSON."""
    try:
        return encode(particulars).decode("ascii")
    except TypeError:
        # A receiver's header may hold what UTF-8 cannot; that is told only once it is looked at.
        return encode(msgspec.to_builtins(particulars)).decode("ascii")


def _finished(settlements: Sequence[Settlement]) -> list[Row]:
    """Return what has ended and may hold others up: a replay stands outside the order."""
    return [
        (one.delivery.watch, one.delivery.webhook, one.delivery.seq)
        for one in settlements
        if one.status is not Status.PENDING
        and one.delivery.watch is not None
        and not one.delivery.manual
    ]


def _states(settlements: Sequence[Settlement]) -> list[WebhookState]:
    """Return what each webhook is that an answer has changed, in the order of ids."""
    states: dict[int, WebhookState] = {}
    for state in (one.webhook for one in settlements if one.webhook):
        before = states.get(state.id)
        states[state.id] = state if before is None else merged(before, state)
    return [states[id_] for id_ in sorted(states)]
