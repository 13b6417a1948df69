"""How many deliveries are sent again at once."""

from dataclasses import replace
from typing import Any

import httpx
import pytest

from bridge.core.delivering.delivery import Status
from bridge.core.ladder import State
from bridge.core.replay import Missing
from bridge.core.settings import Rate
from bridge.web.delivery_shapes import PreviewShape, ReplayShape, ReplaysShape
from tests.web.ledger import attempt
from tests.web.service import FakeDaemon

pytestmark = pytest.mark.anyio


async def again(client: httpx.AsyncClient, **body: Any) -> httpx.Response:
    return await client.post("/v1/deliveries/retry", json=body)


def rated(daemon: FakeDaemon, **rates: float) -> None:
    """Give webhooks of the daemon rates."""
    known = daemon.settings.webhooks
    webhooks = {
        name: replace(one, rate=Rate(per_second=rates[name]) if name in rates else None)
        for name, one in known.items()
    }
    daemon.settings = replace(daemon.settings, webhooks=webhooks)


@pytest.fixture
def failed(daemon: FakeDaemon, client: httpx.AsyncClient) -> None:
    for name in ("studio", "team", "studio"):
        daemon.deliveries.add(daemon.ids[name], Status.FAILED, attempt())
    daemon.deliveries.add(daemon.ids["studio"], Status.DELIVERED, attempt(code=204))


@pytest.mark.usefixtures("failed")
async def test_a_replay_is_a_job_that_is_listed(
    client: httpx.AsyncClient, daemon: FakeDaemon
) -> None:
    response = await again(client, webhook="studio", since="2026-11-21T08:32:00Z")
    assert response.status_code == 202
    begun = ReplayShape.model_validate_json(response.content)
    assert (begun.id, begun.status, begun.webhook, begun.done) == (
        1,
        "failed",
        "studio",
        1,
    )
    response = await client.get("/v1/replays")
    (one,) = ReplaysShape.model_validate_json(response.content).replays
    assert one == begun
    (job,) = daemon.deliveries.begun
    assert job.filter.webhook == daemon.ids["studio"]
    assert job.filter.status is Status.FAILED


@pytest.mark.usefixtures("failed")
async def test_a_dry_run_says_what_would_be_sent_and_sends_nothing(
    client: httpx.AsyncClient, daemon: FakeDaemon
) -> None:
    response = await again(client, dry_run=True)
    assert response.status_code == 200
    preview = PreviewShape.model_validate_json(response.content)
    assert (preview.count, [one.id for one in preview.first]) == (3, [1, 2, 3])
    assert preview.duration_seconds is None
    assert not daemon.deliveries.begun


@pytest.mark.usefixtures("failed")
async def test_its_duration_is_that_of_the_webhook_whose_rate_takes_longest(
    client: httpx.AsyncClient, daemon: FakeDaemon
) -> None:
    rated(daemon, studio=1.0, team=0.25)
    assert (await again(client, dry_run=True)).json()["duration_seconds"] == 4.0
    only = await again(client, dry_run=True, webhook="studio")
    assert only.json()["duration_seconds"] == 2.0
    rated(daemon, team=0.25)
    only = await again(client, dry_run=True, webhook="studio")
    assert only.json()["duration_seconds"] is None


async def test_what_was_never_made_is_made_for_the_events_that_the_webhook_wants(
    client: httpx.AsyncClient, daemon: FakeDaemon
) -> None:
    known = daemon.settings.webhooks
    picky = replace(known["team"], states=frozenset({State.COMPLETED, State.FAILED}))
    daemon.settings = replace(daemon.settings, webhooks={**known, "team": picky})
    response = await again(client, status="missing", webhook="team")
    assert response.status_code == 202
    (job,) = daemon.deliveries.begun
    assert job.filter.status is Missing.MISSING
    assert job.filter.tags == ("completed", "failed", "stalled", "lost")
    assert response.json()["status"] == "missing"


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({"status": "pending"}, ["$.status"]),
        ({"status": "held"}, ["$.status"]),
        ({"status": "missing"}, ["$.webhook"]),
        ({"webhook": "none"}, ["$.webhook"]),
        ({"webhook": 7}, ["$.webhook"]),
        ({"since": "2026-11-21"}, ["$.since"]),
        ({"since": 5}, ["$.since"]),
        ({"since": "2026-11-21T08:30:00Z", "until": "2026-11-21T08:29:59Z"}, ["$.until"]),
        ({"dry_run": "yes"}, ["$.dry_run"]),
        ({"dryrun": True, "stauts": "failed"}, ["$.dryrun", "$.stauts"]),
        ([], ["$"]),
    ],
)
async def test_a_wrong_order_names_its_mistakes_and_sends_nothing(
    client: httpx.AsyncClient, daemon: FakeDaemon, body: Any, paths: list[str]
) -> None:
    response = await client.post("/v1/deliveries/retry", json=body)
    assert response.status_code == 422, response.text
    assert [error["path"] for error in response.json()["errors"]] == paths
    assert not daemon.deliveries.begun


async def test_a_replay_of_everything_must_be_said(client: httpx.AsyncClient) -> None:
    assert (await client.post("/v1/deliveries/retry")).status_code == 415


@pytest.mark.usefixtures("failed")
async def test_the_latest_replays_come_first_and_are_limited(
    client: httpx.AsyncClient,
) -> None:
    for _ in range(3):
        await again(client)
    found = (await client.get("/v1/replays", params={"limit": "2"})).json()["replays"]
    assert [one["id"] for one in found] == [3, 2]
    assert (await client.get("/v1/replays?limit=0")).status_code == 422
