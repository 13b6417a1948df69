"""What the commands about deliveries and webhooks say, asked of the API itself."""

import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from io import StringIO
from subprocess import CompletedProcess
from typing import Any

import anyio
import httpx
import pytest
import typer
from typer.testing import CliRunner

from bridge.cli.client import Client, Place
from bridge.cli.columns import aligned, coloured, sentence
from bridge.cli.commands import app
from bridge.cli.deliveries import detailed, table
from bridge.cli.explain import ahead, story
from bridge.cli.instants import instant
from bridge.cli.replay import ended, followed, previewed, settled
from bridge.cli.send_test import shown
from bridge.cli.webhooks import detailed as webhook_lines
from bridge.cli.webhooks import table as webhook_table
from bridge.core.delivering.delivery import Result, Status
from bridge.core.network.exchange import Phase
from bridge.core.settings import Rate
from bridge.errors import GenbridgeError
from bridge.web.doors import doors
from bridge.web.server import listening
from tests.web.ledger import NOW, attempt
from tests.web.service import TOKEN, FakeDaemon

HOSTILE = "\x1b[31mred\nnew line\x07"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def obeyed(arguments: Sequence[str]) -> CompletedProcess[str]:
    """Do what a command line says, in this process: it is started many times here."""
    done = CliRunner().invoke(app, arguments, prog_name="genbridge")
    code, said = done.exit_code, done.stderr
    if isinstance(done.exception, GenbridgeError):
        code, said = done.exception.exit_code, str(done.exception)
    elif done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return CompletedProcess(arguments, code, done.stdout, said)


@dataclass
class House:
    """A daemon that is served, and commands that talk to it."""

    daemon: FakeDaemon
    url: str

    async def command(self, *arguments: str) -> CompletedProcess[str]:
        more = ("--url", self.url, "--token", TOKEN)
        return await anyio.to_thread.run_sync(obeyed, (*arguments, *more))

    async def says(self, *arguments: str, code: int = 0) -> str:
        done = await self.command(*arguments)
        assert done.returncode == code, done.stderr
        return done.stdout

    async def document(self, *arguments: str, code: int = 0) -> Any:
        return json.loads(await self.says(*arguments, "--json", code=code))

    def add(self, webhook: str, *rest: Any, **more: Any) -> int:
        return self.daemon.deliveries.add(self.daemon.ids[webhook], *rest, **more)


@pytest.fixture
async def house() -> AsyncIterator[House]:
    daemon = FakeDaemon()
    await daemon.open()
    async with listening(doors(daemon), host="127.0.0.1", port=0) as url:
        yield House(daemon, url)


# ------------------------------------------------------------------------------ deliveries


@pytest.mark.anyio
async def test_deliveries_are_listed_in_columns_and_as_json(house: House) -> None:
    house.add("studio", Status.FAILED, attempt())
    house.add("team", Status.PENDING)
    head, team, studio, count = (await house.says("deliveries")).splitlines()
    assert head.split() == [
        "id", "webhook", "event", "generation", "status", "attempts", "when", "why",
    ]  # fmt: skip
    assert team.split()[:6] == ["2", "team", "completed", "luma", "g2", "pending"]
    assert studio.endswith("the receiver is not available now")
    assert count == "2 deliveries"
    assert [one["id"] for one in await house.document("deliveries")] == [2, 1]
    assert [one["id"] for one in await house.document("deliveries", "--failed")] == [1]
    old = ("--until", "2020-01-01T00:00:00Z")
    assert await house.document("deliveries", "--webhook", "team", *old) == []
    few = await house.says("deliveries", "--limit", "1")
    assert few.splitlines()[-1] == "1 delivery; there are more, --limit shows them"


