"""What a slow store excuses, on virtual time."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import anyio
import pytest

from bridge.core.delivering.delivery import Delivery, WebhookState
from bridge.core.delivering.receipt import Receipt
from bridge.core.ports import Room
from bridge.engine.awaited import AwaitedOutbox
from bridge.errors import StoreUnavailable
from tests.fakes.clock import VirtualClock

pytestmark = pytest.mark.anyio


class Slow:
    """An outbox whose every answer takes 20 seconds; `set_webhook` then fails."""

    async def claim_deliveries(self, rooms: Sequence[Room]) -> Sequence[Delivery]:
        await anyio.sleep(20)
        return []

    async def next_due(self) -> Mapping[int, timedelta]:
        await anyio.sleep(20)
        return {1: timedelta(seconds=7)}

    async def set_webhook(self, state: WebhookState) -> None:
        await anyio.sleep(20)
        raise StoreUnavailable("away")

    async def receipt(self, watch: int, webhook: int) -> Receipt | None:
        await anyio.sleep(20)
        return Receipt(place="here", text=f"{watch}/{webhook}")


async def test_a_slow_answer_excuses_for_as_long_as_it_takes() -> None:
    outbox = AwaitedOutbox(Slow(), clock=VirtualClock())
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(outbox.claim_deliveries, [])
        await anyio.sleep(19)
        assert outbox.excused == anyio.current_time()
        await anyio.sleep(11)
        assert outbox.excused == pytest.approx(20.0)


async def test_answers_and_failures_are_passed_on() -> None:
    outbox = AwaitedOutbox(Slow(), clock=VirtualClock())
    assert await outbox.next_due() == {1: timedelta(seconds=7)}
    assert await outbox.receipt(3, 4) == Receipt(place="here", text="3/4")
    with pytest.raises(StoreUnavailable):
        await outbox.set_webhook(WebhookState(id=1, key="name:studio"))
    assert outbox.excused == pytest.approx(60.0)
    await anyio.sleep(5)
    assert outbox.excused == pytest.approx(60.0)
