"""Receivers that send back what they were sent: nothing secret of it reaches the disk."""

import json

import pytest
from aiohttp import web

from bridge.simulator.serving import LoopbackServer
from tests.e2e.scene import CANARY, eventually, settings, source, webhook
from tests.e2e.stage import Stage, scene

pytestmark = pytest.mark.timeout(120)

AIML = "aimlapi-luma"
ONCE = {"schedule": ["100ms"]}


async def echo(request: web.BaseRequest) -> web.StreamResponse:
    """Answer with the URL, the headers and the body, as JSON, and in headers."""
    body = await request.content.read()
    sent = {name: value for name, value in request.headers.items()}  # noqa: C416  (a multidict)
    said = json.dumps(
        {
            "ok": False,
            "error_code": 400,
            "description": f"cannot parse {request.raw_path} {sent}",
            "url": str(request.url),
            "headers": sent,
            "body": body.decode(),
        }
    )
    headers = {
        "x-path": request.raw_path,
        "x-sent": " ".join(sent.values()),
        "location": str(request.url),
        "authorization": sent.get("authorization", "none"),
    }
    status = 301 if request.path.endswith("moved") else 400
    # As PHP writes it, slashes are escaped.
    return web.Response(
        status=status, headers=headers, body=said.replace("/", "\\/").encode()
    )


@scene
async def test_no_table_holds_a_secret_that_a_receiver_has_echoed(stage: Stage) -> None:
    async with LoopbackServer(echo) as server:
        at = f"{server.origin}/{CANARY}"
        basic = {"type": "basic", "username": "me", "password": f"{CANARY}-password"}
        bearer = {"type": "bearer", "token": f"{CANARY}-bearer"}
        webhooks = {
            "plain": webhook(f"{at}/plain?key={CANARY}-key", retry=ONCE),
            "basic": webhook(f"{at}/basic", retry=ONCE, auth=basic, hub_signature=True),
            "moved": webhook(f"{at}/moved", retry=ONCE, auth=bearer),
            "chat": webhook(
                f"{server.origin}/bot123:{CANARY}-bot", retry=ONCE, format="telegram"
            )
            | {"chat_id": "-1001234567890"},
        }
        del webhooks["chat"]["secret"]
        id_ = stage.upstream.add(AIML, id="g0", script=(("completed", None),))
        stage.upstream.curtain.ready()
        await stage.daemon.start(
            settings(
                {"aiml": source(stage.upstream.url(AIML))},
                webhooks,
                [{"source": "aiml", "id": id_}],
            )
        )
        given_up = stage.daemon.logs
        await eventually(
            lambda: (
                {one["webhook"] for one in given_up("delivery given up")} == set(webhooks)
            ),
            stage.daemon.text,
        )
        assert await stage.daemon.stop() == 0
    files = list(stage.folder.glob("genbridge.db*"))
    stored = b"".join(one.read_bytes() for one in files)
    assert b"cannot parse" in stored
    assert "x-sent" in stored.decode(errors="replace")
    assert CANARY.encode() not in stored