@pytest.mark.anyio
async def test_one_delivery_is_shown_with_every_attempt_and_its_reason(
    house: House,
) -> None:
    id_ = house.add("studio", Status.PENDING, attempt(1), attempt(2))
    said = await house.says("deliveries", str(id_))
    assert f"delivery {id_} to studio, pending after 2 attempts, next " in said
    assert "  1. 2026-11-21T08:30:00Z  503: the receiver is not available now" in said
    assert "192.0.2.7:443, TLSv1.3: dns 1.0, connect 2.0, total 25.5 ms" in said
    assert "answer: later" in said
    assert "next: 2026-11-21T08:35:00Z (step 2)" in said
    assert "it means: 503: the receiver is not available now" in said
    assert len((await house.document("deliveries", str(id_)))["log"]) == 2


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["deliveries", "99"], 1),
        (["deliveries", "--status", "lost"], 2),
        (["deliveries", "--failed", "--status", "held"], 2),
        (["deliveries", "1", "--failed"], 2),
        (["deliveries", "--since", "yesterday"], 2),
        (["deliveries", "--since", "0h"], 2),
        (["deliveries", "--webhook", "none"], 2),
        (["explain", "99"], 1),
        (["replay"], 2),
        (["replay", "1", "--failed"], 2),
        (["replay", "1", "--dry-run"], 2),
        (["replay", "--failed", "--missing"], 2),
        (["replay", "--missing"], 2),
        (["replay", "99"], 1),
        (["send-test", "none"], 1),
        (["send-test", "studio", "--event", "dreamt"], 2),
        (["pause", "none"], 1),
        (["resume", "none"], 1),
        (["resume", "studio", "--since", "1h", "--discard"], 2),
    ],
)
async def test_what_cannot_be_done_ends_with_its_own_exit_code(
    house: House, arguments: list[str], code: int
) -> None:
    done = await house.command(*arguments)
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert done.stderr


@pytest.mark.parametrize(
    "arguments",
    [["deliveries"], ["explain", "1"], ["replay", "1"], ["replay", "--failed"],
     ["send-test", "studio"], ["pause", "studio"], ["resume", "studio"]],
    ids=" ".join,
)  # fmt: skip
def test_without_a_daemon_each_ends_with_3(arguments: list[str]) -> None:
    done = obeyed([*arguments, "--url", "http://127.0.0.1:9"])
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("the daemon cannot be reached at")


# ------------------------------------------------------------------------------ replay


@pytest.mark.anyio
async def test_a_delivery_is_sent_again_and_followed_to_its_end(house: House) -> None:
    id_ = house.add("studio", Status.FAILED, attempt())
    assert await house.says("replay", str(id_), "--no-follow") == (
        f"{id_} to studio: pending, next 2026-11-21T08:35:00Z"
        " (the receiver is not available now)\n"
    )
    house.daemon.deliveries.outcome = Status.DELIVERED
    said = await house.says("replay", str(id_))
    assert said == f"{id_} to studio: delivered\n"


@pytest.mark.anyio
async def test_many_are_sent_again_as_a_job_after_a_dry_run(house: House) -> None:
    known = house.daemon.settings.webhooks
    slow = replace(known["studio"], rate=Rate(per_second=0.5))
    house.daemon.settings = replace(
        house.daemon.settings, webhooks={**known, "studio": slow}
    )
    for _ in range(3):
        house.add("studio", Status.FAILED, attempt())
    dry = await house.says("replay", "--failed", "--webhook", "studio", "--dry-run")
    assert dry.startswith(
        "3 deliveries would be sent again, which takes 6 s at least by the rate\n"
    )
    assert not house.daemon.deliveries.begun
    assert await house.says("replay", "--failed") == (
        "replay 1: 3 deliveries are due again; `genbridge deliveries` shows them\n"
    )
    job = await house.document("replay", "--missing", "--webhook", "team")
    assert (job["id"], job["status"], job["webhook"]) == (2, "missing", "team")


def client(*answers: Any) -> Client:
    """Return a client whose daemon gives these documents, one after the other."""
    left = list(answers)

    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=left.pop(0))

    return Client(Place(url="http://h", token=None), transport=httpx.MockTransport(answer))


def job(done: int, *, over: bool = False) -> dict[str, Any]:
    return {"id": 7, "done": done, "over": over}


def test_a_replay_is_followed_to_its_end_and_its_progress_told() -> None:
    told: list[str] = []
    naps: list[float] = []
    steps = ([job(500)], [{"id": 8}, job(1000)], [job(1200, over=True)])
    with client(*({"replays": step} for step in steps)) as one:
        last = followed(one, job(0), tell=told.append, sleep=naps.append)
    assert last["done"] == 1200
    assert told == [
        "replay 7: 0 deliveries due",
        "replay 7: 500 deliveries due",
        "replay 7: 1,000 deliveries due",
        "",
    ]
    assert len(naps) == 3
    assert "1,200 deliveries are due again" in next(ended(last))


def test_a_replay_that_is_listed_no_longer_is_let_go() -> None:
    with client({"replays": []}) as one:
        last = followed(one, job(1), tell=lambda _: None, sleep=lambda _: None)
    assert next(ended(last)) == (
        "replay 7 goes on in the daemon; 1 delivery is due again so far"
    )


