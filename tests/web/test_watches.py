"""What the API promises about watches."""

import json
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from bridge.core.delivering.delivery import Condition, WebhookState
from bridge.core.ladder import State
from bridge.core.pacing.report import InVain
from bridge.core.settings import Rate, Source
from bridge.core.watch import Generation, Origin, WatchWish
from bridge.engine.desk import Desk
from bridge.errors import StoreUnavailable
from bridge.providers.kling import Provider as Kling
from bridge.web.shapes import BatchShape, TimelineShape, WatchesShape, WatchShape
from tests.store.world import room, settled, step, to
from tests.web.service import SECRET, FakeDaemon, calling, settings

pytestmark = pytest.mark.anyio

ORDER = {"source": "luma", "id": "g1"}


async def order(client: httpx.AsyncClient, **more: Any) -> httpx.Response:
    return await client.post("/v1/watches", json=ORDER | more)


def mistakes(response: httpx.Response) -> dict[str, str]:
    assert response.status_code == 422, response.text
    assert response.headers["content-type"] == "application/problem+json"
    return {error["path"]: error["message"] for error in response.json()["errors"]}


async def test_a_new_watch_is_201_and_in_the_store(
    client: httpx.AsyncClient, daemon: FakeDaemon
) -> None:
    response = await order(
        client,
        webhooks=["team"],
        until="processing",
        deadline="30m",
        metadata={"order": 2**70},
    )
    assert response.status_code == 201
    watch = WatchShape.model_validate_json(response.content)
    assert (watch.source, watch.id, watch.state, watch.sequence) == ("luma", "g1", None, -1)
    assert (watch.webhooks, watch.callbacks, watch.until) == (["team"], [], "dreaming")
    assert (watch.deadline_at - watch.created_at).total_seconds() == 1800
    assert response.json()["metadata"] == {"order": 2**70}
    kept = await daemon.store.watch(Generation("luma", "g1"))
    assert kept is not None
    assert kept.until is State.DREAMING


async def test_the_engine_begins_what_was_ordered(
    client: httpx.AsyncClient, daemon: FakeDaemon
) -> None:
    await order(client)
    (enlisted,) = daemon.enlisted
    assert [watch.generation.id for watch in enlisted.started] == ["g1"]


async def test_every_webhook_is_told_where_none_is_named(client: httpx.AsyncClient) -> None:
    assert (await order(client)).json()["webhooks"] == ["studio", "team"]


async def test_the_same_generation_again_is_200_and_united(
    client: httpx.AsyncClient,
) -> None:
    await order(
        client, webhooks=["studio"], metadata={"a": 1}, deadline="1h", until="queued"
    )
    again = await order(client, webhooks=["team"], metadata={"b": 2}, deadline="2h")
    assert again.status_code == 200
    watch = again.json()
    assert (watch["webhooks"], watch["metadata"]) == (["studio", "team"], {"b": 2})
    assert watch["until"] == "completed"
    assert watch["deadline_at"] == "2026-11-21T10:30:00Z"


async def test_a_watch_that_is_over_is_told_so(
    client: httpx.AsyncClient, daemon: FakeDaemon
) -> None:
    await order(client)
    watch = await daemon.store.watch(Generation("luma", "g1"))
    assert watch is not None
    await daemon.store.write([step(watch, State.COMPLETED, ended=True)], [])
    again = await order(client)
    assert again.status_code == 200
    assert (again.json()["active"], again.json()["state"]) == (False, "completed")


