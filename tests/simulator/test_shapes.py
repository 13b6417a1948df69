"""Documents of the APIs with a client of their own, and of tier C, are like the recorded ones."""

from typing import Any

import httpx
import pytest

from bridge.simulator.upstream import Upstream
from tests.simulator.asking import look
from tests.simulator.shapes import recorded, shape, words

pytestmark = pytest.mark.anyio

CASES = [
    ("runway", "queued", "pending.json", "video"),
    ("runway", "dreaming", "running.json", "video"),
    ("runway", "completed", "succeeded.json", "video"),
    ("runway", "failed", "failed.json", "video"),
    ("replicate", "queued", "starting.json", "video"),
    ("replicate", "dreaming", "processing.json", "video"),
    ("replicate", "completed", "succeeded.json", "video"),
    ("replicate", "failed", "failed.json", "video"),
    ("openai-videos", "queued", "queued.json", "video"),
    ("openai-videos", "dreaming", "in-progress.json", "video"),
    ("openai-videos", "completed", "completed.json", "video"),
    ("openai-videos", "failed", "failed.json", "video"),
    ("openai-batch", "queued", "validating.json", "video"),
    ("openai-batch", "dreaming", "in-progress.json", "video"),
    ("openai-batch", "completed", "completed.json", "video"),
    ("openai-batch", "failed", "failed.json", "video"),
    ("openai-batch", "cancelled", "cancelled.json", "video"),
    ("fal", "queued", "in-queue.json", "video"),
    ("fal", "dreaming", "in-progress.json", "video"),
    ("fal", "completed", "completed.json", "video"),
    ("fal", "failed", "completed-error.json", "video"),
    ("veo", "dreaming", "running.json", "video"),
    ("veo", "completed", "done.json", "video"),
    ("veo", "failed", "done-error.json", "video"),
    ("aimlapi-video", "queued", "queued.json", "video"),
    ("aimlapi-video", "dreaming", "generating.json", "video"),
    ("aimlapi-video", "completed", "completed.json", "video"),
    ("aimlapi-video", "completed", "completed-audio.json", "audio"),
    ("aimlapi-video", "failed", "error.json", "video"),
    ("aimlapi-suno", "queued", "queued.json", "audio"),
    ("aimlapi-suno", "dreaming", "streaming.json", "audio"),
    ("aimlapi-suno", "completed", "complete.json", "audio"),
    ("aimlapi-suno", "failed", "error.json", "audio"),
    ("stability", "dreaming", "in-progress.json", "image"),
    ("stability", "completed", "done-json.json", "image"),
    ("heygen", "queued", "pending.json", "video"),
    ("heygen", "dreaming", "processing.json", "video"),
    ("heygen", "completed", "completed.json", "video"),
    ("heygen", "failed", "failed.json", "video"),
    ("pika", "queued", "queued.json", "video"),
    ("pika", "dreaming", "started.json", "video"),
    ("pika", "completed", "finished.json", "video"),
    ("pika", "failed", "failed.json", "video"),
    ("ideogram", "dreaming", "pending.json", "image"),
    ("ideogram", "completed", "completed.json", "image"),
    ("ideogram", "failed", "failed.json", "image"),
]


@pytest.mark.parametrize("case", CASES, ids="-".join)
async def test_a_document_has_the_shape_of_the_recorded_one(
    upstream: Upstream, client: httpx.AsyncClient, case: tuple[str, str, str, str]
) -> None:
    provider, state, file, kind = case
    example: Any = recorded(provider, file)
    script = [("queued", 1.0), (state, None)]
    id_ = upstream.add(provider, script=script, age=2.0, kind=kind)
    answer = await look(upstream, client, provider, id_)
    assert shape(answer.json()) == shape(example)
    assert words(answer.json()) == words(example)