@pytest.mark.parametrize(
    ("documents", "asked"),
    [
        ([{"status": "delivered", "log": []}], 1),
        ([{"status": "held", "log": []}], 1),
        ([{"status": "pending", "log": [{"number": 3}]}], 1),
        (
            [
                {"status": "pending", "log": [{"number": 2}]},
                {"status": "failed", "log": []},
            ],
            2,
        ),
    ],
)
def test_a_delivery_is_followed_until_an_attempt_is_over(
    documents: list[Any], asked: int
) -> None:
    naps: list[float] = []
    with client(*documents) as one:
        assert settled(one, 1, 2, sleep=naps.append) == documents[-1]
    assert len(naps) == asked - 1


def test_a_delivery_that_waits_is_not_followed_for_ever() -> None:
    waiting = {"status": "pending", "log": []}
    naps: list[float] = []
    with client(*[waiting] * 500) as one:
        assert settled(one, 1, 2, sleep=naps.append) == waiting
    assert sum(naps) == 30.0


def test_a_preview_without_a_rate_promises_no_span() -> None:
    lines = list(previewed({"count": 1, "first": [], "duration_seconds": None}))
    assert lines == ["1 delivery would be sent again"]


# ------------------------------------------------------------------------------ send-test


@pytest.mark.anyio
async def test_a_trial_that_was_taken_ends_with_0_and_one_that_was_not_with_1(
    house: House,
) -> None:
    house.daemon.trial = replace(
        house.daemon.trial,
        sent=(("webhook-id", "msg_1"), ("webhook-signature", "…")),
        body=b'{"type":"generation.failed"}',
        answer=b"thanks",
    )
    said = await house.says("send-test", "studio", "--event", "failed", "--form", "text")
    assert said.splitlines()[:3] == [
        "POST https://example.com/…",
        "  webhook-id: msg_1",
        "  webhook-signature: …",
    ]
    assert '    "type": "generation.failed"' in said
    assert "204: total 0.0 ms" in said
    assert "taken: accepted (204)\nit means: the receiver has taken it\n" in said
    house.daemon.trial = replace(
        house.daemon.trial,
        status=None,
        phase=Phase.TLS,
        result=Result.AGAIN,
        reason="tls",
        sentence="its certificate ended yesterday; renew it there",
    )
    said = await house.says("send-test", "studio", code=1)
    assert "no answer (tls)" in said
    assert "it means: its certificate ended yesterday\nnext step: renew it there" in said
    document = await house.document("send-test", "studio", code=1)
    assert document["failed_at"] == "tls"


def trial(**changes: Any) -> dict[str, Any]:
    request: dict[str, Any] = {
        "method": "POST", "url": "https://h/…", "headers": [], "form": "full",
        "body": "{}", "body_base64": None,
    }  # fmt: skip
    return {
        "request": request, "code": 200, "failed_at": None, "address": None, "tls": None,
        "timings": {"total": 1.0, "reused": False}, "answer_headers": [], "answer": "",
        "answer_base64": None, "result": "delivered", "sentence": "accepted (200)",
        "diagnosis": {"means": "taken", "advice": ""},
    } | changes  # fmt: skip


def test_a_long_body_is_shown_from_its_beginning() -> None:
    one = trial()
    one["request"]["body"] = json.dumps({f"k{n}": n for n in range(100)})
    lines = list(shown(one))
    assert "  … +62 lines" in lines
    assert not any("k99" in line for line in lines)


def test_a_skipped_event_says_that_nothing_was_sent() -> None:
    assert "nothing was sent" in list(shown(trial(code=None)))


# ------------------------------------------------------------------------------ explain


@pytest.mark.anyio
async def test_the_story_of_a_delivery_is_told(house: House) -> None:
    id_ = house.add("studio", Status.PENDING, attempt())
    said = await house.says("explain", str(id_))
    lines = said.splitlines()
    assert lines[0].startswith(
        f"What it is: generation.completed of luma g{id_}, for studio (https://example.com/…"
    )
    assert lines[1] == "How it stands: pending after 1 attempt."
    assert "  1. 2026-11-21T08:30:00Z, 503: the receiver is not available now" in lines[3]
    assert "What comes next: another attempt at 2026-11-21T08:35:00Z." in lines
    document = await house.document("explain", str(id_))
    assert document["webhook"]["name"] == "studio"


@pytest.mark.anyio
async def test_a_held_delivery_is_explained_by_its_webhook(house: House) -> None:
    id_ = house.add("studio", Status.PENDING)
    said = await house.says("pause", "studio", "--why", "on holiday")
    assert said == "studio is paused; what waits for it is held\n"
    story_ = (await house.says("explain", str(id_))).splitlines()
    assert "How it stands: held." in story_
    assert story_[-2].startswith("What comes next: nothing until studio is resumed (paused")
    assert story_[-1] == "What to do: `genbridge resume studio`."
    assert (
        await house.says("resume", "studio")
    ) == "studio is active; 1 delivery waits for it\n"
    assert (await house.document("pause", "studio"))["condition"] == "paused"
    resumed = await house.document("resume", "studio", "--discard")
    assert resumed["waiting"] == 0


