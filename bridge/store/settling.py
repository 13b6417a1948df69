"""Settlements: what an attempt made of a delivery, its log, and who comes next."""

from collections.abc import Sequence
from hashlib import sha256

import msgspec
from sqlalchemy import LargeBinary, Text, case, exists, update
from sqlalchemy.dialects.postgresql import insert

from bridge.core.delivering.delivery import Settlement, Status, WebhookState
from bridge.store.recording import Gathered, ours
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
    FLAG,
    SMALL,
    TEXT,
    attempts,
    bodies,
    deliveries,
    webhooks,
)
from bridge.store.texts import micros, plain

SIZE = 500

ANSWER_LIMIT = 64 * 1024
"""Bytes of an answer that are kept (DELIVERY, section 6)."""

HOUR = 3_600_000_000
"""Microseconds after which an answer that comes again is kept for longer."""

d, a, b, h = deliveries.c, attempts.c, bodies.c, webhooks.c

n = batch(
    id=BIG, fence=BIG, status=SMALL, wait=BIG, step=SMALL, tried=FLAG, code=BIG, why=TEXT
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
            d.attempt: case((n.c.tried, d.attempt), else_=d.attempt - 1),
            d.last_code: case((n.c.tried, n.c.code), else_=d.last_code),
            d.last_why: case((n.c.tried, n.c.why), else_=d.last_why),
            d.settled_at: case((n.c.status != 0, Now())),
        }
    )
    .where(
        d.id == n.c.id,
        ours(d.claimed_by),
        d.fence == n.c.fence,
        d.status == 0,
    )
    .returning(d.id),
)

n = batch(id=BIG, number=BIG, code=BIG, timings=TEXT, answer=TEXT, why=TEXT)
_ATTEMPT = {
    a.delivery_id: n.c.id,
    a.attempt: n.c.number,
    a.at: Now(),
    a.replica: given("me"),
    a.code: n.c.code,
    a.timings: n.c.timings,
    a.answer: n.c.answer,
    a.why: n.c.why,
}
# A replica makes an attempt of a number once: a row of it says that this write is repeated.
_logged = exists().where(
    a.delivery_id == n.c.id, a.attempt == n.c.number, a.replica == given("me")
)
_known = exists().where(d.id == n.c.id)
LOG = Statement(
    "log attempts",
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

_state = given("state")
_gate = given("gate")
GATE = Statement(
    "note a webhook's state",
    update(webhooks)
    .values(
        {
            h.state: case((h.state < _state, _state), else_=h.state),
            h.gate_until: Now() + _gate,
            h.gate_why: given("why", Text()),
        }
    )
    .where(h.id == given("id")),
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
    yield from _log(settlements, me)
    settled = [one for one in settlements if one.delivery.id in accepted]
    gathered.woken |= {
        one.delivery.webhook
        for one in settled
        if one.status is Status.PENDING and not one.wait
    }
    finished = _finished(settled)
    if finished:
        gathered.woken |= {hook for (hook,) in (yield Query(RELEASE, {}, finished))}
    for state in _states(settlements):
        yield Query(GATE, given_state(state))


def _log(settlements: Sequence[Settlement], me: int) -> Transaction[None]:
    """Log attempts; an answer is kept once, however often it came."""
    answers: dict[str, bytes] = {}
    tried = [row for one in settlements for row in _attempt(one, answers)]
    if tried:
        yield Query(LOG, {"me": me}, tried)
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
        attempt is not None,
        attempt and attempt.code,
        attempt and plain(attempt.why),
    )


def _attempt(one: Settlement, answers: dict[str, bytes]) -> list[Row]:
    attempt = one.attempt
    if attempt is None:
        return []
    digest = None
    if answer := attempt.answer[:ANSWER_LIMIT]:
        digest = sha256(answer).hexdigest()
        answers[digest] = answer
    timings = msgspec.json.encode(attempt.timings).decode("ascii")
    return [
        (one.delivery.id, attempt.number, attempt.code, timings, digest, plain(attempt.why))
    ]


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
    """Return the last state of each webhook that an answer has changed."""
    return list(
        {one.webhook.id: one.webhook for one in settlements if one.webhook}.values()
    )


def given_state(state: WebhookState) -> dict[str, object]:
    """Return a webhook's state as the values of a query."""
    return {
        "id": state.id,
        "state": int(state.condition),
        "gate": None if state.gate is None else micros(state.gate),
        "why": plain(state.why),
    }
