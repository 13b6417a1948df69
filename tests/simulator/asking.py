"""How the simulated APIs are asked about one generation, where no vendor's client does it."""

import httpx

from bridge.simulator.upstream import Upstream

PATHS = {
    "runway": "/v1/tasks/{}",
    "replicate": "/v1/predictions/{}",
    "openai-videos": "/videos/{}",
    "openai-batch": "/batches/{}",
    "fal": "/{}/status",
    "veo": "/v1beta/{}",
    "aimlapi-video": "/v2/video/generations?generation_id={}",
    "aimlapi-suno": "/v2/generate/audio/suno-ai/clip?clip_id={}",
    "stability": "/v2beta/results/{}",
    "heygen": "/v1/video_status.get?video_id={}",
    "pika": "/videos/{}",
    "ideogram": "/v2/generations/{}",
}
"""The APIs that have a vendor's client, and those of tier C."""

OTHERS = {
    "aimlapi-luma": "/v2/generate/video/luma-ai/generation?generation_id={}",
    "luma-agents": "/generations/{}",
    "dream-machine": "/generations/{}",
    "relay-luma": "/dream-machine/v1/generations/{}",
    "relay-luma-own": "/luma/generations/{}",
    "relay-suno": "/suno/fetch/{}",
    "relay-udio": "/udio/fetch/{}",
    "relay-midjourney": "/mj/task/{}/fetch",
    "relay-runway": "/runway/tasks/{}",
    "flux": "/v1/get_result?id={}",
    "kling": "/v1/videos/{}",
    "minimax": "/v1/query/video_generation?task_id={}",
    "minimax-v2": "/v2/query/video_generation/{}",
}
"""Luma's, the relays, and what else is known from documents."""

HEADERS = {
    "flux": {"x-key": "key"},
    "fal": {"authorization": "Key id:secret"},
    "veo": {"x-goog-api-key": "key"},
    "stability": {"accept": "application/json"},
    "heygen": {"x-api-key": "key"},
    "ideogram": {"api-key": "key"},
}


async def look(
    upstream: Upstream, client: httpx.AsyncClient, provider: str, id_: str
) -> httpx.Response:
    """The answer to a look with a key that is good enough."""
    path = {**PATHS, **OTHERS}[provider].format(id_)
    url = upstream.url(provider) + path
    return await client.get(url, headers=HEADERS.get(provider, {}))
