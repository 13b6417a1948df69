"""What the API tells of sources: how they are looked at, how they stand, what was learnt."""

import math
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest

from bridge.core.hints import hint_token
from bridge.core.pacing.report import SourceReport, Standing, TableRow
from bridge.web.source_shapes import SourceShape, SourcesShape
from tests.web.service import FakeDaemon

pytestmark = pytest.mark.anyio

ROW = TableRow(
    model="ray-2",
    state="dreaming",
    changes=120.4567,
    p50=61.23456,
    p90=90.0,
    looks=23.9,
    delay=1.25,
    drifts=1,
    histogram=((0.25, 0.0), (60.0, 80.0), (math.inf, 0.5)),
)
REPORT = SourceReport(
    source="luma",
    provider="luma-agents",
    mode="hold some",
    reason="12 of 40 held: 0.3 s late, by plain 2.4 s",
    rate=7.0,
    limit=10.0,
    price=1.23456,
    watching=40,
    holds=12,
    open=15,
    standing=Standing.BUSY,
    since=datetime(2026, 11, 21, 8, 30, tzinfo=UTC),
    why="429 too many requests",
    unknown={"Dreamingish": 3},
    malformed=2,
    tables=(ROW,),
    saturation="luma needs 17.1 looks/s, may make 10: 7.1 more, or 2 keys",
    lacking=7.1,
    batch_waits="any",
)


async def test_a_source_tells_how_it_is_looked_at_and_how_it_stands(
    client: httpx.AsyncClient, daemon: FakeDaemon
) -> None:
    daemon.stands["luma"] = REPORT
    response = await client.get("/v1/sources")
    luma, aiml = SourcesShape.model_validate_json(response.content).sources
    assert (luma.name, luma.provider, luma.mode) == ("luma", "luma-agents", "hold some")
    assert (luma.rate_per_second, luma.rate_now, luma.price) == (10.0, 7.0, 1.235)
    assert (luma.watching, luma.holds, luma.open) == (40, 12, 15)
    assert (luma.standing, luma.since, luma.why) == ("busy", REPORT.since, REPORT.why)
    assert (luma.unknown_words, luma.malformed) == ({"Dreamingish": 3}, 2)
    assert (luma.saturation, luma.lacking_per_second) == (REPORT.saturation, 7.1)
    assert (luma.batch_waits, aiml.batch_waits) == ("any", "unknown")
    assert (luma.looks, luma.interval_seconds) == (24, 900.0)
    assert (aiml.name, aiml.watching, aiml.standing) == ("aiml", 0, "working")


async def test_a_table_tells_what_was_learnt_and_of_bins_that_have_seen_something(
    client: httpx.AsyncClient, daemon: FakeDaemon
) -> None:
    untaught = replace(ROW, state="queued", changes=0.0)
    daemon.stands["luma"] = replace(REPORT, tables=(ROW, untaught))
    found = (await client.get("/v1/sources")).json()["sources"][0]["tables"]
    assert found == [
        {
            "model": "ray-2",
            "state": "dreaming",
            "changes": 120.5,
            "p50": 61.23,
            "p90": 90.0,
            "looks": 23.9,
            "delay": 1.25,
            "drifts": 1,
            "histogram": [[60.0, 80.0], [None, 0.5]],
        }
    ]


async def test_a_source_shows_where_its_hints_go_and_never_its_key(
    client: httpx.AsyncClient,
) -> None:
    response = await client.get("/v1/sources")
    luma, aiml = response.json()["sources"]
    assert luma["hints_path"] == f"/hints/luma/{hint_token('luma', 'CANARY')}"
    assert aiml["hints_path"] is None
    assert "CANARY" not in response.text


async def test_every_key_is_there_from_the_first_moment(client: httpx.AsyncClient) -> None:
    document = (await client.get("/v1/sources")).json()
    assert all(set(one) == set(SourceShape.model_fields) for one in document["sources"])
