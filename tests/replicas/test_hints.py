"""A provider's callback comes to any replica, and the one that watches the generation looks."""

import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import anyio
import httpx
import pytest

from bridge.core.hints import hint_token, hints_path
from tests.e2e.scene import API_KEY, TOKEN, free_port
from tests.fakes.postgres import Server, serving
from tests.replicas.fleet import QUICK, Fleet, opened

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.skipif(not QUICK.hints, reason="it is tried without any notification"),
]

COUNT = 120


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as one:
        yield one


def test_whichever_replica_is_told_the_owner_looks(server: Server, tmp_path: Path) -> None:
    anyio.run(hinted, server, tmp_path)


async def hinted(server: Server, folder: Path) -> None:
    async with opened(folder, server) as fleet:
        fleet.interval = "1h"
        fleet.generations(COUNT)
        ports = [await listening(fleet), await listening(fleet)]
        await fleet.balanced()
        await quiet(fleet)
        before = looks(fleet)
        path = hints_path("luma", hint_token("luma", API_KEY))
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{ports[0]}") as provider:
            for id_ in fleet.ids:
                assert (await provider.post(path, json={"id": id_})).status_code == 204
        # By itself nobody looks that soon again: nobody has for two seconds.
        with anyio.fail_after(5):
            while any(looks(fleet)[one] == before[one] for one in fleet.ids):  # noqa: ASYNC110  (nobody tells)
                await anyio.sleep(0.1)
        for replica in fleet.replicas:
            replica.send(signal.SIGTERM)


async def listening(fleet: Fleet) -> int:
    """Begin one more replica; return the port of its API."""
    port = free_port()
    replica = await fleet.enter()
    own = {"listen": f"127.0.0.1:{port}", "token": TOKEN}
    await replica.start({**fleet.settings(), "server": own})
    return port


def looks(fleet: Fleet) -> Counter[str]:
    """Return how often each generation was looked at."""
    return Counter(call.path.rpartition("/")[2] for call in fleet.upstream.requests)


async def quiet(fleet: Fleet) -> None:
    """Wait until nobody looks for two seconds."""
    seen = -1
    while seen != (seen := looks(fleet).total()):  # noqa: ASYNC110  (it is silence)
        await anyio.sleep(2)
