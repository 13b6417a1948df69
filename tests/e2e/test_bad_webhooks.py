"""Receivers that misbehave delay nobody else, are told what is wrong, and lose nothing."""

import signal
import ssl
from collections.abc import Mapping
from contextlib import AsyncExitStack

import pytest
import trustme

from tests.e2e.api import calling
from tests.e2e.daemon import Daemon
from tests.e2e.hostile import (
    Answering,
    Hostile,
    drip,
    endless,
    hang,
    hostile,
    reset,
    saying,
)
from tests.e2e.scene import (
    CANARY,
    accepted,
    eventually,
    free_port,
    place,
    settings,
    source,
    states,
)
from tests.e2e.scene import webhook as told_soon
from tests.e2e.stage import Stage, scene

pytestmark = pytest.mark.timeout(120)

WORDS = ["queued", "dreaming", "completed"]
SCRIPT = (("queued", 0.5), ("dreaming", 0.5), ("completed", None))
COUNT = 4

KINDS: Mapping[str, Answering] = {
    "drip": drip,
    "endless": endless,
    "hang": hang,
    "reset": reset,
    "garbage": saying(b"\x00\xff\x13garbage\r\n\r\n"),
    "odd": saying(b"HTTP/1.1 999 What\r\ncontent-length: 0\r\n\r\n"),
    "login": saying(b"HTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n"),
}
ALLOWED = {"allow": ["127.0.0.0/8", "::1"]}


def watched(stage: Stage, urls: Mapping[str, str], *, port: int | None = None) -> None:
    """Watch a few generations for a good webhook and for these."""
    add, receiver = stage.upstream.add, stage.receiver
    ids = [add("aimlapi-luma", id=f"g{n}", script=SCRIPT) for n in range(COUNT)]
    stage.upstream.curtain.ready()
    webhooks = {name: told_soon(url, timeout="2s") for name, url in urls.items()}
    stage.daemon.configure(
        settings(
            {"aiml": source(stage.upstream.url("aimlapi-luma"))},
            {"good": told_soon(place(receiver, "good")), **webhooks},
            [{"source": "aiml", "ids": ids}],
            port=port,
            network=ALLOWED,
        )
    )


def check(told: list[tuple[str, str, str]]) -> None:
    """Every state of every generation was told, in order, each under one id."""
    for number in range(COUNT):
        words = [word for _, id_, word in told if id_ == f"g{number}"]
        assert list(dict.fromkeys(words)) == WORDS
        assert words == sorted(words, key=WORDS.index)
    facts = {(id_, word) for _, id_, word in told}
    assert len(facts) == len({uid for uid, _, _ in told}) == COUNT * len(WORDS)


def heard(receiver: Hostile) -> list[tuple[str, str, str]]:
    return [(uid, data["generation_id"], data["state"]) for uid, data in receiver.told]


async def healed(receiver: Hostile) -> None:
    """Wait until a healed receiver has been told all, and see that it is in order."""

    def whole() -> bool:
        return len({uid for uid, _ in receiver.told}) >= COUNT * len(WORDS)

    await eventually(whole, receiver.told)
    check(heard(receiver))


@scene
async def test_hostile_receivers_delay_nobody_and_get_everything_once_they_are_healed(
    stage: Stage,
) -> None:
    async with AsyncExitStack() as stack:
        receivers = {
            name: await stack.enter_async_context(hostile(kind))
            for name, kind in KINDS.items()
        }
        watched(stage, {name: url(one) for name, one in receivers.items()})
        await stage.daemon.start()
        await accepted(stage.receiver, COUNT, state="completed")
        for number in range(COUNT):
            assert states(stage.receiver.accepted, f"g{number}") == WORDS
        for name, one in receivers.items():
            failed = await stage.daemon.logged("attempt failed", webhook=name)
            assert failed["reason"]
            assert set(one.methods) == {"POST"}
            assert not one.told
            one.heal()
        for one in receivers.values():
            await healed(one)
        assert await stage.daemon.stop() == 0


def url(one: Hostile) -> str:
    return f"http://127.0.0.1:{one.port}/{CANARY}"


@scene
async def test_a_redirect_is_not_followed_and_its_target_named(stage: Stage) -> None:
    async with AsyncExitStack() as stack:
        target = await stack.enter_async_context(hostile(hang))
        answer = (
            f"HTTP/1.1 301 Moved\r\nlocation: {url(target)}\r\ncontent-length: 0\r\n\r\n"
        )
        moved = await stack.enter_async_context(hostile(saying(answer.encode())))
        watched(stage, {"moved": url(moved)})
        await stage.daemon.start()
        failed = await stage.daemon.logged("attempt failed", webhook="moved")
        assert f"set url to http://127.0.0.1:{target.port}/…" in failed["reason"]
        moved.heal()
        await healed(moved)
        assert not target.methods
        assert await stage.daemon.stop() == 0


@scene
async def test_a_webhook_that_is_gone_is_asked_once_and_goes_on_when_it_is_resumed(
    stage: Stage,
) -> None:
    async with AsyncExitStack() as stack:
        answer = b"HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n"
        gone = await stack.enter_async_context(hostile(saying(answer)))
        port = free_port()
        watched(stage, {"gone": url(gone)}, port=port)
        await stage.daemon.start()
        await stage.daemon.logged("webhook disabled", webhook="gone", level="error")
        await accepted(stage.receiver, COUNT, state="completed")
        # What was under way at once may have come too; nothing that became due later.
        asked = len(gone.methods)
        assert 1 <= asked <= COUNT
        gone.heal()
        stage.daemon.send(signal.SIGHUP)
        await stage.daemon.logged("reloaded")
        async with calling(port) as api:
            assert (await api.get("/v1/webhooks/gone"))["condition"] == "disabled"
            assert len(gone.methods) == asked
            await api.post("/v1/webhooks/gone/resume")
        await healed(gone)
        assert await stage.daemon.stop() == 0


@scene
async def test_a_bad_certificate_is_told_in_words_and_a_good_one_is_taken(
    stage: Stage,
) -> None:
    ours, foreign = trustme.CA(), trustme.CA()
    contexts = {
        "stranger": bad(foreign.issue_cert("localhost")),
        "misnamed": bad(ours.issue_cert("other.example")),
    }
    (stage.folder / "ca.pem").write_bytes(ours.cert_pem.bytes())
    stage.daemon.environment["SSL_CERT_FILE"] = str(stage.folder / "ca.pem")
    async with AsyncExitStack() as stack:
        receivers = {
            name: await stack.enter_async_context(hostile(hang, tls=context))
            for name, context in contexts.items()
        }
        watched(
            stage,
            {
                name: f"https://localhost:{one.port}/{CANARY}"
                for name, one in receivers.items()
            },
        )
        await stage.daemon.start()
        await certificate_refused(stage.daemon, "stranger", "certificate")
        await certificate_refused(stage.daemon, "misnamed", "other.example")
        await accepted(stage.receiver, COUNT, state="completed")
        for name, one in receivers.items():
            assert not one.methods, "it was sent something before it was known"
            ours.issue_cert("localhost").configure_cert(contexts[name])
            one.heal()
        for one in receivers.values():
            await healed(one)
        assert await stage.daemon.stop() == 0


def bad(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


async def certificate_refused(daemon: Daemon, webhook: str, word: str) -> None:
    failed = await daemon.logged("attempt failed", webhook=webhook)
    assert word in failed["reason"]
