"""What is kept of deliveries, in a dict: the lists and the replays as the ports promise them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from bridge.core.delivering.delivery import Particulars, Purpose, Result, Status
from bridge.core.examples import example
from bridge.core.listing import (
    DeliveryFilter,
    DeliveryPage,
    History,
    ListedAttempt,
    ListedDelivery,
    ToldDelivery,
)
from bridge.core.network.exchange import Peer, Timings
from bridge.core.replay import Missing, Preview, Replay, ReplayFilter
from bridge.core.watch import Generation

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def attempt(number: int = 1, **changes: Any) -> ListedAttempt:
    """Return an attempt that a receiver answered with 503."""
    about = Particulars(
        purpose=Purpose.LIVE,
        step=number - 1,
        started=NOW,
        peer=Peer(address="192.0.2.7:443", tls="TLSv1.3"),
        sent=(("content-type", "application/json"), ("webhook-signature", "…")),
        heard=(("content-type", "text/plain"),),
        result=Result.AGAIN,
        reason="http-503",
        sentence="503: the receiver is not available now",
        next=5 * MINUTE,
        because=f"step {number}",
    )
    whole: dict[str, Any] = {
        "number": number,
        "at": NOW,
        "replica": 1,
        "code": 503,
        "why": "http-503: the receiver is not available now",
        "timings": Timings(dns=1.0, connect=2.0, total=25.5),
        "particulars": about,
        "answer": b"later",
    }
    return ListedAttempt(**(whole | changes))


class Ledger:
    """Deliveries from the first on; every one is of another moment, a minute apart."""

    def __init__(self) -> None:
        self.kept: dict[int, History] = {}
        self.begun: list[Replay] = []
        self.outcome = Status.PENDING
        """What becomes of a delivery that is sent again."""

    def add(
        self,
        webhook: int,
        status: Status = Status.FAILED,
        *attempts: ListedAttempt,
        kind: str = "generation.completed",
    ) -> int:
        """Keep a delivery and return its id."""
        id_ = len(self.kept) + 1
        delivery = ListedDelivery(
            id=id_,
            webhook=webhook,
            status=status,
            attempts=len(attempts),
            due_at=NOW + 5 * MINUTE,
            settled_at=None if status is Status.PENDING else NOW,
            code=attempts[-1].code if attempts else None,
            why=attempts[-1].why if attempts else None,
        )
        told = ToldDelivery(
            delivery=delivery,
            event=UUID(int=id_),
            type=kind,
            seq=2,
            generation=Generation("luma", f"g{id_}"),
            manual=False,
            first_at=NOW + id_ * MINUTE,
        )
        self.kept[id_] = History(
            delivery=told, message=example(kind), attempts=tuple(attempts)
        )
        return id_

    def _found(self, wanted: DeliveryFilter | ReplayFilter) -> list[ToldDelivery]:
        return [
            told
            for one in self.kept.values()
            if wanted.status in (None, (told := one.delivery).delivery.status)
            and wanted.webhook in (None, told.delivery.webhook)
            and (wanted.since is None or told.first_at >= wanted.since)
            and (wanted.until is None or told.first_at < wanted.until)
        ]

    async def list_deliveries(
        self, wanted: DeliveryFilter, *, before: int | None = None, limit: int
    ) -> DeliveryPage:
        found = sorted(self._found(wanted), key=lambda one: -one.delivery.id)
        rest = [one for one in found if before is None or one.delivery.id < before]
        page = tuple(rest[:limit])
        more = len(rest) > limit
        return DeliveryPage(deliveries=page, before=page[-1].delivery.id if more else None)

    async def history(self, delivery: int) -> History | None:
        return self.kept.get(delivery)

    async def retry(self, delivery: int) -> bool:
        one = self.kept.get(delivery)
        if one is None:
            return False
        due = replace(one.delivery.delivery, status=self.outcome, settled_at=None)
        told = replace(one.delivery, delivery=due, manual=True)
        self.kept[delivery] = replace(one, delivery=told)
        return True

    async def preview_replay(self, wanted: ReplayFilter) -> Preview:
        found = self._found(wanted)
        first = () if isinstance(wanted.status, Missing) else tuple(found[:10])
        return Preview(count=len(found), first=first)

    async def replay(self, wanted: ReplayFilter) -> Replay:
        found = self._found(wanted)
        for one in found:
            await self.retry(one.delivery.id)
        replay = Replay(
            id=len(self.begun) + 1,
            filter=wanted,
            done=len(found),
            over=True,
            begun_at=NOW,
        )
        self.begun.append(replay)
        return replay

    async def replays(self, *, limit: int) -> Sequence[Replay]:
        return self.begun[::-1][:limit]

    def waiting(self, webhook: int) -> int:
        """How many deliveries wait for a webhook."""
        wanted = DeliveryFilter(status=Status.PENDING, webhook=webhook)
        return len(self._found(wanted))

    def discard(self, webhook: int, since: datetime | None) -> None:
        """Cancel what waits for a webhook and is older; None: all of it."""
        wanted = DeliveryFilter(status=Status.PENDING, webhook=webhook, until=since)
        for told in self._found(wanted):
            over = replace(told.delivery, status=Status.CANCELLED, settled_at=NOW)
            id_ = told.delivery.id
            self.kept[id_] = replace(self.kept[id_], delivery=replace(told, delivery=over))