@pytest.mark.parametrize(
    "id_",
    [
        "a/b:c",
        "https://agents.lumalabs.ai/v1/generations/1?x=y",
        "%2F",
        "/",
        "a b",
        "é/ü",
        "..a",
        "?",
        "a//b",
    ],
)
async def test_an_id_may_hold_whatever_a_provider_makes_of_it(
    client: httpx.AsyncClient, id_: str
) -> None:
    assert (await order(client, id=id_)).status_code == 201
    path = f"/v1/watches/luma/{quote(id_, safe='')}"
    assert (await client.get(path)).json()["id"] == id_
    assert (await client.delete(path)).json()["ended"] == "unwatched"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"source": "clips", "id": "866168"}, "Kling's ids are FAMILY/TASK, such as"),
        (
            {"source": "clips", "id": "text2video//7"},
            "the generation's id holds an empty path segment",
        ),
        (
            {"id": "https://evil.example/CANARY?key=CANARY"},
            "a link as an id: the key is not sent to https://evil.example/…",
        ),
    ],
)
async def test_an_id_that_the_provider_can_never_ask_about_is_refused_at_the_door(
    changes: dict[str, str], said: str
) -> None:
    async with calling(FakeDaemon(sources=_with_kling())) as client:
        refused = await order(client, **changes)
        batch = {"watches": [ORDER, ORDER | changes]}
        several = await client.post("/v1/watches:batch", json=batch)
    assert mistakes(refused)["$.id"].startswith(said)
    assert several.status_code == 207
    assert [one["status"] for one in several.json()["results"]] == [201, 422]
    (error,) = several.json()["results"][1]["errors"]
    assert error["path"] == "$.watches[1].id"
    assert error["message"].startswith(said)
    assert "CANARY" not in refused.text + several.text


def _with_kling() -> dict[str, Source]:
    clips = Source(
        name="clips",
        provider_name="kling",
        provider=Kling(api_key="CANARY"),
        rate=Rate(per_second=5.0),
    )
    return {**settings().sources, "clips": clips}


async def test_a_watch_of_old_whose_id_no_longer_fits_is_shown_and_ended(
    client: httpx.AsyncClient, daemon: FakeDaemon
) -> None:
    one = "https://evil.example/7"
    known = Generation("luma", one)
    await daemon.store.register(
        [WatchWish(generation=known, origin=Origin.API, webhooks=())]
    )
    path = f"/v1/watches/luma/{quote(one, safe='')}"
    assert (await client.get(path)).json()["id"] == one
    assert (await client.delete(path)).json()["ended"] == "unwatched"


async def test_every_mistake_is_named_at_once_with_its_place(
    client: httpx.AsyncClient,
) -> None:
    document = {
        "id": "..",
        "until": "failed",
        "deadline": "5",
        "webhooks": ["studio", "nobody", 3],
        "callback_url": "http://10.0.0.1/hook",
        "secret": "CANARY",
        "metadata": [],
        "a key": 1,
    }
    response = await client.post("/v1/watches", json=document)
    found = mistakes(response)
    assert found["$.source"] == "missing"
    assert found["$.id"] == "the id holds a path segment `.` or `..`"
    assert "cannot wait for a failure" in found["$.until"]
    assert found["$.deadline"].startswith("expected a duration such as")
    assert found["$.webhooks[1]"] == "there is no such webhook; there is studio, team"
    assert found["$.webhooks[2]"] == "expected a text"
    assert "private address" in found["$.callback_url"]
    assert "network.allow" in found["$.callback_url"]
    assert found["$.secret"].startswith("a secret starts with whsec_")
    assert found["$.metadata"] == "expected an object"
    assert found["$['a key']"].startswith("unknown; there are source, id, webhooks")
    assert len(found) == 10
    assert response.json()["detail"] == "10 mistakes"
    assert "CANARY" not in response.text


