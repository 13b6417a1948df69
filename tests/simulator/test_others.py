"""The switches reach Luma's APIs, the relays, flux, kling and minimax, one and all."""

import math

import httpx
import pytest

from bridge.simulator.apis import APIS
from bridge.simulator.limits import RetryAfter
from bridge.simulator.switches import Fault, Links, Unknown
from bridge.simulator.upstream import Upstream
from tests.simulator.asking import HEADERS, OTHERS, PATHS, look
from tests.simulator.shapes import links, shape, words

pytestmark = pytest.mark.anyio

every = pytest.mark.parametrize("provider", OTHERS)

SCRIPT = [("queued", 10.0), ("dreaming", 10.0), ("completed", None)]
DONE = [("completed", None)]
USUAL = {
    "relay-luma-own": (200, "task_not_exist"),
    "relay-suno": (200, "task_not_exist"),
    "relay-udio": (200, "task_not_exist"),
    "relay-runway": (200, "task_not_exist"),
    "flux": (200, "Task not found"),
    "minimax": (200, "invalid params"),
    "minimax-v2": (400, "invalid task_id"),
}
"""How an unknown id is answered where it is not 404."""


def test_every_simulated_api_is_asked_somewhere() -> None:
    assert set(APIS) == {*PATHS, *OTHERS}


@every
async def test_an_unknown_id_is_answered_as_the_vendor_does_or_the_switch_says(
    upstream: Upstream, client: httpx.AsyncClient, provider: str
) -> None:
    nobody = "text2video/7" if provider == "kling" else "7"
    status, said = USUAL.get(provider, (404, "not found"))
    usual = await look(upstream, client, provider, nobody)
    assert usual.status_code == status
    assert said.lower() in usual.text.lower()
    for unknown, wanted in ((Unknown.BAD_REQUEST, 400), (Unknown.OK_WITH_ERROR, 200)):
        upstream.switch(unknown=unknown)
        answer = await look(upstream, client, provider, nobody)
        assert answer.status_code == (200 if provider == "minimax" else wanted)
        assert isinstance(answer.json(), dict)


@every
async def test_a_new_generation_can_be_hidden_for_a_while(
    upstream: Upstream, client: httpx.AsyncClient, provider: str
) -> None:
    young = upstream.add(provider, script=DONE)
    old = upstream.add(provider, script=DONE, age=61.0)
    visible = shape((await look(upstream, client, provider, young)).json())
    upstream.switch(hidden=60.0)
    assert shape((await look(upstream, client, provider, young)).json()) != visible
    assert shape((await look(upstream, client, provider, old)).json()) == visible


@every
async def test_a_stale_replica_tells_the_state_before(
    upstream: Upstream, client: httpx.AsyncClient, provider: str
) -> None:
    before = upstream.add(provider, script=SCRIPT, age=15.0)
    id_ = upstream.add(provider, script=SCRIPT, age=25.0)
    dreaming = (await look(upstream, client, provider, before)).json()
    fresh = (await look(upstream, client, provider, id_)).json()
    upstream.switch(stale=1.0)
    stale = (await look(upstream, client, provider, id_)).json()
    assert words(stale) == words(dreaming) != words(fresh)
    assert shape(stale) == shape(dreaming)


@every
async def test_an_odd_word_is_told_on_the_way_and_a_stuck_one_for_ever(
    upstream: Upstream, client: httpx.AsyncClient, provider: str
) -> None:
    id_ = upstream.add(provider, script=SCRIPT, age=17.0)
    upstream.switch(odd_word="upscaling")
    assert "upscaling" in words((await look(upstream, client, provider, id_)).json())
    upstream.switch(odd_word=None, stuck_word="MODAL")
    # minimax-v2 forgets what is older than a week.
    late = upstream.add(provider, script=SCRIPT, age=6 * 86_400.0)
    assert "MODAL" in words((await look(upstream, client, provider, late)).json())


