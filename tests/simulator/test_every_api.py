"""The switches reach the APIs that have a vendor's client and those of tier C, one and all."""

import math

import httpx
import pytest

from bridge.core.ladder import State
from bridge.simulator.limits import RetryAfter
from bridge.simulator.switches import Fault, Links, Unknown
from bridge.simulator.upstream import Upstream
from tests.simulator.asking import HEADERS, PATHS, look
from tests.simulator.shapes import links, shape, words

pytestmark = pytest.mark.anyio

every = pytest.mark.parametrize("provider", PATHS)

SCRIPT = [("queued", 10.0), ("dreaming", 10.0), ("completed", None)]
DONE = [("completed", None)]
ODD = "upscaling"
MAKE = {
    "runway": "/v1/image_to_video",
    "replicate": "/v1/models/acme/clip/predictions",
    "openai-videos": "/videos",
    "openai-batch": "/batches",
    "fal": "/acme/clip/image-to-video",
    "veo": "/v1beta/models/veo-3.0:predictLongRunning",
    "aimlapi-video": "/v2/generate/audio",
    "aimlapi-suno": "/v2/generate/audio/suno-ai/clip",
    "stability": "/v2beta/image-to-video",
    "heygen": "/v2/video/generate",
    "pika": "/videos",
    "ideogram": "/v2/generations",
}
APART = ("fal", "openai-videos")
"""Here a look says nothing of the outputs: they are fetched apart."""
SIGNED = (
    "runway",
    "replicate",
    "aimlapi-video",
    "aimlapi-suno",
    "heygen",
    "pika",
    "ideogram",
)
"""Here the outputs have links that open without a key."""


@every
async def test_a_generation_is_begun_over_http_and_goes_its_way(
    upstream: Upstream, client: httpx.AsyncClient, provider: str
) -> None:
    upstream.switch(script=(("queued", 0.0), ("completed", None)))
    url, headers = upstream.url(provider) + MAKE[provider], HEADERS.get(provider)
    for prompt, rank in (("a boat", State.COMPLETED), ("please fail", State.FAILED)):
        made = await client.post(url, json={"prompt": prompt}, headers=headers)
        account = upstream.apis.accounts[provider]
        *_, job = account.jobs.values()
        assert made.is_success
        assert job.id in made.text
        assert account.reaches(job, rank) <= upstream.clock.monotonic()
        assert (await look(upstream, client, provider, job.id)).status_code == 200


@every
async def test_a_body_without_a_prompt_is_refused(
    upstream: Upstream, client: httpx.AsyncClient, provider: str
) -> None:
    url, headers = upstream.url(provider) + MAKE[provider], HEADERS.get(provider)
    for body in (b"", b"[]", b'{"prompt": 3}'):
        answer = await client.post(url, content=body, headers=headers)
        assert answer.status_code == 400


@every
async def test_an_unknown_id_is_answered_as_the_switch_says(
    upstream: Upstream, client: httpx.AsyncClient, provider: str
) -> None:
    for unknown, status in (
        (Unknown.NOT_FOUND, 404),
        (Unknown.BAD_REQUEST, 400),
        (Unknown.OK_WITH_ERROR, 200),
    ):
        upstream.switch(unknown=unknown)
        answer = await look(upstream, client, provider, "nobody")
        assert answer.status_code == status
        assert isinstance(answer.json(), dict)


@every
async def test_a_new_generation_can_be_hidden_for_a_while(
    upstream: Upstream, client: httpx.AsyncClient, provider: str
) -> None:
    upstream.switch(hidden=60.0)
    young = upstream.add(provider, script=DONE)
    old = upstream.add(provider, script=DONE, age=61.0)
    assert (await look(upstream, client, provider, young)).status_code == 404
    assert (await look(upstream, client, provider, old)).status_code == 200