@pytest.mark.parametrize(
    ("more", "path", "says"),
    [
        ({"source": "nobody"}, "$.source", "there is aiml, luma"),
        ({"id": ""}, "$.id", "is empty"),
        ({"id": "x" * 513}, "$.id", "more than 512"),
        ({"id": "a\u0000b"}, "$.id", "control character"),
        ({"id": 5}, "$.id", "expected a text"),
        ({"webhooks": []}, "$.webhooks", "nobody would be told"),
        ({"webhooks": ["team", "team"]}, "$.webhooks", "twice"),
        ({"webhooks": "team"}, "$.webhooks", "expected a list"),
        ({"secret": SECRET}, "$.secret", "belongs to a callback_url"),
        ({"deadline": "366d"}, "$.deadline", "between 1s and 365d"),
        ({"deadline": "9999999d"}, "$.deadline", "shorter than ten years"),
        ({"deadline": 5}, "$.deadline", "expected a text"),
        ({"until": "done"}, "$.until", "queued, dreaming"),
        ({"callback_url": "ftp://x"}, "$.callback_url", "https://"),
        ({"callback_url": "http://[::1]/"}, "$.callback_url", "loopback"),
        ({"callback_url": "http://2130706433/"}, "$.callback_url", "IPv4 address"),
        ({"metadata": {"a": "x" * 70000}}, "$.metadata", "at most 64 KiB"),
        ({"metadata": {"a": [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}},
         "$.metadata", "32 levels"),
    ],
)  # fmt: skip
async def test_a_wrong_order_is_refused_with_the_reason(
    client: httpx.AsyncClient,
    daemon: FakeDaemon,
    more: dict[str, Any],
    path: str,
    says: str,
) -> None:
    found = mistakes(await order(client, **more))
    assert list(found) == [path]
    assert says in found[path]
    assert not daemon.enlisted


async def test_loopback_may_be_called_where_the_configuration_opens_it_only_as_listed(
    client: httpx.AsyncClient,
) -> None:
    assert (await order(client, callback_url="http://127.0.0.1:9/x")).status_code == 201
    found = mistakes(await order(client, callback_url="http://127.0.0.2:9/x"))
    assert "loopback" in found["$.callback_url"]


@pytest.mark.parametrize("body", [[], 5, None, "text", {"watches": 1}])
async def test_whatever_is_no_order_is_refused(
    client: httpx.AsyncClient, body: Any
) -> None:
    content, kind = json.dumps(body), {"content-type": "application/json; charset=utf-8"}
    assert mistakes(await client.post("/v1/watches", content=content, headers=kind))


# ------------------------------------------------------------------------------ callbacks


async def test_a_callback_of_ones_own_is_the_only_one_told_unless_others_are_named(
    client: httpx.AsyncClient, daemon: FakeDaemon
) -> None:
    mine = await order(client, callback_url="https://caller.example/CANARY", secret=SECRET)
    assert mine.json()["webhooks"] == []
    assert mine.json()["callbacks"] == ["https://caller.example/…"]
    both = await order(
        client, callback_url="https://caller.example/CANARY", webhooks=["team"]
    )
    assert both.json()["webhooks"] == ["team"]
    assert len(both.json()["callbacks"]) == 2, "without the secret it is another webhook"
    assert len(daemon.lanes.opened) == 2


async def test_neither_the_secret_nor_the_path_of_a_callback_ever_comes_back(
    client: httpx.AsyncClient,
) -> None:
    url = "https://caller.example/CANARY?key=CANARY"
    texts = [(await order(client, callback_url=url, secret=SECRET)).text]
    paths = ("/v1/watches", "/v1/watches/luma/g1", "/v1/webhooks", "/v1/sources")
    texts += [(await client.get(path)).text for path in paths]
    texts.append((await client.delete("/v1/watches/luma/g1")).text)
    for text in texts:
        assert "CANARY" not in text
        assert SECRET not in text


async def test_the_lane_of_a_callback_stands_before_its_watch_runs(
    daemon: FakeDaemon,
) -> None:
    open_lanes: list[set[int]] = []

    async def enlist(_enlisted: object) -> None:
        open_lanes.append(set(daemon.lanes.opened))

    daemon.desk = Desk(daemon.store, daemon.callbacks, enlist)
    async with calling(daemon) as client:
        await order(client, callback_url="https://caller.example/x")
    watch = await daemon.store.watch(Generation("luma", "g1"))
    assert watch is not None
    assert open_lanes == [set(watch.webhooks)]


async def test_a_callback_that_was_switched_off_gets_another_chance(
    client: httpx.AsyncClient, daemon: FakeDaemon
) -> None:
    await order(client, callback_url="https://caller.example/x")
    (id_,) = daemon.lanes.opened
    state = WebhookState(id=id_, key="", condition=Condition.DISABLED, why="410 Gone")
    await daemon.store.set_webhook(state)
    daemon.lanes.off.add(id_)
    await order(client, callback_url="https://caller.example/x", metadata={"again": True})
    (found,) = await daemon.store.webhooks_by_id([id_])
    assert found.state.condition is Condition.ACTIVE
    assert daemon.lanes.sends_to(id_)


# ------------------------------------------------------------------------------ batches


async def test_a_batch_tells_of_each_order_what_became_of_it(
    client: httpx.AsyncClient,
) -> None:
    await order(client, id="known")
    response = await client.post(
        "/v1/watches:batch",
        json={
            "watches": [
                {"source": "luma", "id": "new"},
                {"source": "nobody", "id": ""},
                {"source": "luma", "id": "known"},
                {"source": "luma", "id": "new"},
                "x",
            ]
        },
    )
    assert response.status_code == 207
    batch = BatchShape.model_validate_json(response.content)
    assert [one.status for one in batch.results] == [201, 422, 200, 200, 422]
    assert (batch.begun, batch.changed, batch.refused) == (1, 2, 2)
    assert [one.path for one in batch.results[1].errors] == [
        "$.watches[1].source",
        "$.watches[1].id",
    ]
    assert batch.results[4].errors[0].path == "$.watches[4]"


async def test_a_whole_batch_is_one_transaction(
    client: httpx.AsyncClient, daemon: FakeDaemon
) -> None:
    watches = [{"source": "luma", "id": f"g{i}"} for i in range(1000)]
    response = await client.post("/v1/watches:batch", json={"watches": watches})
    assert response.status_code == 200
    assert response.json()["begun"] == 1000
    assert len(daemon.enlisted) == 1
    assert (await daemon.store.census()).watches == 1000


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ([], "$"),
        ({}, "$"),
        ({"watches": {}}, "$"),
        ({"watches": []}, "$.watches"),
        ({"watches": [{}] * 1001}, "$.watches"),
        ({"watches": [{}], "more": 1}, "$.more"),
    ],
)
async def test_what_is_no_batch_is_refused(
    client: httpx.AsyncClient, body: Any, path: str
) -> None:
    assert list(mistakes(await client.post("/v1/watches:batch", json=body))) == [path]


