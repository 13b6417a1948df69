"""What people hear of a webhook beside its failures: each thing once."""

from datetime import UTC, timedelta
from email.utils import format_datetime

import anyio
import pytest

from bridge.core.delivering.signing import RECOMMENDED_BODY
from bridge.core.message import Message
from bridge.core.network.exchange import Request, Response
from bridge.core.ports import Form, Rendered
from bridge.formats.standard import Format as Standard
from tests.engine.heap import Heap
from tests.engine.rig import Rig, every, source, webhook
from tests.fakes.receiver import Choice

pytestmark = pytest.mark.anyio

DONE = (("completed", None),)


class Bulky(Standard):
    """A format whose bodies have a size of their own."""

    size = RECOMMENDED_BODY + 1

    def render(self, message: Message, form: Form = Form.FULL) -> Rendered:
        return Rendered(body=b'"' + b"x" * (self.size - 2) + b'"')


class Fitting(Bulky):
    size = RECOMMENDED_BODY


async def remarks(heap: Heap, phrase: str, **settings: object) -> list[dict[str, object]]:
    async with heap.sender([webhook("w1", **settings)]):
        for _ in range(30):
            heap.pile.add(1)
            await anyio.sleep(60)
    return [fields for _, word, fields in heap.log.lines if word == phrase]


async def test_of_large_signed_messages_people_hear_once() -> None:
    (said,) = await remarks(Heap([lambda _a, _r: 204]), "a large message", format=Bulky())
    assert said["bytes"] == RECOMMENDED_BODY + 1
    assert "raw: false" in str(said["advice"])


@pytest.mark.parametrize(
    "settings", [{"format": Fitting()}, {"format": Bulky(), "keys": ()}]
)
async def test_no_word_of_messages_that_fit_or_that_nobody_verifies(
    settings: dict[str, object],
) -> None:
    heap = Heap([lambda _a, _r: 204])
    assert not await remarks(heap, "a large message", **settings)


def late(heap: Heap, seconds: float) -> None:
    def rule(_age: timedelta, _request: Request) -> Choice:
        now = heap.clock.now()
        date = format_datetime(
            (now + timedelta(seconds=seconds)).astimezone(UTC), usegmt=True
        )
        return Response(status=204, headers={"date": date}, received_at=now)

    heap.receivers[0].rule = rule


@pytest.mark.parametrize("seconds", [61, -62, 86400])
async def test_of_a_receivers_clock_that_is_off_people_hear_once_an_hour(
    seconds: int,
) -> None:
    heap = Heap([lambda _a, _r: 204])
    late(heap, seconds)
    (said,) = await remarks(heap, "the receiver's clock is off")
    assert abs(int(str(said["ahead_s"])) - seconds) <= 1


@pytest.mark.parametrize("seconds", [0, 59, -59])
async def test_of_a_clock_that_is_nearly_right_nobody_hears(seconds: int) -> None:
    heap = Heap([lambda _a, _r: 204])
    late(heap, seconds)
    assert not await remarks(heap, "the receiver's clock is off")


class Broken(Standard):
    """A format that fails with every message but operational ones."""

    def render(self, message: Message, form: Form = Form.FULL) -> Rendered:
        raise ValueError("secret of the message")


async def test_people_hear_once_an_hour_of_a_body_that_cannot_be_rendered() -> None:
    rig = Rig(rules={"studio": lambda _a, _r: 204, "team": lambda _a, _r: 204})
    hooks = [
        webhook(alerts="team", format=Broken(), retry=every(300)),
        webhook("team", states=frozenset()),
    ]
    id_ = rig.upstream.add("aimlapi-luma", script=DONE)
    async with rig.engine([source(rig.upstream)], hooks) as engine:
        await engine.watch("aimlapi-luma", id_)
        await anyio.sleep(7000)
    told = [posted.document for posted in rig.receivers["team"].accepted]
    assert [one["type"] for one in told] == ["delivery.unrendered"] * 3
    assert "correct the format and reload" in told[0]["data"]["reason"]
    assert "secret of the message" not in str(told)
    assert not rig.posts("studio")
