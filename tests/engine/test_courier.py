"""What the courier sends, how it shows it, and what it makes of trouble, on virtual time."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import anyio
import pytest

from bridge.core.delivering.acknowledgement import (
    Accepted,
    Acknowledgement,
    Declined,
    Gone,
    TooRich,
    Unclear,
)
from bridge.core.delivering.auth import Basic, Bearer
from bridge.core.delivering.signing import hub_signature, read_key
from bridge.core.message import Message
from bridge.core.network.exchange import (
    Answer,
    Headers,
    Phase,
    Request,
    Response,
    Unanswered,
)
from bridge.core.network.way import DIRECT, Way
from bridge.core.ports import Consent, Form, Limits, Rendered
from bridge.core.settings import Rate, Webhook
from bridge.engine.courier import Brought, Courier, Credentials
from bridge.formats.standard import Format as Standard
from bridge.verify import verify
from tests.engine.rig import SECRET, webhook
from tests.engine.trips import Fussy, delivery, named
from tests.fakes.answers import Chosen
from tests.fakes.clock import EPOCH, VirtualClock

pytestmark = pytest.mark.anyio

Answering = Callable[[Request], Chosen]


@dataclass
class Line:
    """An Http that keeps what is sent and answers after `takes` seconds, whatever is allowed."""

    answer: Answering = lambda _request: 204
    takes: float = 0.0
    asked: list[Request] = field(default_factory=list)
    ways: list[Way] = field(default_factory=list)
    timeouts: list[float] = field(default_factory=list)

    async def send(
        self,
        request: Request,
        *,
        timeout: timedelta,  # noqa: ASYNC109  (the port's word)
        limit: int,
        way: Way = DIRECT,
    ) -> Answer:
        self.asked.append(request)
        self.ways.append(way)
        self.timeouts.append(timeout.total_seconds())
        await anyio.sleep(min(self.takes, timeout.total_seconds()))
        if self.takes > timeout.total_seconds():
            return Unanswered(phase=Phase.DEADLINE, reason="no answer in time")
        chosen = self.answer(request)
        if isinstance(chosen, int):
            return Response(status=chosen, received_at=EPOCH)
        return chosen


@dataclass
class Keys:
    """Credentials whose tokens are counted; `fails` is said instead of giving one."""

    fails: str | None = None
    given: int = 0
    helps: bool = True
    takes: float = 0.0

    async def headers(self, webhook: Webhook, *, until: float) -> Headers | str:
        await anyio.sleep(self.takes)
        if self.fails is not None:
            return self.fails
        self.given += 1
        return (("authorization", f"Bearer token-{self.given}"),)

    def refused(self, webhook: Webhook, headers: Headers) -> bool:
        return self.helps


async def bring(
    line: Line,
    to: Webhook,
    *,
    credentials: Credentials | None = None,
    form: Form = Form.FULL,
) -> Brought:
    courier = Courier(
        http=line, clock=VirtualClock(), version="test", credentials=credentials
    )
    return await courier.bring(to, delivery(attempt=3), form=form)


async def test_a_delivery_is_one_signed_post() -> None:
    line = Line()
    brought = await bring(line, webhook())
    [request] = line.asked
    assert (request.method, request.url) == ("POST", "https://studio.example/hook")
    assert named(request, "user-agent") == "genbridge/test"
    assert named(request, "webhook-attempt") == "3"
    verify(request.body, dict(request.headers), SECRET, now=EPOCH.timestamp())
    assert brought.started == EPOCH
    assert isinstance(brought.answer, Response)
    assert line.timeouts == [15.0]


async def test_no_header_is_sent_that_svix_libraries_would_prefer_to_ours() -> None:
    line = Line()
    full = webhook(hub_signature=True, headers=(("X-Team", "a"),), auth=Bearer(token="b"))
    await bring(line, full, credentials=Keys())
    [request] = line.asked
    names = [name.lower() for name, _ in request.headers]
    assert not [name for name in names if name.startswith("svix-")]
    ours = [name for name in names if name.startswith("webhook-")]
    wanted = ["webhook-attempt", "webhook-id", "webhook-signature", "webhook-timestamp"]
    assert sorted(ours) == wanted


async def test_what_was_sent_is_shown_without_anything_secret() -> None:
    line = Line()
    secretive = webhook(
        headers=(("X-Team", "canary-a"),), auth=Bearer(token="b"), hub_signature=True
    )
    brought = await bring(line, secretive, credentials=Keys())
    sent = [name.lower() for name, _ in line.asked[0].headers]
    assert sorted(name.lower() for name, _ in brought.sent) == sorted(sent)
    shown = dict(brought.sent)
    for name in ("X-Team", "authorization", "webhook-signature", "x-hub-signature-256"):
        assert shown[name] == "…"
    assert shown["webhook-attempt"] == "3"
    assert shown["content-type"] == "application/json"
    assert "canary" not in repr(brought)


def echo(request: Request) -> Response:
    """Answer with what was asked, as debugging receivers do."""
    said = "\n".join(
        [request.url, *(f"{name}: {value}" for name, value in request.headers)]
    )
    headers = {"x-echo": said.replace("\n", " "), "server": "echo"}
    return Response(status=400, headers=headers, body=said.encode(), received_at=EPOCH)


async def test_what_a_receiver_echoes_leaves_the_courier_without_secrets() -> None:
    secretive = webhook(
        url="https://studio.example/canary/hook",
        headers=(("X-Team", "canary-a"),),
        auth=Bearer(token="b"),
        hub_signature=True,
    )
    line = Line(echo)
    brought = await bring(line, secretive, credentials=Keys())
    assert isinstance(brought.answer, Response)
    for said in (brought.answer.body.decode(), brought.answer.headers["x-echo"]):
        assert "canary" not in said
        assert "token-1" not in said
        for name in ("webhook-signature", "x-hub-signature-256"):
            assert str(named(line.asked[0], name)) not in said
        assert "webhook-attempt: 3" in said
    assert brought.answer.headers["server"] == "echo"
    assert (brought.answer.status, brought.answer.received_at) == (400, EPOCH)


class Quoting(Fussy):
    """A format that quotes its receiver; what does not hold the secret means something else."""

    def render(self, message: Message, form: Form = Form.FULL) -> Rendered | None:
        return Rendered(body=b"x")

    def read(self, response: Response) -> Acknowledgement:
        said = response.body.decode()
        if said.startswith("gone"):
            return Gone(why=said)
        return Declined(why=said) if "canary" in said else Unclear(hint=said)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (b"gone: canary/hook", Gone(why="gone: …")),
        (
            b"no: canary/hook",
            Declined(why="its answer holds a secret, and so is not quoted"),
        ),
        (b"no: another", Unclear(hint="no: another")),
    ],
)
async def test_what_a_format_quotes_is_quoted_without_secrets_and_means_the_same(
    said: bytes, meant: Acknowledgement
) -> None:
    line = Line(lambda _: Response(status=400, body=said, received_at=EPOCH))
    to = webhook(url="https://studio.example/canary/hook", format=Quoting())
    assert (await bring(line, to)).acknowledgement == meant


async def test_secrets_are_those_of_the_settings_that_are_in_force() -> None:
    line = Line(
        lambda _: Response(status=200, body=b"canary/a canary/b", received_at=EPOCH)
    )
    courier = Courier(http=line, clock=VirtualClock(), version="test")
    said = []
    for place in "aba":
        to = webhook(url=f"https://studio.example/canary/{place}")
        brought = await courier.bring(to, delivery())
        assert isinstance(brought.answer, Response)
        said.append(brought.answer.body.decode())
    assert said == ["… canary/b", "canary/a …", "… canary/b"]


async def test_the_signature_of_hubs_is_added_only_where_it_is_asked_for() -> None:
    line = Line()
    await bring(line, webhook())
    await bring(line, webhook(hub_signature=True))
    await bring(line, webhook(hub_signature=True, keys=()))
    body = line.asked[0].body
    whole = hub_signature(read_key(SECRET), body)
    assert [named(one, "x-hub-signature-256") for one in line.asked] == [None, whole, None]


async def test_the_way_of_the_webhook_is_taken() -> None:
    line, way = Line(), Way(proxy="http://proxy.example:3128")
    await bring(line, webhook(way=way))
    assert line.ways == [way]


class Editing(Fussy):
    """A format with a call of its own for each message, whose headers are secret."""

    def render(self, message: Message, form: Form = Form.FULL) -> Rendered | None:
        headers = (("content-type", "text/plain"), ("X-Token", "canary"))
        return Rendered(
            body=b"x",
            headers=headers,
            method="PATCH",
            path="/messages/5",
            query="wait=true",
        )


async def test_a_format_chooses_method_path_and_query() -> None:
    line = Line()
    brought = await bring(
        line, webhook(format=Editing(), url="https://chat.example/hooks/1/?thread_id=9")
    )
    [request] = line.asked
    assert request.method == "PATCH"
    assert request.url == "https://chat.example/hooks/1/messages/5?thread_id=9&wait=true"
    assert dict(brought.sent)["X-Token"] == "…"
    assert dict(brought.sent)["content-type"] == "text/plain"


async def test_a_message_that_is_too_rich_is_made_poorer_within_one_attempt() -> None:
    line = Line(lambda request: 204 if request.body == b"TEXT" else 400)
    brought = await bring(line, webhook(format=Fussy()))
    assert [one.body for one in line.asked] == [b"FULL", b"COMPACT", b"TEXT"]
    assert brought.form is Form.TEXT
    assert isinstance(brought.answer, Response)


async def test_no_form_is_richer_than_was_asked_for() -> None:
    line = Line(lambda _request: 400)
    brought = await bring(line, webhook(format=Fussy()), form=Form.COMPACT)
    assert [one.body for one in line.asked] == [b"COMPACT", b"TEXT"]
    assert isinstance(brought.acknowledgement, TooRich)


async def test_poorer_forms_share_the_time_of_the_attempt() -> None:
    line = Line(lambda _request: 400, takes=6.0)
    to = webhook(format=Fussy(), timeout=timedelta(seconds=10))
    brought = await bring(line, to)
    assert line.timeouts == [10.0, pytest.approx(4.0)]
    assert isinstance(brought.answer, Unanswered)
    assert brought.answer.phase is Phase.DEADLINE


class Failing(Fussy):
    def render(self, message: Message, form: Form = Form.FULL) -> Rendered | None:
        raise KeyError("canary")


class Silent(Fussy):
    def render(self, message: Message, form: Form = Form.FULL) -> Rendered | None:
        return None


class Confused(Standard):
    def read(self, response: Response) -> Acknowledgement:
        raise KeyError("canary")


async def test_a_format_that_fails_is_named_without_its_words() -> None:
    line = Line()
    brought = await bring(line, webhook(format=Failing()))
    assert (brought.answer, brought.unrendered) == (None, "KeyError")
    assert not line.asked


async def test_a_format_with_nothing_to_say_sends_nothing() -> None:
    line = Line()
    brought = await bring(line, webhook(format=Silent()))
    assert (brought.answer, brought.unrendered) == (None, None)
    assert not line.asked


async def test_an_answer_that_a_format_cannot_read_is_judged_by_its_status() -> None:
    brought = await bring(Line(), webhook(format=Confused()))
    assert not isinstance(brought.acknowledgement, Accepted)
    assert isinstance(brought.answer, Response)


async def test_a_fault_of_our_own_is_an_answer_too() -> None:
    def explode(_request: Request) -> int:
        raise RuntimeError("canary")

    brought = await bring(Line(explode), webhook())
    assert isinstance(brought.answer, Unanswered)
    assert brought.answer.phase is Phase.LOCAL
    assert "canary" not in brought.answer.reason


# Credentials


async def test_a_refused_token_is_replaced_once_within_the_attempt() -> None:
    line = Line(
        lambda request: 204 if named(request, "authorization") == "Bearer token-2" else 401
    )
    brought = await bring(line, webhook(auth=Bearer(token="t")), credentials=Keys())
    assert len(line.asked) == 2
    assert isinstance(brought.answer, Response)
    assert brought.answer.status == 204


async def test_a_receiver_that_refuses_every_token_is_not_asked_a_third_time() -> None:
    line, keys = Line(lambda _request: 401), Keys()
    brought = await bring(line, webhook(auth=Bearer(token="t")), credentials=keys)
    assert (len(line.asked), keys.given) == (2, 2)
    assert isinstance(brought.answer, Response)
    assert brought.answer.status == 401


async def test_credentials_that_stay_the_same_are_not_sent_twice() -> None:
    line = Line(lambda _request: 401)
    auth = Basic(username="u", password="p")
    await bring(line, webhook(auth=auth), credentials=Keys(helps=False))
    assert len(line.asked) == 1


async def test_without_credentials_nothing_is_sent() -> None:
    line = Line()
    for credentials in (Keys(fails="no token: x"), None):
        brought = await bring(
            line, webhook(auth=Bearer(token="t")), credentials=credentials
        )
        assert isinstance(brought.answer, Unanswered)
        assert brought.answer.phase is Phase.CREDENTIALS
    assert not line.asked


async def test_the_time_for_a_token_is_part_of_the_attempt() -> None:
    line = Line()
    await bring(line, webhook(auth=Bearer(token="t")), credentials=Keys(takes=5.0))
    assert line.timeouts == [pytest.approx(10.0)]


# Consent


class Asking(Fussy):
    """A format that asks, unless it is told not to; an answer of 200 grants two a second."""

    limits = Limits(rate=30.0)

    def __init__(self, *, asks: bool = True) -> None:
        self.asks = asks

    def greet(self, origin: str, rate: float | None) -> Rendered | None:
        headers = (("webhook-request-origin", origin), ("webhook-request-rate", f"{rate}"))
        question = Rendered(body=b"", headers=headers, method="OPTIONS")
        return question if self.asks else None

    def consent(self, response: Response, origin: str) -> Consent:
        return Consent(granted=response.status == 200, rate=2.0)


def methods(line: Line) -> list[str]:
    return [request.method for request in line.asked]


def consenting(request: Request) -> int:
    return 200 if request.method == "OPTIONS" else 204


class Courting:
    """A courier that brings several deliveries."""

    def __init__(self, line: Line, **settings: Any) -> None:
        self.courier = Courier(http=line, clock=VirtualClock(), version="test")
        self.webhook = webhook(**settings)

    async def bring(self) -> Brought:
        return await self.courier.bring(self.webhook, delivery())


async def test_a_receiver_is_asked_for_its_consent_once_a_day() -> None:
    line = Line(consenting)
    courting = Courting(line, format=Asking())
    for _ in range(3):
        assert (await courting.bring()).granted == 2.0
    assert methods(line) == ["OPTIONS", "POST", "POST", "POST"]
    await anyio.sleep(86_400)
    await courting.bring()
    assert methods(line)[4:] == ["OPTIONS", "POST"]


async def test_after_a_reload_a_receiver_is_asked_again() -> None:
    line = Line(consenting)
    courting = Courting(line, format=Asking())
    await courting.bring()
    courting.webhook = webhook(format=Asking())
    await courting.bring()
    assert methods(line) == ["OPTIONS", "POST"] * 2


async def test_many_at_a_time_ask_once() -> None:
    line = Line(consenting, takes=1.0)
    courting = Courting(line, format=Asking())
    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(courting.bring)
    assert methods(line) == ["OPTIONS", *["POST"] * 5]


async def test_what_is_asked_and_sent_names_the_origin_and_the_rate() -> None:
    line = Line(consenting)
    courting = Courting(line, format=Asking(), rate=Rate(per_second=5.0))
    await courting.bring()
    asked, sent = line.asked
    assert named(asked, "webhook-request-rate") == "5.0"
    assert named(asked, "webhook-id") is None
    assert named(sent, "webhook-request-origin") == "genbridge"


async def test_without_consent_nothing_is_sent_and_the_next_attempt_asks_again() -> None:
    line = Line(lambda _request: 405)
    courting = Courting(line, format=Asking())
    for _ in range(2):
        brought = await courting.bring()
        assert isinstance(brought.answer, Unanswered)
        assert brought.answer.phase is Phase.CONSENT
    assert methods(line) == ["OPTIONS"] * 2
    line.answer = consenting
    assert isinstance((await courting.bring()).answer, Response)


async def test_a_question_that_nobody_answers_is_told_as_it_is() -> None:
    gone = Unanswered(phase=Phase.RESOLVE, reason="no such host")
    brought = await Courting(Line(lambda _request: gone), format=Asking()).bring()
    assert brought.answer == gone


async def test_those_who_wait_for_an_answer_keep_their_own_deadline() -> None:
    line = Line(consenting, takes=14.0)
    courting = Courting(line, format=Asking())
    late: list[float] = []

    async def second() -> None:
        await anyio.sleep(1)
        await courting.bring()
        late.append(anyio.current_time())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(courting.bring)
        tasks.start_soon(second)
    assert late[0] <= 16.0 + 1e-6


async def test_a_format_that_does_not_ask_now_is_sent_to_at_once() -> None:
    line = Line()
    await Courting(line, format=Asking(asks=False)).bring()
    assert methods(line) == ["POST"]
