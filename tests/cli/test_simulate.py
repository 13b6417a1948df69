import json
import shlex
import signal
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from bridge.cli.configuration import settings
from bridge.cli.simulate import introduction
from bridge.config import Environment, load
from bridge.core.askable import never
from bridge.core.looking import Get, Seen
from bridge.core.network.exchange import Response
from bridge.core.reading.places import at
from bridge.core.settings import Source
from bridge.plugins import Plugins
from bridge.simulator.apis import APIS
from bridge.simulator.upstream import Upstream
from bridge.telemetry.clock import SystemClock
from tests.cli.calling import line_with, running


def test_it_prints_what_to_paste_and_every_request() -> None:
    with running("simulate", "--port", "0", "--speed", "10") as process:
        line_with(process, "network: {allow: [127.0.0.0/8]}")
        line = line_with(process, "luma-agents: {provider: luma-agents, api_key: any, ")
        url = line.partition("base_url: ")[2].rstrip("}")
        command = line_with(process, "curl -H 'authorization: Bearer any'")
        assert command.endswith(f"{url}/generations")
        headers = {"authorization": "Bearer any"}
        made = httpx.post(f"{url}/generations", headers=headers, json={"prompt": "a boat"})
        assert made.status_code == 201
        generation = made.json()["id"]
        httpx.get(f"{url}/generations/{generation}", headers=headers)
        assert "POST /luma-agents" in line_with(process, "POST")
        assert generation in line_with(process, "GET")
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_what_is_to_be_pasted_is_a_good_configuration(tmp_path: Path) -> None:
    names = ("aimlapi-luma", "luma-agents", "dream-machine", "relay-luma")
    urls = {name: f"http://127.0.0.1:8380/{name}/v1" for name in (*names, "acme")}
    text = introduction(urls, names)
    assert "http://127.0.0.1:8380/acme/v1" in text.partition("\n\n")[2].partition("\n\n")[2]
    path = tmp_path / "config.yaml"
    path.write_text(text.partition("\n\n")[2].partition("\n\n")[0])
    assert set(settings(path).sources) == set(names)


def test_every_simulated_api_is_told_once() -> None:
    urls = {name: f"http://127.0.0.1:8380/{name}/v1" for name in APIS}
    told = introduction(urls, Plugins().names("provider")).partition("Begin")[0]
    assert all(told.count(url) == 1 for url in urls.values())


@pytest.mark.parametrize("command", ["simulate", "listen"])
def test_a_port_in_use_is_named(command: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with running(command, "--port", port) as process:
            _, said = process.communicate(timeout=10)
    assert process.returncode == 1
    assert said == (
        f"genbridge: cannot listen on 127.0.0.1:{port}: another program listens there already; "
        "end it, or choose another port with --port (0: any that is free)\n"
    )


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.anyio
@pytest.mark.parametrize("name", APIS)
async def test_what_is_begun_as_it_is_told_can_be_watched_at_once(name: str) -> None:
    async with Upstream(clock=SystemClock()) as upstream:
        urls = {one: upstream.url(one) for one in APIS}
        text = introduction(urls, Plugins().names("provider"))
        lines = [line for line in text.splitlines() if line.startswith("curl ")]
        commands = [shlex.split(line, comments=True) for line in lines]
        (command,) = [one for one in commands if one[-1].startswith(f"{urls[name]}/")]
        _, _, header, _, body, url = command
        begun = await sent("POST", url, [header.split(": ")], body.encode())
        creation = APIS[name].creation
        one = f"{creation.before}{at(creation.id)(json.loads(begun.body))}"
        provider = configured(text)[name].provider
        asking = provider.ask(Get(id=one, at=begun.received_at))
        request = next(asking)
        looked = await sent(request.method, request.url, request.headers, request.body)
    with pytest.raises(StopIteration) as read:
        asking.send(looked)
    assert isinstance(read.value.value, Seen), read.value.value
    assert read.value.value.observations[0].state is not None
    assert never(provider)(one) is None


async def sent(method: str, url: str, headers: Any, body: bytes) -> Response:
    async with httpx.AsyncClient() as client:
        answer = await client.request(method, url, headers=dict(headers), content=body)
    assert answer.is_success
    return Response(
        status=answer.status_code, body=answer.content, received_at=SystemClock().now()
    )


def configured(text: str) -> Mapping[str, Source]:
    content = text.partition("\n\n")[2].partition("\n\n")[0].encode()
    environment = Environment(variables={}, read_file=lambda _: b"")
    return load(content, "c.yaml", environment=environment, catalog=Plugins()).sources
