"""Providers that answer badly: nothing is lost, nobody else is delayed, the cause is told."""

import signal
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any

import pytest

from bridge.simulator.limits import RetryAfter
from bridge.simulator.switches import Fault
from tests.e2e.scene import (
    Theatre,
    accepted,
    eventually,
    facts,
    place,
    settings,
    source,
    states,
    webhook,
)
from tests.e2e.stage import Stage, scene

pytestmark = pytest.mark.timeout(120)

PROVIDERS = ("aimlapi-luma", "luma-agents", "dream-machine", "relay-luma")
DONE = (("completed", None),)

FAULTS: Mapping[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "html": ({"fault": Fault.HTML}, {"fault": Fault.OFF}),
    "cut": ({"fault": Fault.CUT_JSON}, {"fault": Fault.OFF}),
    "huge": ({"fault": Fault.HUGE}, {"fault": Fault.OFF}),
    "reset": ({"fault": Fault.RESET}, {"fault": Fault.OFF}),
    "error-500": ({"fault": Fault.ERROR_500}, {"fault": Fault.OFF}),
    "error-503": ({"fault": Fault.ERROR_503}, {"fault": Fault.OFF}),
    "not-found": ({"hidden": 1e9}, {"hidden": 0.0}),
    "busy": ({"limit": 0, "retry_after": RetryAfter.SECONDS}, {"limit": None}),
}
"""What is wrong with a source, and what heals it."""

HARMLESS = {
    "surrogates": {"fault": Fault.SURROGATES},
    "stringly": {"fault": Fault.NUMBERS_IN_STRINGS},
}
"""Oddities that are read all the same."""


@scene
async def test_every_provider_may_fail_in_every_way_for_a_while(stage: Stage) -> None:
    async with AsyncExitStack() as stack:
        switches = {name: wrong for name, (wrong, _) in FAULTS.items()} | HARMLESS
        upstreams = {name: await failing(stack, wrong) for name, wrong in switches.items()}
        sources, watches = {}, []
        for name, upstream in upstreams.items():
            for provider in PROVIDERS:
                key = f"{name}-{provider}"
                sources[key] = source(upstream.url(provider), provider)
                watches.append(
                    {"source": key, "id": upstream.add(provider, id=key, script=DONE)}
                )
        good = stage.upstream.add("aimlapi-luma", id="good", script=DONE)
        sources["good"] = source(stage.upstream.url("aimlapi-luma"))
        url = place(stage.receiver, "studio")
        await stage.daemon.start(
            settings(
                sources,
                {"studio": webhook(url)},
                [*watches, {"source": "good", "id": good}],
            )
        )
        await accepted(stage.receiver, 1 + len(HARMLESS) * len(PROVIDERS))
        await eventually(lambda: all(map(asked, upstreams.values())), "not all were asked")
        early = {facts(one)["generation_id"] for one in stage.receiver.accepted}
        assert "good" in early
        assert not [id_ for id_ in early if id_.startswith(tuple(FAULTS))]
        for name, (_, healed) in FAULTS.items():
            upstreams[name].switch(**healed)
        await accepted(stage.receiver, len(watches) + 1)
        assert await stage.daemon.stop() == 0
    for watch in watches:
        assert states(stage.receiver.accepted, watch["id"]) == ["completed"]
    for name in ("html", "cut", "huge", "reset", "error-500", "error-503"):
        for provider in PROVIDERS:
            assert stage.daemon.logs("a look failed", source=f"{name}-{provider}")
    for provider in PROVIDERS:
        assert stage.daemon.logs("the source is busy", source=f"busy-{provider}")


def asked(upstream: Theatre) -> bool:
    return set(PROVIDERS) <= {call.provider for call in upstream.requests}


async def failing(stack: AsyncExitStack, switches: Mapping[str, Any]) -> Theatre:
    upstream = await stack.enter_async_context(Theatre())
    upstream.switch(**switches)
    return upstream


def watching(stage: Stage, provider: str, **watch: Any) -> dict[str, Any]:
    """Return settings with one source and one watch."""
    return settings(
        {"luma": source(stage.upstream.url(provider), provider)},
        {"studio": webhook(place(stage.receiver, "studio"))},
        [{"source": "luma", **watch}],
    )


@scene
async def test_a_refused_key_is_told_once_and_a_corrected_one_works_at_once(
    stage: Stage,
) -> None:
    ids = [stage.upstream.add("luma-agents", script=DONE) for _ in range(5)]
    right = watching(stage, "luma-agents", ids=ids)
    key = right["sources"]["luma"]["api_key"]
    right["sources"]["luma"]["api_key"] = f"{key}-of-another"
    await stage.daemon.start(right)
    refused = await stage.daemon.logged("the source refuses the key", level="error")
    assert refused["source"] == "luma"
    right["sources"]["luma"]["api_key"] = key
    stage.daemon.configure(right)
    stage.daemon.send(signal.SIGHUP)
    await accepted(stage.receiver, len(ids))
    assert len(stage.daemon.logs("the source refuses the key")) == 1
    assert await stage.daemon.stop() == 0


@scene
async def test_a_word_that_nobody_knows_is_told_and_ends_nothing(stage: Stage) -> None:
    script = (("dreaming", 8.0), ("completed", None))
    id_ = stage.upstream.add("luma-agents", script=script)
    stage.upstream.switch(odd_word="pondering")
    stage.upstream.curtain.ready()
    await stage.daemon.start(watching(stage, "luma-agents", id=id_))
    odd = await stage.daemon.logged("an unknown state word", level="warning")
    assert odd["native_state"] == "pondering"
    await accepted(stage.receiver, 1, state="completed")
    assert states(stage.receiver.accepted, id_) == ["dreaming", "completed"]
    assert await stage.daemon.stop() == 0


@scene
async def test_a_hold_that_is_never_answered_is_given_up_and_asked_again(
    stage: Stage,
) -> None:
    id_ = stage.upstream.add("aimlapi-luma", script=DONE)
    stage.upstream.switch(fault=Fault.SILENCE)
    # A hold is not waited for beyond the deadline; then the end decides, if there is one.
    await stage.daemon.start(watching(stage, "aimlapi-luma", id=id_, deadline="2s"))
    await eventually(lambda: stage.upstream.requests, "no question")
    stage.upstream.switch(fault=Fault.OFF)
    await accepted(stage.receiver, 1)
    assert states(stage.receiver.accepted, id_) == ["completed"]
    assert await stage.daemon.stop() == 0


@scene
async def test_a_provider_that_is_away_at_the_start_and_comes_back_is_asked_again(
    stage: Stage,
) -> None:
    async with Theatre() as gone:
        url = gone.url("luma-agents")
    wanted = watching(stage, "luma-agents", id="g")
    wanted["sources"]["luma"]["base_url"] = url
    await stage.daemon.start(wanted)
    await stage.daemon.logged("a look failed", source="luma")
    port = int(url.split(":")[2].split("/")[0])
    async with Theatre(port=port) as back:
        back.add("luma-agents", id="g", script=DONE)
        await accepted(stage.receiver, 1, state="completed")
    assert await stage.daemon.stop() == 0
