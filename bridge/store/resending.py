"""Resending: replays of a store in memory, as `replaying` does them over tables."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bridge.core.delivering.delivery import Condition, Status
from bridge.core.delivering.health import HEALTHY, Health
from bridge.core.listing import DeliveryFilter, DeliveryPage, History, ListedAttempt
from bridge.core.replay import Missing, Preview, Replay, Replayed, ReplayFilter
from bridge.errors import StoreError
from bridge.store.answering import FIRST
from bridge.store.budgeting import STEPPED
from bridge.store.disk import DeliveryRow, Disk, EventRow, ReplayRow
from bridge.store.listing import instant
from bridge.store.recalling import next_id, told
from bridge.store.replaying import LOOKED, STEP, tagged
from bridge.store.searching import BEYOND, between, moment
from bridge.store.settling import ANSWER_LIMIT, digest_of, particulars_text
from bridge.store.telling import particulars_of
from bridge.store.texts import micros, span


class Resending:
    """The part of the store in memory that tells of deliveries and sends them again."""

    disk: Disk

    async def _begin(self) -> int:
        """Let others run; return the time."""
        raise NotImplementedError

    def _address(self, event: EventRow, webhook: int, now: int) -> DeliveryRow | None:
        """Make a delivery; None: there is one."""
        raise NotImplementedError

    def _release(self, settled: DeliveryRow, now: int) -> set[int]:
        """Let the successors of a finished delivery come due."""
        raise NotImplementedError

    def _close(self, row: DeliveryRow, status: Status, now: int) -> None:
        """End a delivery."""
        raise NotImplementedError

    async def list_deliveries(
        self, wanted: DeliveryFilter, *, before: int | None = None, limit: int
    ) -> DeliveryPage:
        """Return deliveries below an id, newest first."""
        await self._begin()
        below = BEYOND if before is None else before
        rows = sorted(self.disk.deliveries.values(), key=lambda row: -row.id)
        found = [row for row in rows if row.id < below and _listed(row, wanted)][:limit]
        return DeliveryPage(
            deliveries=tuple(told(self.disk, row) for row in found),
            before=found[-1].id if found and len(found) == limit else None,
        )

    async def history(self, delivery: int) -> History | None:
        """Return a delivery with its message and every attempt."""
        await self._begin()
        row = self.disk.deliveries.get(delivery)
        if row is None:
            return None
        return History(
            delivery=told(self.disk, row),
            message=self.disk.events[row.event].message,
            attempts=tuple(self._attempts(delivery)),
        )

    def _attempts(self, delivery: int) -> Iterable[ListedAttempt]:
        for (id_, number), (at, attempt) in sorted(
            self.disk.attempts.items(), key=lambda item: (item[1][0], item[0])
        ):
            if id_ == delivery:
                answer = attempt.answer[:ANSWER_LIMIT]
                _, body = self.disk.bodies.get(digest_of(answer), (0, None))
                yield ListedAttempt(
                    number=number,
                    at=instant(at),
                    replica=1,
                    code=attempt.code,
                    why=attempt.why,
                    timings=attempt.timings,
                    particulars=particulars_of(particulars_text(attempt.particulars)),
                    answer=body if answer else None,
                )

    async def retry(self, delivery: int) -> int | None:
        """Make a delivery due now; return its webhook."""
        now = await self._begin()
        row = self.disk.deliveries.get(delivery)
        if row is None:
            return None
        if row.status is not Status.PENDING:
            self._again(row, now)
        elif not row.claimed:
            row.due_at = min(row.due_at, now)
        return row.webhook

    def _again(self, row: DeliveryRow, now: int) -> None:
        row.status, row.manual, row.tries = Status.PENDING, True, 0
        row.fence, row.due_at, row.settled_at = row.fence + 1, now, None
        self.disk.pending.setdefault(row.webhook, {})[row.id] = row

    # Replays

    async def preview_replay(self, wanted: ReplayFilter) -> Preview:
        """Return what a replay would do."""
        await self._begin()
        cursor, last = self._span(wanted)
        found = [row for row in self._rows(wanted, cursor, last) if self._fits(wanted, row)]
        rows = [row for row in found if isinstance(row, DeliveryRow)]
        first = tuple(told(self.disk, row) for row in rows[:FIRST])
        return Preview(count=len(found), first=first)

    async def begin_replay(self, wanted: ReplayFilter) -> Replay:
        """Remember a replay."""
        now = await self._begin()
        cursor, last = self._span(wanted)
        row = ReplayRow(
            id=next_id(self.disk.replays),
            filter=wanted,
            cursor=cursor,
            last=last,
            begun_at=now,
        )
        self.disk.replays[row.id] = row
        return _replay(row)

    async def advance_replay(self) -> Replayed | None:
        """Do the next step of the oldest replay that is not over."""
        now = await self._begin()
        running = (row for row in self.disk.replays.values() if row.over_at is None)
        replay = next(running, None)
        if replay is None:
            return None
        woken: list[int] = []
        looked = self._rows(replay.filter, replay.cursor, replay.last)[:LOOKED]
        for row in looked:
            replay.cursor = row.id
            if self._fits(replay.filter, row):
                woken.append(self._replayed(replay.filter, row, now))
            if len(woken) == STEP:
                break
        else:
            replay.over_at = now if len(looked) < LOOKED else None
        replay.done += len(woken)
        return Replayed(replay=_replay(replay), woken=frozenset(woken))

    async def replays(self, *, limit: int) -> Sequence[Replay]:
        """Return the latest replays, newest first."""
        await self._begin()
        rows = sorted(self.disk.replays.values(), key=lambda row: -row.id)
        return tuple(_replay(row) for row in rows[:limit])

    def _span(self, wanted: ReplayFilter) -> tuple[int, int]:
        if isinstance(wanted.status, Missing):
            if wanted.webhook is None:
                raise StoreError("what is missing can only be replayed for one webhook")
            return -1, next(reversed(self.disk.events), 0)
        return -1, next(reversed(self.disk.deliveries), 0)

    def _rows(
        self, wanted: ReplayFilter, cursor: int, last: int
    ) -> Sequence[DeliveryRow | EventRow]:
        if isinstance(wanted.status, Missing):
            events = self.disk.events.values()
            return [row for row in events if cursor < row.id <= last]
        rows = self.disk.deliveries.values()
        if wanted.status is Status.PENDING:
            return []
        # As an index has them: what it holds beside does not count as looked at.
        return [row for row in rows if cursor < row.id <= last and _indexed(row, wanted)]

    def _fits(self, wanted: ReplayFilter, row: DeliveryRow | EventRow) -> bool:
        if isinstance(row, EventRow):
            watch = None if row.watch is None else self.disk.watches[row.watch]
            return (
                watch is not None
                and wanted.webhook in self.disk.webhooks
                and wanted.webhook in watch.standing.webhooks
                and (row.id, wanted.webhook) not in self.disk.addressed
                and tagged(wanted, row.tag)
                and between(row.occurred_at, wanted.since, wanted.until)
            )
        at = self.disk.events[row.event].occurred_at
        return row.status is wanted.status and between(at, wanted.since, wanted.until)

    def _replayed(self, wanted: ReplayFilter, row: DeliveryRow | EventRow, now: int) -> int:
        if isinstance(row, DeliveryRow):
            self._again(row, now)
            return row.webhook
        assert wanted.webhook is not None  # noqa: S101  (else `_span` had refused it)
        made = self._address(row, wanted.webhook, now)
        if made is not None:
            made.manual = True
        return wanted.webhook

    # Webhooks

    async def resume_webhook(
        self, webhook: int, *, since: datetime | None = None, discard: bool = False
    ) -> int:
        """Open a webhook; return what waits."""
        now = await self._begin()
        before = BEYOND if discard or since is None else moment(since)
        waiting = self.disk.pending.get(webhook, {})
        if discard or since is not None:
            rows = [r for r in waiting.values() if not r.claimed and r.first_at < before]
            for row in sorted(rows, key=lambda row: row.id):
                self._cancel(row, now)
        if row_ := self.disk.webhooks.get(webhook):
            row_.condition, row_.gate_until, row_.why = Condition.ACTIVE, None, None
            row_.health, row_.failing_since = _renewed(row_.health), None
        return len(waiting)

    def _cancel(self, row: DeliveryRow, now: int) -> None:
        row.fence += 1
        self._close(row, Status.CANCELLED, now)
        if not row.manual:
            self._release(row, now)

    async def chunk(self, key: str, length: timedelta) -> timedelta:
        """Take the next `length` of a rate; return when it begins, from now."""
        now = await self._begin()
        most = now + micros(length + STEPPED)
        begin = max(now, min(most, self.disk.budgets.get(key, now)))
        self.disk.budgets[key] = begin + micros(length)
        return span(begin - now)


def _listed(row: DeliveryRow, wanted: DeliveryFilter) -> bool:
    return (
        wanted.status in (None, row.status)
        and wanted.webhook in (None, row.webhook)
        and between(row.first_at, wanted.since, wanted.until)
    )


def _indexed(row: DeliveryRow, wanted: ReplayFilter) -> bool:
    if wanted.webhook is not None:
        return row.webhook == wanted.webhook and row.status is wanted.status
    return wanted.status is not Status.FAILED or row.status is Status.FAILED


def _renewed(health: Health) -> Health:
    return replace(HEALTHY, streak=health.streak)


def _replay(row: ReplayRow) -> Replay:
    return Replay(
        id=row.id,
        filter=row.filter,
        done=row.done,
        over=row.over_at is not None,
        begun_at=instant(row.begun_at),
    )
