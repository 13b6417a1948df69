"""Four providers, three webhooks, one evening: what arrives, and in which shape."""

import json
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import anyio
import pytest
import standardwebhooks
import svix

from bridge import __version__
from bridge.simulator.exchange import Call
from bridge.simulator.receiver import Received, Receiver, Scripted
from bridge.simulator.timeline import Script
from bridge.telemetry.clock import SystemClock
from tests.e2e.daemon import Daemon
from tests.e2e.scene import (
    KEY,
    SECRET,
    Theatre,
    accepted,
    at,
    facts,
    place,
    settings,
    source,
    webhook,
)

pytestmark = pytest.mark.timeout(120)

SCRIPTS: Mapping[str, Script] = {
    "aimlapi-luma": (("queued", 1.0), ("dreaming", 1.0), ("completed", None)),
    "luma-agents": (("dreaming", 1.0), ("completed", None)),
    "dream-machine": (("completed", None),),
    "relay-luma": (("failed", None),),
}
METADATA = {"order": 1042, "name": "Zażółć 🎬", "deep": {"list": [1, 2.5, None, True]}}
WEBHOOKS: Mapping[str, list[int]] = {"studio": [503, 429], "team": [], "sheet": []}
"""What each receiver answers first."""
OK = Scripted(body=b"ok")
"""What Slack says, and everybody else may."""
EVENTS = 7
"""Of the evening: three, two, one and one states."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evening:
    """What came of it."""

    ids: Mapping[str, str]
    sent: Mapping[str, list[Received]]
    requests: list[Call]

    def told(self, provider: str, webhook: str = "studio") -> list[dict[str, Any]]:
        """Return the accepted events of a provider's generation, in order."""
        told = [facts(one) for one in self.sent[webhook] if one.accepted]
        return [data for data in told if data["provider"] == provider]


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Evening:
    return anyio.run(play, tmp_path_factory.mktemp("evening"))


async def play(folder: Path) -> Evening:
    async with AsyncExitStack() as stack:
        upstream = await stack.enter_async_context(Theatre())
        receivers = {
            name: await stack.enter_async_context(
                Receiver(clock=SystemClock(), keys=[KEY], answers=first, otherwise=OK)
            )
            for name, first in WEBHOOKS.items()
        }
        ids = {name: upstream.add(name, script=script) for name, script in SCRIPTS.items()}
        upstream.curtain.ready()
        daemon = await stack.enter_async_context(Daemon(folder))
        await daemon.start(configured(upstream, receivers, ids))
        await accepted(receivers["studio"], EVENTS)
        for name in ("team", "sheet"):
            await receivers[name].wait(lambda one: len(one.accepted) >= len(SCRIPTS))
        assert await daemon.stop() == 0
    sent = {name: at(one, name) for name, one in receivers.items()}
    return Evening(ids=ids, sent=sent, requests=list(upstream.requests))


def configured(
    upstream: Theatre, receivers: Mapping[str, Receiver], ids: Mapping[str, str]
) -> dict[str, Any]:
    urls = {name: place(one, name) for name, one in receivers.items()}
    ends = ["completed", "failed"]
    return settings(
        {name: source(upstream.url(name), name) for name in SCRIPTS},
        {
            "studio": webhook(urls["studio"]),
            "team": webhook(urls["team"], format="slack", states=ends),
            "sheet": webhook(urls["sheet"], format="flat", states=ends),
        },
        [{"source": name, "id": id_, "metadata": METADATA} for name, id_ in ids.items()],
    )


def test_every_body_is_verified_by_the_library_of_the_standard(evening: Evening) -> None:
    library = standardwebhooks.Webhook(SECRET)
    for one in [*evening.sent["studio"], *evening.sent["team"], *evening.sent["sheet"]]:
        assert library.verify(one.body, dict(one.headers)) == json.loads(one.body)


def test_every_body_is_verified_by_the_library_of_svix(evening: Evening) -> None:
    library = svix.Webhook(SECRET)
    for one in [*evening.sent["studio"], *evening.sent["team"], *evening.sent["sheet"]]:
        library.verify(one.body, dict(one.headers))


def test_a_body_that_was_changed_is_not_verified(evening: Evening) -> None:
    one = evening.sent["studio"][0]
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(SECRET).verify(one.body + b" ", dict(one.headers))


def test_an_event_has_the_documented_fields_in_the_documented_order(
    evening: Evening,
) -> None:
    for one in evening.sent["studio"]:
        document = json.loads(one.body)
        assert list(document) == ["type", "timestamp", "data"]
        assert list(document["data"]) == [
            "source",
            "provider",
            "generation_id",
            "state",
            "native_state",
            "previous_state",
            "skipped_states",
            "observed_at",
            "created_at",
            "progress",
            "eta",
            "outputs",
            "failure",
            "metadata",
            "sequence",
            "raw",
        ]