@pytest.mark.anyio
async def test_a_delivery_of_a_former_webhook_is_explained_too(house: House) -> None:
    states = await house.daemon.store.webhooks(["name:former"])
    id_ = house.daemon.deliveries.add(states["name:former"].id, Status.PENDING)
    said = await house.says("explain", str(id_))
    assert "nothing: its webhook is no longer configured" in said


def told(**changes: Any) -> dict[str, Any]:
    return {
        "id": 7, "webhook": "studio", "status": "failed", "attempts": 10, "due_at": None,
        "settled_at": "2026-11-24T12:00:00Z", "first_at": "2026-11-21T08:30:00Z",
        "type": "generation.completed", "source": "luma", "generation_id": "g1",
        "event": "e", "sequence": 2, "replayed": False, "url": "https://h/…",
        "format": "flat", "log": [], "diagnosis": None, "reason": None, "code": None,
    } | changes  # fmt: skip


def log(count: int) -> list[dict[str, Any]]:
    return [
        {
            "number": number, "at": "t", "purpose": "live", "sentence": f"answer {number}",
            "next_at": None, "next_because": None,
        }
        for number in range(1, count + 1)
    ]  # fmt: skip


def test_what_waits_for_an_earlier_state_is_explained_by_it() -> None:
    def event(sequence: int, *deliveries: dict[str, Any]) -> dict[str, Any]:
        return {"sequence": sequence, "deliveries": list(deliveries)}

    watch = {
        "events": [
            event(0, told(id=1, status="delivered")),
            event(1, told(id=2, webhook="team", status="pending"), told(id=3, status="pending")),
            event(2, told(id=7, status="pending")),
        ]
    }  # fmt: skip
    waiting = told(status="pending", due_at="soon")
    before = ahead(waiting, watch)
    assert before is not None
    assert before["id"] == 3
    assert ahead(told(id=3, status="pending", sequence=1), watch) is None
    active = {"condition": "active", "breaker": "closed", "pause_seconds": 0.0}
    lines = list(story(waiting, active, before))
    assert any("it waits for delivery 3, an earlier state" in line for line in lines)


def test_of_many_attempts_the_first_and_the_last_are_told() -> None:
    lines = list(story(told(log=log(10)), None))
    assert "  … 4 attempts between, which `genbridge deliveries` shows" in lines
    assert [line for line in lines if "answer 4" in line or "answer 7" in line] == []
    assert len([line for line in lines if ". t, answer" in line]) == 6
    assert len([x for x in story(told(log=log(7)), None) if ". t, answer" in x]) == 7


@pytest.mark.parametrize(
    ("one", "webhook", "next_", "advice"),
    [
        ({"status": "delivered"}, {}, "nothing: the receiver has it", None),
        ({"status": "superseded"}, {}, "a newer state took its place", None),
        ({}, {}, "nothing by itself", "`genbridge replay 7` sends it again"),
        (
            {"diagnosis": {"means": "m", "advice": "check url"}},
            {},
            "nothing by itself",
            "check url; `genbridge replay 7`",
        ),
        (
            {"status": "pending", "due_at": "soon"},
            {"breaker": "open"},
            "probes find out",
            None,
        ),
        (
            {"status": "pending", "due_at": "soon"},
            {"pause_seconds": 90.0},
            "pause is over, in 2 min",
            None,
        ),
        ({"status": "pending", "due_at": "soon"}, {}, "another attempt at soon", None),
        (
            {"status": "held", "diagnosis": {"means": "m", "advice": "correct url"}},
            {"condition": "disabled", "reason": "410 Gone"},
            "resumed (disabled: 410 Gone)",
            "correct url; then `genbridge resume studio`",
        ),
    ],
)
def test_what_comes_next_and_what_to_do_follow_from_how_it_stands(
    one: dict[str, Any], webhook: dict[str, Any], next_: str, advice: str | None
) -> None:
    standing = {
        "condition": "active",
        "breaker": "closed",
        "pause_seconds": 0.0,
        "reason": None,
    }
    lines = list(story(told(**one), standing | webhook))
    (said,) = [line for line in lines if line.startswith("What comes next: ")]
    assert next_ in said
    to_do = [line for line in lines if line.startswith("What to do: ")]
    assert (advice in to_do[0]) if advice else not to_do


# ------------------------------------------------------------------------------ webhooks