# ------------------------------------------------------------------------------ reading


async def test_pages_go_on_where_the_last_one_ended(client: httpx.AsyncClient) -> None:
    for number in range(5):
        await order(client, id=f"g{number}")
    found: list[str] = []
    query: dict[str, str] = {"limit": "2"}
    while True:
        response = await client.get("/v1/watches", params=query)
        page = WatchesShape.model_validate_json(response.content)
        found += [watch.id for watch in page.watches]
        if page.next is None:
            break
        query["cursor"] = page.next
    assert found == ["g4", "g3", "g2", "g1", "g0"]


async def test_watches_are_filtered(client: httpx.AsyncClient) -> None:
    await order(client)
    await order(client, source="aiml")
    await client.delete("/v1/watches/aiml/g1")

    async def sources(**query: str) -> list[str]:
        page = (await client.get("/v1/watches", params=query)).json()
        return [watch["source"] for watch in page["watches"]]

    assert await sources() == ["aiml", "luma"]
    assert await sources(source="luma") == ["luma"]
    assert await sources(active="false") == ["aiml"]
    assert await sources(active="true", state="queued") == []


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=1001", "limit=x", "cursor=-1", "cursor=99999999999999999999", "state=x",
     "active=maybe", "stat=queued", "source=", "source=%00"],
)  # fmt: skip
async def test_a_wrong_query_is_refused(client: httpx.AsyncClient, query: str) -> None:
    (path,) = mistakes(await client.get(f"/v1/watches?{query}"))
    assert path == "?" + query.partition("=")[0]


