"""Holds at aimlapi-luma: who holds an answer is asked once for each rung."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any

import pytest

from bridge.simulator.receiver import Received, Receiver
from bridge.simulator.switches import Holding, LinkAt, Names, OddWait, Unknown
from bridge.simulator.timeline import Script, failing
from tests.e2e.scene import (
    Theatre,
    accepted,
    at,
    facts,
    place,
    settings,
    source,
    states,
    webhook,
)
from tests.e2e.stage import Stage, scene

pytestmark = pytest.mark.timeout(120)

SCRIPT: Script = (("queued", 1.0), ("dreaming", 1.0), ("completed", None))
SLOW: Script = (("queued", 0.4), ("dreaming", 2.5), ("completed", None))

KINDS: Mapping[str, dict[str, Any]] = {
    "lenient": {"names": Names.LENIENT},
    "strict": {"names": Names.STRICT},
    "odd-refused": {"odd_wait": OddWait.REFUSED},
    "odd-ignored": {"odd_wait": OddWait.IGNORED},
    "link-video-url": {"link_at": LinkAt.VIDEO_URL_OBJECT},
    "link-video_url": {"link_at": LinkAt.VIDEO_URL},
    "link-data": {"link_at": LinkAt.DATA_VIDEO_URL},
    "unknown-400": {"unknown": Unknown.BAD_REQUEST},
}
"""Ways in which the API may be built, as long as it holds."""

FLAWS: Mapping[str, dict[str, Any]] = {
    "ignored": {"holding": Holding.IGNORED},
    "cut": {"holding": Holding.CUT, "hold_limit": 0.3},
    "gateway": {"holding": Holding.GATEWAY_TIMEOUT, "hold_limit": 0.3},
    "early": {"hold_limit": 0.3},
    "stale": {"stale": 0.3},
}
"""Ways in which it may fail to hold."""


def rungs(upstream: Theatre, id_: str) -> list[dict[str, str]]:
    """Return what was asked about a generation, alone or along with others, without the ids."""
    return [
        {name: word for name, word in call.query if not name.startswith("generation_id")}
        for call in upstream.requests
        if id_ in (value for name, value in call.query if name.startswith("generation_id"))
    ]


def held(upstream: Theatre, id_: str) -> list[dict[str, str]]:
    """Return what was waited for; before it there was no more than one plain look."""
    asked = rungs(upstream, id_)
    plain = sum(not question for question in asked)
    assert plain <= 1
    return asked[plain:]


def waiting(word: str) -> dict[str, str]:
    return {"state": word, "status": word}


@scene
async def test_each_rung_is_asked_for_once_under_both_names(stage: Stage) -> None:
    upstream, receiver, daemon = stage.upstream, stage.receiver, stage.daemon
    good = upstream.add("aimlapi-luma", script=SCRIPT)
    bad = upstream.add("aimlapi-luma", script=failing(SCRIPT))
    done = upstream.add("aimlapi-luma", script=SCRIPT, age=60)
    upstream.curtain.ready()
    await daemon.start(
        settings(
            {"aiml": source(upstream.url("aimlapi-luma"))},
            {"studio": webhook(place(receiver, "studio"))},
            [{"source": "aiml", "ids": [good, bad, done]}],
        )
    )
    await accepted(receiver, 7)
    assert await daemon.stop() == 0
    # First looks go together, and nothing is to be waited for that they have shown already.
    every = [waiting("dreaming"), waiting("completed")]
    assert held(upstream, good) == every
    assert held(upstream, bad) == every
    assert rungs(upstream, done) == [{}]
    sent = at(receiver, "studio")
    assert states(sent, good) == ["queued", "dreaming", "completed"]
    assert states(sent, bad) == ["queued", "dreaming", "failed"]
    assert states(sent, done) == ["completed"]


@scene
async def test_a_watch_whose_webhooks_want_the_end_alone_asks_for_the_end_alone(
    stage: Stage,
) -> None:
    upstream, receiver, daemon = stage.upstream, stage.receiver, stage.daemon
    id_ = upstream.add("aimlapi-luma", script=SCRIPT)
    ends = ["completed", "failed"]
    upstream.curtain.ready()
    await daemon.start(
        settings(
            {"aiml": source(upstream.url("aimlapi-luma"))},
            {"studio": webhook(place(receiver, "studio"), states=ends)},
            [{"source": "aiml", "id": id_}],
        )
    )
    await accepted(receiver, 1)
    assert await daemon.stop() == 0
    assert held(upstream, id_) == [waiting("completed")]
    # Whatever the first look saw, nobody asked whether it dreams.
    assert facts(receiver.accepted[0])["skipped_states"][-1:] == ["dreaming"]


@scene
async def test_however_the_api_is_built_each_rung_is_asked_for_once_and_told_once(
    stage: Stage,
) -> None:
    words = ["queued", "dreaming", "completed"]
    async with AsyncExitStack() as stack:
        upstreams = {name: await entered(stack, kind) for name, kind in KINDS.items()}
        ids = await watched(upstreams, stage)
        for name, upstream in upstreams.items():
            assert rungs(upstream, ids[name]) == [waiting(word) for word in words], name
            assert states(at(stage.receiver, "studio"), ids[name]) == words, name
    for data in map(facts, ended(stage.receiver)):
        (output,) = data["outputs"]
        assert data["generation_id"] in output["url"], data["source"]


@scene
async def test_however_holds_fail_every_end_is_told_once_and_in_order(stage: Stage) -> None:
    async with AsyncExitStack() as stack:
        upstreams = {name: await entered(stack, flaw) for name, flaw in FLAWS.items()}
        ids = await watched(upstreams, stage, script=SLOW)
        for name, id_ in ids.items():
            told = states(at(stage.receiver, "studio"), id_)
            assert told[-1] == "completed", name
            assert told == [
                word for word in ("queued", "dreaming", "completed") if word in told
            ]
            # A source that does not hold is not stormed with questions.
            assert len(rungs(upstreams[name], id_)) <= 10, name
    assert stage.daemon.logs(
        "the source does not hold: plain looks for now", source="ignored"
    )


async def entered(stack: AsyncExitStack, switches: Mapping[str, Any]) -> Theatre:
    """Return an upstream of its own for some switches."""
    upstream = await stack.enter_async_context(Theatre())
    upstream.switch(**switches)
    return upstream


async def watched(
    upstreams: Mapping[str, Theatre],
    stage: Stage,
    script: Script = SCRIPT,
) -> Mapping[str, str]:
    """Watch a generation at each upstream until its end is told; return their ids."""
    ids = {
        name: one.add("aimlapi-luma", id=f"of-{name}", script=script)
        for name, one in upstreams.items()
    }
    for one in upstreams.values():
        one.curtain.ready()
    await stage.daemon.start(
        settings(
            {name: source(one.url("aimlapi-luma")) for name, one in upstreams.items()},
            {"studio": webhook(place(stage.receiver, "studio"))},
            [{"source": name, "id": id_} for name, id_ in ids.items()],
        )
    )
    await accepted(stage.receiver, len(upstreams), state="completed")
    assert await stage.daemon.stop() == 0
    return ids


def ended(receiver: Receiver) -> list[Received]:
    return [one for one in receiver.accepted if facts(one)["state"] == "completed"]
