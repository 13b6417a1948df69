"""What can be wrong with an answer, seen from the other end of a socket."""

import anyio
import httpx
import pytest

from bridge.simulator.faults import HUGE
from bridge.simulator.switches import Fault
from bridge.simulator.upstream import Upstream
from bridge.telemetry.clock import SystemClock

pytestmark = pytest.mark.anyio


async def ask(upstream: Upstream, client: httpx.AsyncClient) -> httpx.Response:
    id_ = upstream.add("dream-machine", id="a", script=[("queued", None)])
    return await client.get(f"{upstream.url('dream-machine')}/generations/{id_}")


@pytest.mark.parametrize(
    ("fault", "status"),
    [(Fault.ERROR_500, 500), (Fault.ERROR_503, 503), (Fault.WRONG_KEY, 401)],
)
async def test_an_error_comes_in_the_vendors_envelope(
    upstream: Upstream, client: httpx.AsyncClient, fault: Fault, status: int
) -> None:
    upstream.switch(fault=fault)
    answer = await ask(upstream, client)
    assert (answer.status_code, list(answer.json())) == (status, ["detail"])


async def test_a_page_can_come_instead_of_a_document(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    upstream.switch(fault=Fault.HTML)
    answer = await ask(upstream, client)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html")
    assert answer.text.startswith("<!doctype html>")


async def test_a_document_can_be_cut(upstream: Upstream, client: httpx.AsyncClient) -> None:
    upstream.switch(fault=Fault.CUT_JSON)
    answer = await ask(upstream, client)
    assert answer.text.startswith('{"id": "a"')
    with pytest.raises(ValueError, match="line 1"):
        answer.json()


async def test_a_connection_can_be_reset(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    upstream.switch(fault=Fault.RESET)
    with pytest.raises(httpx.ReadError):
        await ask(upstream, client)


async def test_an_answer_can_never_come(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    upstream.switch(fault=Fault.SILENCE)
    with anyio.move_on_after(0.3):
        await ask(upstream, client)
        pytest.fail("there was an answer")


async def test_an_answer_can_drip_in_byte_by_byte(client: httpx.AsyncClient) -> None:
    async with Upstream(clock=SystemClock(), speed=10_000.0) as upstream:
        upstream.switch(fault=Fault.DRIP)
        before = upstream.clock.monotonic()
        answer = await ask(upstream, client)
        took = upstream.clock.monotonic() - before
    assert answer.json()["state"] == "queued"
    assert took >= len(answer.content) + len("HTTP/1.1 200 OK")


async def test_a_drip_ends_when_the_client_leaves(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    upstream.switch(fault=Fault.DRIP)
    with anyio.move_on_after(0.3):
        await ask(upstream, client)
        pytest.fail("an answer of hundreds of bytes came within a second")


async def test_a_document_can_be_huge(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    upstream.switch(fault=Fault.HUGE)
    answer = await ask(upstream, client)
    assert len(answer.content) > HUGE
    assert answer.json()["state"] == "queued"


async def test_a_text_can_have_half_a_surrogate_pair(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    upstream.switch(fault=Fault.SURROGATES)
    answer = await ask(upstream, client)
    assert "\\ud83d" in answer.text
    assert answer.json()["caption"].endswith("\ud83d")


async def test_numbers_can_come_in_strings(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    upstream.switch(fault=Fault.NUMBERS_IN_STRINGS)
    await ask(upstream, client)
    page = (await client.get(upstream.url("dream-machine") + "/generations")).json()
    assert (page["count"], page["limit"], page["has_more"]) == ("1", "100", False)


async def test_a_fault_can_spoil_a_bare_list_too(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    upstream.switch(fault=Fault.SURROGATES)
    upstream.add("aimlapi-luma", id="a", script=[("queued", None)])
    url = upstream.url("aimlapi-luma") + "/v2/generate/video/luma-ai/generations"
    items = (await client.get(url, params={"generation_ids": "a"})).json()
    assert items[0]["caption"]


async def test_only_a_share_of_the_answers_is_faulty(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    upstream.switch(fault=Fault.ERROR_503, fault_share=0.5)
    statuses = {(await ask(upstream, client)).status_code for _ in range(40)}
    assert statuses == {200, 503}