@pytest.mark.anyio
async def test_webhooks_are_listed_with_how_they_stand(house: House) -> None:
    await house.says("pause", "team", "--why", "on holiday")
    head, studio, team, count = (await house.says("webhooks")).splitlines()
    assert head.split() == ["name", "condition", "breaker", "format", "url", "why"]
    assert studio.split() == [
        "studio",
        "active",
        "closed",
        "standard",
        "https://example.com/…",
    ]
    assert team.startswith("team    paused     closed")
    assert count == "2 webhooks"
    assert [one["name"] for one in await house.document("webhooks")] == ["studio", "team"]
    one = await house.says("webhooks", "studio")
    assert "studio: active\n" in one
    assert "  key       v1 " in one
    assert "as fast as it answers, 8 at once" in one
    assert (await house.document("webhooks", "team"))["condition"] == "paused"
    assert (await house.command("webhooks", "none")).returncode == 1


def test_a_failing_webhook_says_for_how_long() -> None:
    live = {"in_flight": 1, "concurrency": 2}
    one = {
        "name": HOSTILE, "condition": "disabled", "breaker": "open", "format": "slack",
        "url": "https://h/…", "reason": HOSTILE, "states": ["completed"], "keys": [],
        "rate_per_second": 0.5, "concurrency": 8, "live": live, "pause_seconds": 3.0,
        "health": {"failing_seconds": 9000.0, "failures": 41},
    }  # fmt: skip
    lines = list(webhook_lines(one))
    assert "  breaker   open, failing for 2.5 h in 41 attempts" in lines
    assert "  rate      0.5 a second, 8 at once" in lines
    assert "  now       1 of 2 under way" in lines
    assert all(line.isprintable() for line in (*lines, *webhook_table([one])))


# ------------------------------------------------------------------------------ the terminal


def test_a_terminal_is_told_nothing_by_strangers() -> None:
    hostile = told(
        webhook=HOSTILE, generation_id=HOSTILE, reason=HOSTILE, type=HOSTILE,
        diagnosis={"means": HOSTILE, "advice": HOSTILE},
    )  # fmt: skip
    timings = {"total": 1.0, "reused": True}
    one = {
        **log(1)[0], "sentence": HOSTILE, "code": 200, "address": "a", "tls": None,
        "timings": timings, "answer": HOSTILE, "answer_base64": None, "next_at": None,
    }  # fmt: skip
    hostile["log"] = [one]
    odd = trial(answer=HOSTILE, answer_headers=[["x", HOSTILE]], sentence=HOSTILE)
    odd["request"]["body"] = HOSTILE
    for line in (
        *table([hostile]), *detailed(hostile), *story(hostile, None), *shown(odd),
    ):  # fmt: skip
        assert line.isprintable(), line


def test_columns_stand_under_each_other() -> None:
    assert list(aligned([("a", "status"), ("long", "held")])) == [
        "a     status",
        "long  held",
    ]


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_colours_and_the_columns_still_stand_under_each_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    with redirect_stdout(Terminal()):
        lines = list(aligned([("status", "id"), ("held", "7")]))
        assert coloured("failed") != "failed"
        assert coloured("nothing special") == "nothing special"
    assert lines[1] != "held    7"
    assert re.sub(r"\x1b\[[0-9;]*m", "", lines[1]) == "held    7"
    monkeypatch.setenv("NO_COLOR", "1")
    with redirect_stdout(Terminal()):
        assert coloured("failed") == "failed"


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (None, ""),
        ("timeout: no answer in 15 s", "no answer in 15 s"),
        ("http-404: 404: nothing there; check url", "404: nothing there; check url"),
        ("503", "503"),
        ("It says: no", "It says: no"),
    ],
)
def test_a_reason_is_told_without_its_code(reason: str | None, said: str) -> None:
    assert sentence(reason) == said


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (None, None),
        ("2h", "2026-11-21T06:30:00Z"),
        ("500ms", "2026-11-21T08:29:59.500Z"),
        ("2026-11-20T00:00:00+01:00", "2026-11-20T00:00:00+01:00"),
    ],
)
def test_since_is_so_long_ago_or_left_to_the_daemon(
    text: str | None, meant: str | None
) -> None:
    assert instant(text, option="--since", now=NOW) == meant


@pytest.mark.parametrize("text", ["yesterday", "2 hours", "2026-11-21", ""])
def test_what_is_no_instant_is_usage_with_both_ways_to_write_one(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="such as 2h, or an instant such as 2026"):
        instant(text, option="--since", now=NOW)


def test_a_span_of_nothing_is_usage() -> None:
    with pytest.raises(typer.BadParameter, match="longer than nothing"):
        instant("0s", option="--since", now=NOW)