def test_a_delivery_carries_the_documented_headers(evening: Evening) -> None:
    for one in evening.sent["studio"]:
        assert one.method == "POST"
        assert one.headers["content-type"] == "application/json"
        assert one.headers["user-agent"] == f"genbridge/{__version__}"
        assert one.headers["content-length"] == str(len(one.body))
        assert one.headers["webhook-timestamp"].isdigit()
        assert UUID(one.headers["webhook-id"]).version == 5
        assert one.headers["x-team"].endswith("-header")


def test_every_rung_is_told_in_order(evening: Evening) -> None:
    told = {name: [data["state"] for data in evening.told(name)] for name in SCRIPTS}
    assert told == {
        "aimlapi-luma": ["queued", "dreaming", "completed"],
        "luma-agents": ["dreaming", "completed"],
        "dream-machine": ["completed"],
        "relay-luma": ["failed"],
    }


def test_the_type_the_sequence_and_the_state_before_belong_to_the_state(
    evening: Evening,
) -> None:
    for name in SCRIPTS:
        before = None
        for number, data in enumerate(evening.told(name)):
            assert data["sequence"] == number
            assert data["previous_state"] == before
            before = data["state"]
    types = [json.loads(one.body)["type"] for one in evening.sent["studio"]]
    assert types == [f"generation.{facts(one)['state']}" for one in evening.sent["studio"]]


def test_a_state_that_was_jumped_over_is_named(evening: Evening) -> None:
    first = {name: evening.told(name)[0]["skipped_states"] for name in SCRIPTS}
    assert first == {
        "aimlapi-luma": [],
        "luma-agents": ["queued"],
        "dream-machine": ["queued", "dreaming"],
        "relay-luma": ["queued", "dreaming"],
    }


def test_metadata_comes_back_in_every_event(evening: Evening) -> None:
    for name in SCRIPTS:
        assert [data["metadata"] for data in evening.told(name)] == [METADATA] * len(
            evening.told(name)
        )


def test_an_event_names_its_source_and_its_generation(evening: Evening) -> None:
    for name in SCRIPTS:
        for data in evening.told(name):
            assert data["source"] == data["provider"] == name
            assert data["generation_id"] == evening.ids[name]
            assert data["raw"]["id"] == evening.ids[name]


def test_a_completed_generation_comes_with_its_outputs(evening: Evening) -> None:
    for name in ("aimlapi-luma", "luma-agents", "dream-machine"):
        last = evening.told(name)[-1]
        (output,) = last["outputs"]
        assert list(output) == ["type", "url", "role", "needs_key", "expires_at"]
        assert (output["type"], output["role"]) == ("video", "result")
        assert evening.ids[name] in output["url"]
        assert last["progress"] == 1.0
        assert last["failure"] is None


def test_a_failed_generation_comes_with_its_reason(evening: Evening) -> None:
    (last,) = evening.told("relay-luma")
    assert list(last["failure"]) == ["code", "reason"]
    assert last["failure"]["reason"] == "The simulated generation was told to fail"
    assert last["outputs"] == []


def test_a_refused_delivery_is_repeated_under_its_id(evening: Evening) -> None:
    refused = [one for one in evening.sent["studio"] if not one.accepted]
    assert sorted(one.status for one in refused) == [429, 503]
    for one in refused:
        id_ = one.headers["webhook-id"]
        again = [x for x in evening.sent["studio"] if x.headers["webhook-id"] == id_]
        attempts = [int(x.headers["webhook-attempt"]) for x in again]
        assert attempts == list(range(1, len(again) + 1))
        assert again[-1].accepted
        assert {x.body for x in again} == {one.body}


def test_an_event_has_one_id_at_every_webhook_and_no_other_event_has_it(
    evening: Evening,
) -> None:
    ids: dict[tuple[str, str], set[str]] = {}
    for one in evening.sent["studio"]:
        key = facts(one)["generation_id"], facts(one)["state"]
        ids.setdefault(key, set()).add(one.headers["webhook-id"])
    assert all(len(named) == 1 for named in ids.values())
    assert len({id_ for named in ids.values() for id_ in named}) == len(ids)
    elsewhere = {one.headers["webhook-id"] for one in evening.sent["team"]}
    ends = {key: named for key, named in ids.items() if key[1] in ("completed", "failed")}
    assert elsewhere == {id_ for named in ends.values() for id_ in named}


def test_slack_gets_blocks_and_only_the_states_that_it_asked_for(evening: Evening) -> None:
    assert len(evening.sent["team"]) == len(SCRIPTS)
    for one in evening.sent["team"]:
        document = json.loads(one.body)
        assert document["text"]
        assert document["blocks"] or document["attachments"]


def test_flat_gets_values_without_depth(evening: Evening) -> None:
    assert len(evening.sent["sheet"]) == len(SCRIPTS)
    for one in evening.sent["sheet"]:
        document = json.loads(one.body)
        assert not [key for key, value in document.items() if isinstance(value, dict)]
        assert document["generation_id"] in evening.ids.values()
        assert document["state"] in ("completed", "failed")


def test_a_generation_that_has_ended_is_not_asked_about_again(evening: Evening) -> None:
    asked = [call.provider for call in evening.requests]
    assert asked.count("dream-machine") == 1
    assert asked.count("relay-luma") == 1