async def test_one_watch_comes_with_its_timeline(
    client: httpx.AsyncClient, daemon: FakeDaemon
) -> None:
    await order(client, webhooks=["studio"])
    store = daemon.store
    watch = await store.watch(Generation("luma", "g1"))
    assert watch is not None
    await store.write([step(watch, State.QUEUED, to(watch.webhooks[0], room=False))], [])
    (delivery,) = await store.claim_deliveries([room(watch.webhooks[0])])
    await store.write([], [settled(delivery, code=204)])
    response = await client.get("/v1/watches/luma/g1")
    shown = TimelineShape.model_validate_json(response.content)
    (event,) = shown.events
    assert (event.type, event.sequence) == ("generation.queued", 0)
    (told,) = event.deliveries
    assert (told.webhook, told.status, told.attempts, told.code) == (
        "studio",
        "delivered",
        1,
        204,
    )
    assert told.due_at is None


async def test_a_watch_says_how_its_last_looks_failed(
    client: httpx.AsyncClient, daemon: FakeDaemon
) -> None:
    await order(client)
    await order(client, id="g2")
    failed = InVain(reason="HTTP 500: busy", in_a_row=12)
    daemon.vain[Generation("luma", "g1")] = failed
    shown = {
        one: TimelineShape.model_validate_json(
            (await client.get(f"/v1/watches/luma/{one}")).content
        )
        for one in ("g1", "g2")
    }
    told = shown["g1"].in_vain
    assert told is not None
    assert (told.reason, told.in_a_row) == ("HTTP 500: busy", 12)
    assert shown["g2"].in_vain is None


async def test_a_timeline_says_what_is_held(
    client: httpx.AsyncClient, daemon: FakeDaemon
) -> None:
    await order(client, webhooks=["studio"])
    watch = await daemon.store.watch(Generation("luma", "g1"))
    assert watch is not None
    change = step(watch, State.QUEUED, to(watch.webhooks[0], room=False))
    await daemon.store.write([change], [])
    await client.post("/v1/webhooks/studio/pause")
    (event,) = (await client.get("/v1/watches/luma/g1")).json()["events"]
    (told,) = event["deliveries"]
    assert (told["status"], told["due_at"]) == ("held", None)


@pytest.mark.parametrize(
    "path", ["luma/none", "nobody/g1", "luma/a%00b", "lu%0Ama/x", "luma/x%2F..%2Fy"]
)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_what_was_never_watched_is_404(
    client: httpx.AsyncClient, method: str, path: str
) -> None:
    response = await client.request(method, f"/v1/watches/{path}")
    assert response.status_code == 404
    assert response.json()["detail"] == "this generation has never been watched"


async def test_ending_a_watch_twice_is_the_same_as_once(client: httpx.AsyncClient) -> None:
    await order(client)
    first = await client.delete("/v1/watches/luma/g1")
    assert (first.status_code, first.json()["active"]) == (200, False)
    assert (await client.delete("/v1/watches/luma/g1")).json() == first.json()


# ------------------------------------------------------------------------------ not now


async def test_nothing_is_promised_while_the_store_is_away(
    client: httpx.AsyncClient, daemon: FakeDaemon
) -> None:
    daemon.store.broken = StoreUnavailable("the disk is full")
    for response in (
        await order(client),
        await client.get("/v1/watches"),
        await client.get("/v1/watches/luma/g1"),
        await client.delete("/v1/watches/luma/g1"),
    ):
        assert response.status_code == 503
        assert response.headers["content-type"] == "application/problem+json"
        assert response.headers["retry-after"] == "1"
    daemon.store.broken = None
    assert (await order(client)).status_code == 201


@pytest.mark.parametrize("phase", ["starting", "stopping"])
async def test_nothing_is_ordered_before_the_start_or_after_the_end(
    client: httpx.AsyncClient, daemon: FakeDaemon, phase: str
) -> None:
    daemon.phase = phase
    response = await order(client)
    assert (response.status_code, response.json()["detail"]) == (
        503,
        f"genbridge is {phase}",
    )
    assert (await daemon.store.census()).watches == 0


async def test_a_webhook_that_a_reload_took_away_meanwhile_is_a_conflict(
    client: httpx.AsyncClient, daemon: FakeDaemon
) -> None:
    del daemon.ids["team"]
    assert (await order(client)).status_code == 409
