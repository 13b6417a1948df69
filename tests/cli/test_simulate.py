import signal
import socket
from pathlib import Path

import httpx
import pytest

from bridge.cli.configuration import settings
from bridge.cli.simulate import introduction
from bridge.plugins import Plugins
from bridge.simulator.apis import APIS
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
