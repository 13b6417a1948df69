"""aimlapi-sdk-python waits for a video at the simulator; it needs an environment of its own."""

import json
import os
from functools import partial
from pathlib import Path
from subprocess import run
from typing import Any

import anyio
import pytest

from bridge.simulator.timeline import Script
from bridge.simulator.upstream import Upstream

PYTHON = os.environ.get("GENBRIDGE_TEST_AIMLAPI")

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(
        not PYTHON,
        reason="the SDK installs an `openai` of its own: name the python of an environment "
        "with aimlapi-sdk-python 2.24.0rc1 in GENBRIDGE_TEST_AIMLAPI",
    ),
]

ASK = """
import json, sys
from aimlapi import AIMLAPI

url, prompt = sys.argv[1:]
seen = []
client = AIMLAPI(api_key="key", base_url=url, max_retries=0)
done = client.videos.generate_with_polling(
    model="luma/ray-3.2", prompt=prompt, poll_interval=0.02, poll_timeout=20,
    status_callback=lambda job: seen.append(job["status"]),
)
print(json.dumps({"done": done, "seen": seen}))
"""


async def waited(upstream: Upstream, script: Script, tmp_path: Path) -> Any:
    """What its own waiter returned, and the states that it saw."""
    upstream.switch(script=script)
    url = upstream.url("aimlapi-video") + "/v1"
    command = [PYTHON or "", "-c", ASK, url, "a boat"]
    environment = {"NO_PROXY": "*", "HOME": str(tmp_path)}
    ask = partial(
        run, command, env=environment, capture_output=True, text=True, check=False
    )
    ended = await anyio.to_thread.run_sync(ask)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@pytest.mark.parametrize(("end", "word"), [("completed", "completed"), ("failed", "error")])
async def test_its_waiter_sees_every_state_at_the_root_and_then_the_end(
    upstream: Upstream, tmp_path: Path, end: str, word: str
) -> None:
    told = await waited(
        upstream, [("queued", 0.4), ("dreaming", 0.4), (end, None)], tmp_path
    )
    assert list(dict.fromkeys(told["seen"])) == ["queued", "generating", word]
    assert bool(told["done"]["video"]) == (end == "completed")


async def test_a_wrong_word_ends_its_wait_too_early(
    upstream: Upstream, tmp_path: Path
) -> None:
    """It is not strict: what it takes for the end says nothing of the words of the API."""
    script: Script = [("dreaming", 0.3), ("upscaling", 5.0), ("completed", None)]
    assert (await waited(upstream, script, tmp_path))["done"]["status"] == "upscaling"