@every
async def test_the_output_can_be_absent(
    upstream: Upstream, client: httpx.AsyncClient, provider: str
) -> None:
    id_ = upstream.add(provider, script=DONE)
    there = (await look(upstream, client, provider, id_)).json()
    upstream.switch(without_output=math.inf)
    absent = (await look(upstream, client, provider, id_)).json()
    assert words(there) <= words(absent) | {"complete"}
    assert len(links(absent)) < len(links(there)) or provider == "minimax"
    assert absent != there


@pytest.mark.parametrize("provider", [name for name in OTHERS if name != "minimax"])
async def test_a_link_is_dead_after_its_life_unless_a_look_renews_it(
    upstream: Upstream, client: httpx.AsyncClient, provider: str
) -> None:
    id_ = upstream.add(provider, script=DONE, age=61.0)
    opened = []
    for renewal in (Links.RENEWED, Links.NOT_RENEWED):
        upstream.switch(links=renewal, link_life=60.0)
        shown = links((await look(upstream, client, provider, id_)).json())
        opened.append([(await client.get(url)).status_code for url in shown])
    assert opened == [[200] * len(opened[0]), [403] * len(opened[0])]
    assert opened[0]


@pytest.mark.parametrize(("provider", "days"), [("kling", 29), ("minimax-v2", 0.3)])
async def test_a_link_lives_as_long_as_the_vendor_says(
    upstream: Upstream, client: httpx.AsyncClient, provider: str, days: float
) -> None:
    upstream.switch(links=Links.NOT_RENEWED)
    id_ = upstream.add(provider, script=DONE, age=days * 86_400.0)
    (url,) = links((await look(upstream, client, provider, id_)).json())
    assert (await client.get(url)).status_code == 200


@every
async def test_only_its_own_key_opens(
    upstream: Upstream, client: httpx.AsyncClient, provider: str
) -> None:
    id_ = upstream.add(provider, script=DONE)
    header = next(iter(HEADERS.get(provider, {})), "authorization")
    upstream.switch(key="key" if header == "x-key" else "any")
    good = await look(upstream, client, provider, id_)
    upstream.switch(key="another")
    wrong = await look(upstream, client, provider, id_)
    assert words(good.json())
    assert wrong.status_code == (200 if provider == "minimax" else 401)
    assert not links(wrong.json())


@every
async def test_a_limit_is_told_in_every_form(
    upstream: Upstream, client: httpx.AsyncClient, provider: str
) -> None:
    for form in RetryAfter:
        upstream.switch(limit=0, retry_after=form)
        answer = await look(upstream, client, provider, "nobody")
        told = [name for name in answer.headers if name.startswith("retry-after")]
        assert answer.status_code == (200 if provider == "minimax" else 429)
        assert ("retry_after" in answer.json()) == (form is RetryAfter.BODY)
        assert bool(told) == (form not in (RetryAfter.NONE, RetryAfter.BODY))


@every
@pytest.mark.parametrize("fault", [Fault.ERROR_500, Fault.ERROR_503, Fault.HTML])
async def test_an_answer_can_go_wrong(
    upstream: Upstream, client: httpx.AsyncClient, provider: str, fault: Fault
) -> None:
    id_ = upstream.add(provider, script=SCRIPT, age=15.0)
    upstream.switch(fault=fault)
    answer = await look(upstream, client, provider, id_)
    wanted = {Fault.ERROR_500: 500, Fault.ERROR_503: 503, Fault.HTML: 200}
    assert answer.status_code == wanted[fault]
    assert ("html" in answer.headers["content-type"]) == (fault is Fault.HTML)


@every
@pytest.mark.parametrize("fault", [Fault.SURROGATES, Fault.NUMBERS_IN_STRINGS])
async def test_a_document_can_be_odd_without_another_meaning(
    upstream: Upstream, client: httpx.AsyncClient, provider: str, fault: Fault
) -> None:
    id_ = upstream.add(provider, script=SCRIPT, age=15.0)
    usual = (await look(upstream, client, provider, id_)).json()
    upstream.switch(fault=fault)
    odd = (await look(upstream, client, provider, id_)).json()
    assert words(odd) == words(usual)
