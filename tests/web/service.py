"""A daemon for the API, made of the real desk over the store in memory, without an engine."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from ipaddress import ip_network
from itertools import count
from typing import Any
from uuid import UUID

import httpx

from bridge.core.delivering.callback import Callback, callback_name
from bridge.core.delivering.delivery import Condition, Result, WebhookState
from bridge.core.delivering.signing import read_key
from bridge.core.delivering.standing import Standing
from bridge.core.delivering.trial import Trial
from bridge.core.hints import hint_token
from bridge.core.listing import ListedWatch, ListedWebhook
from bridge.core.message import Message
from bridge.core.order import Ordered, WatchOrder
from bridge.core.pacing.report import InVain, SourceReport
from bridge.core.ports import Enlisted, Form
from bridge.core.replay import Preview, Replay, ReplayFilter
from bridge.core.settings import Rate, Server, Settings, Source, Webhook
from bridge.core.watch import Generation
from bridge.engine.calendar import Job
from bridge.engine.callbacks import Callbacks
from bridge.engine.desk import Desk
from bridge.formats.standard import Format
from bridge.providers.luma_agents import Provider
from bridge.store.memory import MemoryStore
from bridge.web.api import api
from tests.store.world import HandClock
from tests.web.ledger import Ledger

TOKEN = "a-token-of-the-tests"
SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
HOME = "http://127.0.0.1"


def settings(**changes: Any) -> Settings:
    sources = {
        name: Source(
            name=name,
            provider_name="luma-agents",
            provider=Provider(api_key="CANARY"),
            rate=Rate(per_second=10.0),
            hint_token=hint_token(name, "CANARY") if name == "luma" else None,
        )
        for name in ("luma", "aiml")
    }
    webhooks = {
        "studio": Webhook(
            name="studio",
            url="https://example.com/CANARY",
            keys=(read_key(SECRET),),
            format=Format(),
        ),
        "team": Webhook(name="team", url="https://example.org/CANARY", format=Format()),
    }
    whole: dict[str, Any] = {
        "path": "config.yaml",
        "database": "genbridge.db",
        "server": Server(token=TOKEN),
        "allow": (ip_network("127.0.0.1"),),
        "sources": sources,
        "webhooks": webhooks,
        "watches": (),
    }
    return Settings(**(whole | changes))


@dataclass
class Lanes:
    """The sender's lanes, as far as callers' webhooks go."""

    opened: dict[int, Webhook] = field(default_factory=dict)
    off: set[int] = field(default_factory=set)

    def add_lane(self, webhook: Webhook, state: WebhookState) -> None:
        self.opened[state.id] = webhook
        self.off.discard(state.id)

    def sends_to(self, webhook: int) -> bool:
        return webhook in self.opened and webhook not in self.off

    def drop_lane(self, webhook: int) -> None:
        del self.opened[webhook]


class FakeDaemon:
    """The service that the API serves; `refusal` is what a reload says."""

    def __init__(self, **changes: Any) -> None:
        numbers = count(1)
        self.settings = settings(**changes)
        self.clock = HandClock()
        self.store = MemoryStore(self.clock, lambda: UUID(int=next(numbers)))
        self.lists = self.store
        self.lanes = Lanes()
        self.callbacks = Callbacks(self.store, self.lanes, _webhook, clock=self.clock)
        self.desk = Desk(self.store, self.callbacks, self._enlist)
        self.ids: dict[str, int] = {}
        self.enlisted: list[Enlisted] = []
        self.phase: str | None = None
        self.refusal: str | None = None
        self.reloads = 0
        self.deliveries = Ledger()
        self.tried: list[tuple[int, Message, Form]] = []
        self.standings: dict[int, Standing] = {}
        self.gone: set[int] = set()
        self.stands: dict[str, SourceReport] = {}
        self.vain: dict[Generation, InVain] = {}
        self.hinted: list[tuple[str, bytes]] = []
        self.trial = Trial(
            method="POST",
            url="https://example.com/…",
            status=204,
            result=Result.DELIVERED,
            reason="accepted",
            sentence="accepted (204)",
        )

    async def open(self) -> None:
        states = await self.store.webhooks([f"name:{n}" for n in self.settings.webhooks])
        self.ids = {key.removeprefix("name:"): state.id for key, state in states.items()}

    async def _enlist(self, enlisted: Enlisted) -> None:
        self.enlisted.append(enlisted)

    def now(self) -> datetime:
        return self.clock.now()

    async def retry(self, delivery: int) -> bool:
        return await self.deliveries.retry(delivery)

    async def preview_replay(self, wanted: ReplayFilter) -> Preview:
        return await self.deliveries.preview_replay(wanted)

    async def replay(self, wanted: ReplayFilter) -> Replay:
        return await self.deliveries.replay(wanted)

    async def replays(self, *, limit: int) -> Sequence[Replay]:
        return await self.deliveries.replays(limit=limit)

    async def pause(self, webhook: int, why: str) -> None:
        await self._set(webhook, Condition.PAUSED, why)

    async def resume(self, webhook: int, *, since: datetime | None, discard: bool) -> int:
        await self._set(webhook, Condition.ACTIVE, None)
        if discard or since is not None:
            self.deliveries.discard(webhook, since)
        return self.deliveries.waiting(webhook)

    async def _set(self, webhook: int, condition: Condition, why: str | None) -> None:
        (listed,) = await self.store.webhooks_by_id([webhook])
        await self.store.set_webhook(replace(listed.state, condition=condition, why=why))

    async def test(self, webhook: int, *, message: Message, form: Form) -> Trial:
        if webhook in self.gone:
            raise LookupError(webhook)
        self.tried.append((webhook, message, form))
        return self.trial

    def standing(self, webhook: int) -> Standing | None:
        return self.standings.get(webhook)

    def readiness(self) -> Sequence[str]:
        return [] if self.phase is None else [self.phase]

    async def order(self, orders: Sequence[WatchOrder]) -> Sequence[Ordered]:
        return await self.desk.order(orders, self.ids)

    async def call_off(self, generation: Generation) -> ListedWatch | None:
        return await self.desk.call_off(generation)

    async def addressees(self, webhooks: Iterable[int]) -> Mapping[int, ListedWebhook]:
        wanted = set(webhooks)
        await self.callbacks.meet(wanted)
        found = {id_: self.callbacks.known(id_) for id_ in wanted}
        return {id_: one for id_, one in found.items() if one is not None}

    async def reload(self) -> str | None:
        self.reloads += 1
        return self.refusal

    def jobs(self) -> Sequence[Job]:
        return [Job(name="retention", every=timedelta(minutes=10), last_result="done")]

    def in_vain(self, generation: Generation) -> InVain | None:
        return self.vain.get(generation)

    def reports(self) -> Mapping[str, SourceReport]:
        return self.stands

    def hint(self, source: str, body: bytes) -> None:
        self.hinted.append((source, body))


def _webhook(callback: Callback, state: WebhookState) -> Webhook:
    return Webhook(name=callback_name(state.id), url=callback.url, format=Format())


@asynccontextmanager
async def calling(
    daemon: FakeDaemon, *, token: str | None = TOKEN, base_url: str = HOME
) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client of the API of a daemon."""
    await daemon.open()
    transport = httpx.ASGITransport(
        api(daemon, token=daemon.settings.server.token), raise_app_exceptions=False
    )
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(
        transport=transport, base_url=base_url, headers=headers
    ) as client:
        yield client