@every
async def test_a_stale_replica_tells_the_state_before(
    upstream: Upstream, client: httpx.AsyncClient, provider: str
) -> None:
    id_ = upstream.add(provider, script=SCRIPT, age=25.0)
    before = upstream.add(provider, script=SCRIPT, age=15.0)
    fresh = (await look(upstream, client, provider, id_)).json()
    dreaming = (await look(upstream, client, provider, before)).json()
    upstream.switch(stale=1.0)
    stale = (await look(upstream, client, provider, id_)).json()
    assert set(stale) == set(dreaming)
    assert shape(stale) != shape(fresh) or words(stale) != words(fresh)
    assert words(stale) == words(dreaming)


@pytest.mark.parametrize("provider", [name for name in PATHS if name != "veo"])
async def test_an_odd_word_is_told_on_the_way(
    upstream: Upstream, client: httpx.AsyncClient, provider: str
) -> None:
    upstream.switch(odd_word=ODD)
    id_ = upstream.add(provider, script=SCRIPT, age=17.0)
    assert ODD in (await look(upstream, client, provider, id_)).text


@every
async def test_the_output_can_come_late_or_never(
    upstream: Upstream, client: httpx.AsyncClient, provider: str
) -> None:
    id_ = upstream.add(provider, script=DONE)
    there = (await look(upstream, client, provider, id_)).json()
    upstream.switch(without_output=math.inf)
    absent = (await look(upstream, client, provider, id_)).json()
    assert words(absent) == words(there)
    alike = shape(absent) == shape(there) and len(links(absent)) == len(links(there))
    assert alike == (provider in APART)


@pytest.mark.parametrize("provider", SIGNED)
async def test_a_link_is_dead_after_its_life_unless_a_look_renews_it(
    upstream: Upstream, client: httpx.AsyncClient, provider: str
) -> None:
    id_ = upstream.add(provider, script=DONE, age=61.0)
    opened = []
    for renewal in (Links.RENEWED, Links.NOT_RENEWED):
        upstream.switch(links=renewal, link_life=60.0)
        shown = links((await look(upstream, client, provider, id_)).json())
        url = next(one for one in shown if f"{upstream.apis.origin}/files/" in one)
        opened.append((await client.get(url)).status_code)
    assert opened == [200, 403]


@every
async def test_only_its_own_key_opens(
    upstream: Upstream, client: httpx.AsyncClient, provider: str
) -> None:
    id_ = upstream.add(provider, script=DONE)
    shown = {"authorization": "Bearer any", **HEADERS.get(provider, {})}
    *_, key = (value for name, value in shown.items() if name != "accept")
    upstream.switch(key=key.removeprefix("Bearer ").removeprefix("Key "))
    assert (await look(upstream, client, provider, id_)).status_code == 200
    upstream.switch(key="another")
    assert (await look(upstream, client, provider, id_)).status_code == 401


@every
async def test_a_limit_is_told_in_every_form(
    upstream: Upstream, client: httpx.AsyncClient, provider: str
) -> None:
    for form in RetryAfter:
        upstream.switch(limit=0, retry_after=form)
        answer = await look(upstream, client, provider, "nobody")
        assert answer.status_code == 429
        assert ("retry_after" in answer.json()) == (form is RetryAfter.BODY)


@every
async def test_its_answers_can_go_wrong(
    upstream: Upstream, client: httpx.AsyncClient, provider: str
) -> None:
    id_ = upstream.add(provider, script=SCRIPT, age=15.0)
    usual = await look(upstream, client, provider, id_)
    for fault, status in (
        (Fault.ERROR_500, 500),
        (Fault.ERROR_503, 503),
        (Fault.WRONG_KEY, 401),
        (Fault.HTML, 200),
        (Fault.SURROGATES, usual.status_code),
        (Fault.NUMBERS_IN_STRINGS, usual.status_code),
    ):
        upstream.switch(fault=fault)
        answer = await look(upstream, client, provider, id_)
        is_page = "html" in answer.headers["content-type"]
        assert (answer.status_code, is_page) == (status, fault is Fault.HTML)
        assert is_page or answer.json()
