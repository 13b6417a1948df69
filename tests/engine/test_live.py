"""Progress that is one message, which is edited: over restarts, deletions, replays and crashes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID

import anyio
import pytest

from bridge.core.change import Change
from bridge.core.delivering.acknowledgement import Accepted, Uneditable
from bridge.core.delivering.delivery import Delivery
from bridge.core.delivering.receipt import Receipt
from bridge.core.event import event_id
from bridge.core.examples import GENERATIONS
from bridge.core.ladder import State
from bridge.core.network.exchange import Phase, Request, Response, Unanswered
from bridge.core.ports import Form
from bridge.core.settings import Webhook
from bridge.core.watch import Generation, Origin, Watch, WatchWish
from bridge.engine.courier import Brought, Courier
from bridge.engine.trial import Trials
from bridge.errors import StoreUnavailable
from bridge.formats.discord import Format as DiscordFormat
from bridge.formats.telegram import Format as TelegramFormat
from bridge.store.memory import MemoryStore
from tests.engine.rig import Engine, Rig, every, source, webhook
from tests.engine.trips import delivery, named
from tests.fakes.answers import Chosen
from tests.fakes.chats import Chat, Discord, Telegram
from tests.fakes.clock import EPOCH, VirtualClock
from tests.fakes.receiver import FakeReceiver

pytestmark = pytest.mark.anyio

SOURCE = "aimlapi-luma"
SCRIPT = (("queued", 20.0), ("dreaming", 20.0), ("completed", None))
URL = "https://studio.example/api/webhooks/1/canary"
EDIT = {"discord": "PATCH", "telegram": "editMessageText"}
kinds = pytest.mark.parametrize("kind", ["discord", "telegram"])


class Shelf(MemoryStore):
    """A store that is asked for receipts: slow, silent, or away as often as `refusals` says."""

    asked = 0
    refusals = 0
    hangs = False
    takes = 0.0

    async def receipt(self, watch: int, webhook: int) -> Receipt | None:
        self.asked += 1
        await anyio.sleep(self.takes)
        if self.hangs:
            await anyio.sleep_forever()
        if self.refusals:
            self.refusals -= 1
            raise StoreUnavailable("locked")
        return await super().receipt(watch, webhook)


class Scene:
    """An engine whose one webhook is a chat; `rule` answers first, None: the chat does."""

    def __init__(self, kind: str, *, live: bool = True, **settings: Any) -> None:
        self.kind = kind
        self.chat: Chat = Discord() if kind == "discord" else Telegram()
        self.rule: Callable[[Request], Chosen | None] = lambda _request: None
        self.rig = Rig(rules={"studio": self._answered})
        self.format: Any = DiscordFormat(live=live)
        if kind == "telegram":
            self.format = TelegramFormat(chat_id="4711", live=live)
        self.settings = {"retry": every(3)} | settings

    def _answered(self, _age: timedelta, request: Request) -> Chosen:
        first = self.rule(request)
        return self.chat.take(request) if first is None else first

    @property
    def webhook(self) -> Webhook:
        return webhook(
            url=URL,
            keys=(),
            format=self.format,
            format_name=self.kind,
            **self.settings,
        )

    def shelved(self) -> Shelf:
        """Use a store whose receipts can be watched."""
        numbers = count(1)
        shelf = Shelf(self.rig.clock, lambda: UUID(int=next(numbers)))
        self.rig.store = shelf
        return shelf

    def engine(self) -> Any:
        return self.rig.engine([source(self.rig.upstream)], [self.webhook])

    async def begun(self, engine: Engine, *, script: Any = SCRIPT) -> str:
        """Watch a generation; return its id once its first state was told."""
        id_ = self.rig.upstream.add(SOURCE, script=script)
        await engine.watch(SOURCE, id_)
        await anyio.sleep(10)
        return id_

    @property
    def edits(self) -> int:
        return sum(EDIT[self.kind] in asked for asked in self.chat.asked)

    def check(self, *titles: str) -> None:
        assert self.chat.titles == list(titles)
        assert self.chat.faults == []


@kinds
async def test_progress_is_one_message_and_the_end_is_another(kind: str) -> None:
    scene = Scene(kind)
    async with scene.engine() as engine:
        await scene.begun(engine)
        scene.check("Queued")
        await anyio.sleep(20)
        scene.check("Dreaming")
        await anyio.sleep(30)
    scene.check("Dreaming", "Completed")
    assert scene.edits == 1
    assert len(scene.rig.posts()) == 3
    progress, end = scene.chat.messages.values()
    assert len(set(progress.ids)) == 2
    assert not set(progress.ids) & set(end.ids)


@kinds
async def test_without_live_every_state_is_a_message_and_nobody_asks_for_receipts(
    kind: str,
) -> None:
    scene = Scene(kind, live=False)
    shelf = scene.shelved()
    async with scene.engine() as engine:
        await scene.begun(engine)
        await anyio.sleep(60)
    scene.check("Queued", "Dreaming", "Completed")
    assert not shelf.asked
    assert not shelf.disk.receipts


@kinds
async def test_after_a_crash_the_edit_still_finds_its_message(kind: str) -> None:
    scene = Scene(kind)
    async with scene.engine() as engine:
        await scene.begun(engine)
    scene.rig.restart()
    async with scene.engine():
        await anyio.sleep(60)
    scene.check("Dreaming", "Completed")


@kinds
async def test_a_message_that_is_gone_is_posted_anew_in_the_same_attempt(kind: str) -> None:
    scene = Scene(kind)
    script = (("queued", 15.0), ("dreaming", 15.0), ("completed", None))
    async with scene.engine() as engine:
        await scene.begun(engine, script=script)
        scene.chat.clear()
        await anyio.sleep(20)
        scene.check("Dreaming")
        edit, post = scene.rig.posts()[1:3]
        assert (edit.at, edit.id) == (post.at, post.id)
        assert edit.headers["webhook-attempt"] == post.headers["webhook-attempt"] == "1"
        ((key, receipt),) = scene.rig.store.disk.receipts.items()
        assert receipt.text in scene.chat.messages
        assert key == (1, 1)
    attempts = [attempt for _, attempt in scene.rig.store.disk.attempts.values()]
    assert [one.particulars.result for one in attempts] == ["delivered"] * len(attempts)


@kinds
async def test_an_edit_whose_answer_was_lost_is_repeated_and_changes_nothing(
    kind: str,
) -> None:
    scene = Scene(kind)
    lost: list[str] = []

    def rule(request: Request) -> Chosen | None:
        if b"reaming" in request.body and not lost:
            lost.append(request.url)
            scene.chat.take(request)
            return Unanswered(phase=Phase.ANSWER, reason="closed")
        return None

    scene.rule = rule
    async with scene.engine() as engine:
        await scene.begun(engine)
        await anyio.sleep(60)
    assert lost
    scene.check("Dreaming", "Completed")
    assert scene.edits == 2


@kinds
async def test_a_post_whose_answer_was_lost_comes_twice_and_the_second_one_is_edited(
    kind: str,
) -> None:
    scene = Scene(kind)

    def rule(request: Request) -> Chosen | None:
        if scene.chat.asked:
            return None
        scene.chat.take(request)
        return Unanswered(phase=Phase.ANSWER, reason="closed")

    scene.rule = rule
    async with scene.engine() as engine:
        await scene.begun(engine)
        await anyio.sleep(60)
    scene.check("Queued", "Dreaming", "Completed")
    first, second, _ = scene.chat.messages.values()
    assert first.ids == second.ids[:1]


@kinds
async def test_a_replay_is_posted_and_is_not_edited_afterwards(kind: str) -> None:
    scene = Scene(kind)
    async with scene.engine() as engine:
        await scene.begun(engine)
        queued = min(scene.rig.store.disk.deliveries)
        woken = await scene.rig.store.retry(queued)
        assert woken is not None
        engine.sender.woken([woken])
        await anyio.sleep(5)
        scene.check("Queued", "Queued")
        await anyio.sleep(60)
        # Now an old state: it takes nothing away.
        await scene.rig.store.retry(queued)
        engine.sender.woken([woken])
        await anyio.sleep(5)
    scene.check("Dreaming", "Queued", "Completed", "Queued")
    ids = [message.ids[0] for message in scene.chat.messages.values()]
    assert ids[0] == ids[1] == ids[3]


@kinds
async def test_a_stall_is_a_message_of_its_own_and_the_progress_is_edited_after_it(
    kind: str,
) -> None:
    scene = Scene(kind)
    async with scene.rig.engine([], [scene.webhook]) as engine:
        wish = WatchWish(
            generation=Generation(SOURCE, "g1"),
            origin=Origin.API,
            until=State.COMPLETED,
            webhooks=engine.webhooks,
        )
        (watch,) = (await scene.rig.store.register([wish])).started
        for tag in ("queued", "stalled", "dreaming", "lost"):
            watch = await told(engine, watch, tag)
    scene.check("Dreaming", "Stalled", "Lost")
    stall = scene.rig.posts()[1]
    assert b'"disable_notification"' not in stall.body
    assert b'"flags"' not in stall.body


async def told(engine: Engine, watch: Watch, tag: str) -> Watch:
    """Commit an event as a poller does; return the watch after it."""
    message = GENERATIONS[f"generation.{tag}"]
    change = Change(
        watch=watch,
        rank=watch.rank,
        native_state=tag,
        ended=None,
        tag=tag,
        message=replace(message, id=event_id(watch.uid, tag)),
        recipients=tuple(engine.sender.recipients(watch, tag)),
    )
    engine.sender.deliver(change, await engine.writer.record(change))
    await anyio.sleep(10)
    return replace(watch, seq=change.seq)


async def test_after_another_chat_is_configured_progress_is_posted_there() -> None:
    scene = Scene("telegram")
    async with scene.engine() as engine:
        await scene.begun(engine)
    scene.rig.restart()
    scene.format = TelegramFormat(chat_id="4712", live=True)
    async with scene.engine():
        await anyio.sleep(60)
    scene.check("Queued", "Dreaming", "Completed")


@kinds
async def test_while_the_store_cannot_say_which_message_nothing_is_posted_twice(
    kind: str,
) -> None:
    scene = Scene(kind)
    shelf = scene.shelved()
    async with scene.engine() as engine:
        await scene.begun(engine)
        shelf.refusals = 2
        await anyio.sleep(90)
    scene.check("Dreaming", "Completed")
    assert shelf.asked == 4
    attempts = [attempt for _, attempt in shelf.disk.attempts.values()]
    local = [one for one in attempts if one.particulars.reason == "local"]
    assert [one.particulars.because for one in local] == ["our own failure"] * 2
    assert {one.particulars.step for one in attempts} == {0}


@kinds
async def test_a_store_that_hangs_does_not_hold_an_attempt_beyond_its_claim(
    kind: str,
) -> None:
    scene = Scene(kind)
    shelf = scene.shelved()
    shelf.hangs = True
    async with scene.engine() as engine:
        await scene.begun(engine)
        await anyio.sleep(30)
    assert shelf.asked > 1
    assert not scene.rig.posts()
    attempts = [attempt for _, attempt in shelf.disk.attempts.values()]
    assert {one.particulars.reason for one in attempts} == {"local"}


@kinds
async def test_an_attempt_that_edited_says_so_and_shows_no_secret(kind: str) -> None:
    scene = Scene(kind)
    async with scene.engine() as engine:
        await scene.begun(engine)
        await anyio.sleep(60)
    attempts = [attempt for _, attempt in scene.rig.store.disk.attempts.values()]
    said = [one.particulars.sentence for one in attempts]
    edited = "accepted (200): the earlier message was edited"
    assert said == ["accepted (200)", edited, "accepted (200)"]
    assert "canary" not in repr([(one.answer, one.particulars.sent) for one in attempts])
    assert "canary" not in repr((scene.rig.log.lines, scene.rig.store.disk.receipts))


@kinds
async def test_two_generations_have_a_message_each(kind: str) -> None:
    scene = Scene(kind)
    async with scene.engine() as engine:
        first = await scene.begun(engine)
        second = await scene.begun(engine)
        await anyio.sleep(90)
    assert sorted(scene.chat.titles) == ["Completed"] * 2 + ["Dreaming"] * 2
    assert scene.chat.faults == []
    for id_ in (first, second):
        timeline = await scene.rig.store.timeline(Generation(SOURCE, id_))
        assert timeline is not None
        assert [event.tag for event in timeline.events] == [
            "queued",
            "dreaming",
            "completed",
        ]


async def test_somebody_who_tries_a_webhook_gets_a_post_and_leaves_no_receipt() -> None:
    scene = Scene("discord")

    class Turns:
        async def turn(self, webhook: int, *, patience: float) -> bool:
            return True

    clock = scene.rig.clock
    courier = Courier(http=scene.rig.network, clock=clock, version="test")
    trials = Trials(courier=courier, turns=Turns(), clock=clock)
    message = GENERATIONS["generation.dreaming"]
    for _ in range(2):
        trial = await trials.make(1, scene.webhook, message=message)
        assert (trial.method, trial.reason) == ("POST", "accepted")
    scene.check("Dreaming", "Dreaming")
    assert not scene.rig.store.disk.receipts


async def test_after_a_reload_meanwhile_nothing_is_edited_where_it_does_not_stand() -> None:
    scene = Scene("telegram")
    shelf = scene.shelved()
    async with scene.engine() as engine:
        await scene.begun(engine)
        shelf.takes = 8.0
        while shelf.asked < 2:  # noqa: ASYNC110  (nobody tells when it is asked)
            await anyio.sleep(1)
        assert len(scene.rig.posts()) == 1
        scene.format = TelegramFormat(chat_id="4712", live=True)
        (state,) = (await shelf.webhooks(["name:studio"])).values()
        engine.sender.add_lane(scene.webhook, state)
        await anyio.sleep(60)
    assert [asked for _, asked in scene.chat.asked] == [
        "sendMessage",
        "sendMessage",
        "sendVideo",
    ]
    (receipt,) = shelf.disk.receipts.values()
    assert receipt.text == "1001"


# The courier alone


class Line:
    """A receiver that answers one after the other; what is left over repeats the last."""

    def __init__(self, *answers: Chosen) -> None:
        self.answers = list(answers)
        self.asked: list[Request] = []

    def rule(self, _age: timedelta, request: Request) -> Chosen:
        self.asked.append(request)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    @property
    def methods(self) -> list[str]:
        return [request.method for request in self.asked]


def said(status: int, body: bytes) -> Response:
    return Response(status=status, body=body, received_at=EPOCH)


SAVED = said(200, b'{"id":"2002"}')
DELETED = said(404, b'{"code":10008}')
TOO_MANY_EDITS = said(429, b'{"code":30046,"retry_after":3600}')
TOO_RICH = said(400, b'{"code":50035}')
DREAMING = replace(delivery(), message=GENERATIONS["generation.dreaming"])
EDITING = replace(DREAMING, receipt="1001")


async def bring(line: Line, one: Delivery, **settings: Any) -> Brought:
    clock = VirtualClock()
    receiver = FakeReceiver(clock, line.rule)
    courier = Courier(http=receiver, clock=clock, version="test")
    chosen: dict[str, Any] = {"url": URL, "format": DiscordFormat(live=True)} | settings
    return await courier.bring(webhook(**chosen), one)


async def test_the_query_of_the_url_goes_with_an_edit() -> None:
    line = Line(SAVED)
    await bring(line, EDITING, url=f"{URL}?thread_id=7")
    (request,) = line.asked
    assert request.url == f"{URL}/messages/1001?thread_id=7"


@pytest.mark.parametrize("refusal", [DELETED, TOO_MANY_EDITS])
async def test_what_takes_no_edit_is_posted_at_once_under_the_same_id(
    refusal: Response,
) -> None:
    line = Line(refusal, SAVED)
    brought = await bring(line, EDITING)
    assert line.methods == ["PATCH", "POST"]
    edit, post = line.asked
    for name in ("webhook-id", "webhook-attempt"):
        assert named(edit, name) == named(post, name)
    assert brought.acknowledgement == Accepted(receipt="2002")
    assert brought.form is Form.FULL


def echo(request: Request) -> Response:
    return said(400, f"PATCH {request.url} HTTP/1.1".encode())


async def test_what_a_receiver_echoes_of_an_edits_address_is_masked() -> None:
    for format_ in (DiscordFormat(live=True), TelegramFormat(chat_id="1", live=True)):
        clock = VirtualClock()
        receiver = FakeReceiver(clock, lambda _age, request: echo(request))
        courier = Courier(http=receiver, clock=clock, version="test")
        brought = await courier.bring(webhook(url=URL, format=format_), EDITING)
        (posted,) = receiver.posted
        assert "canary/" in posted.url
        assert isinstance(brought.answer, Response)
        assert b"canary" not in brought.answer.body
        assert "canary" not in repr(brought)


async def test_an_edit_becomes_poorer_and_then_a_post_of_the_same_form() -> None:
    line = Line(TOO_RICH, DELETED, TOO_RICH, SAVED)
    brought = await bring(line, EDITING)
    assert line.methods == ["PATCH", "PATCH", "POST", "POST"]
    assert brought.form is Form.TEXT
    assert b'"embeds":[{' in line.asked[2].body
    assert b'"embeds"' not in line.asked[3].body


async def test_an_accepted_edit_is_known_as_one() -> None:
    brought = await bring(Line(SAVED), EDITING)
    assert brought.acknowledgement == Accepted(receipt="2002", edited=True)


async def test_a_receipt_that_names_nothing_is_as_none() -> None:
    line = Line(SAVED)
    brought = await bring(line, replace(DREAMING, receipt="../x"))
    assert line.methods == ["POST"]
    assert brought.acknowledgement == Accepted(receipt="2002")


async def test_a_post_that_is_told_to_have_no_message_is_not_repeated() -> None:
    line = Line(DELETED)
    brought = await bring(line, DREAMING)
    assert line.methods == ["POST"]
    assert isinstance(brought.acknowledgement, Uneditable)


async def test_a_format_that_edits_nothing_ignores_receipts() -> None:
    line = Line(204)
    await bring(line, EDITING, format=webhook().format)
    assert line.methods == ["POST"]
