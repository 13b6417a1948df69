"""An engine with everything around it made of fakes: the way the tests of this room begin."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID

import anyio

from bridge.core.delivering.retry import RetryPolicy
from bridge.core.delivering.signing import read_key
from bridge.core.ladder import State
from bridge.core.settings import Rate, Source, Webhook
from bridge.core.watch import Generation, Origin, WatchWish
from bridge.engine.courier import Courier
from bridge.engine.poller import Poller
from bridge.engine.sender import Sender
from bridge.engine.supervisor import Supervisor
from bridge.engine.writer import Writer
from bridge.formats.standard import Format as Standard
from bridge.providers.aimlapi_luma import Provider as AimlapiLuma
from bridge.providers.dream_machine import Provider as DreamMachine
from bridge.providers.luma_agents import Provider as LumaAgents
from bridge.store.memory import MemoryStore
from tests.fakes.able import Able
from tests.fakes.clock import Dice, VirtualClock
from tests.fakes.network import FakeNetwork
from tests.fakes.receiver import FakeReceiver, Posted, Rule
from tests.fakes.upstream import FakeUpstream

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


@dataclass
class Lines:
    """A Log that keeps what was written."""

    lines: list[tuple[str, str, dict[str, object]]] = field(default_factory=list)

    def debug(self, event: str, /, **fields: object) -> None:
        self.lines.append(("debug", event, fields))

    def info(self, event: str, /, **fields: object) -> None:
        self.lines.append(("info", event, fields))

    def warning(self, event: str, /, **fields: object) -> None:
        self.lines.append(("warning", event, fields))

    def error(self, event: str, /, **fields: object) -> None:
        self.lines.append(("error", event, fields))

    def phrases(self, *levels: str) -> list[str]:
        return [event for level, event, _ in self.lines if level in levels]


def source(
    upstream: FakeUpstream,
    name: str = "aimlapi-luma",
    *,
    able: Mapping[str, Any] | None = None,
    **changes: Any,
) -> Source:
    """Return a source of a simulated API; `able` are abilities that it has instead of its own."""
    kinds: dict[str, type[Any]] = {
        "aimlapi-luma": AimlapiLuma,
        "luma-agents": LumaAgents,
        "dream-machine": DreamMachine,
    }
    provider = kinds[name](api_key="key", base_url=upstream.url(name))
    if able:
        provider = Able(provider, **able)
    settings: dict[str, Any] = {
        "rate": Rate(per_second=100.0),
        "max_connections": 200,
    } | changes
    return Source(name=name, provider_name=name, provider=provider, **settings)


def webhook(name: str = "studio", **changes: Any) -> Webhook:
    settings: dict[str, Any] = {
        "url": f"https://{name}.example/hook",
        "keys": (read_key(SECRET),),
        "format": Standard(),
    }
    return Webhook(name=name, **(settings | changes))


def every(seconds: float, *, times: int = 1000, jitter: float = 0.0) -> RetryPolicy:
    """A schedule for tests: so many retries, all equally far apart."""
    return RetryPolicy(schedule=(timedelta(seconds=seconds),) * times, jitter=jitter)


class Rig:
    """A whole engine under test; `receivers` by the name of their webhook."""

    def __init__(self, *, rules: dict[str, Rule] | None = None) -> None:
        self.clock = VirtualClock()
        self.log = Lines()
        self.wiring: dict[str, Any] = {}
        """What the sender is given beside the usual: slots, a purse, a renewer."""
        self.upstream = FakeUpstream(self.clock)
        self.receivers: dict[str, FakeReceiver] = {}
        for name, rule in (rules or {"studio": lambda _age, _request: 204}).items():
            self.receivers[name] = FakeReceiver(self.clock, rule)
        hosts = {f"{name}.example": r for name, r in self.receivers.items()}
        self.network = FakeNetwork({"upstream.example": self.upstream, **hosts})
        numbers = count(1)
        self._uid = lambda: UUID(int=next(numbers))
        self.store = MemoryStore(self.clock, self._uid)

    def restart(self) -> None:
        """Open the store anew on what the last run left."""
        self.store = MemoryStore(self.clock, self._uid, disk=self.store.disk)

    @property
    def receiver(self) -> FakeReceiver:
        return next(iter(self.receivers.values()))

    def told(self, id_: str, name: str | None = None) -> list[str]:
        """The states that a receiver has accepted of a generation, in order."""
        receiver = self.receivers[name] if name else self.receiver
        return [
            posted.document["type"].removeprefix("generation.")
            for posted in receiver.accepted
            if posted.document["data"]["generation_id"] == id_
        ]

    def posts(self, name: str | None = None) -> list[Posted]:
        return (self.receivers[name] if name else self.receiver).posted

    @asynccontextmanager
    async def engine(
        self, sources: Sequence[Source], webhooks: Sequence[Webhook]
    ) -> AsyncIterator["Engine"]:
        """Run an engine on this rig's store and network; leaving is a crash: nothing is drained."""
        writer = Writer(self.store, clock=self.clock, log=self.log)
        sender = Sender(
            outbox=self.store,
            settler=writer,
            courier=Courier(http=self.network, clock=self.clock, version="test"),
            clock=self.clock,
            chance=Dice(1),
            log=self.log,
            **self.wiring,
        )
        writer.on_written, writer.on_refused = sender.written, sender.refused
        supervisor = Supervisor(
            lambda source: Poller(
                source,
                http=self.network,
                recorder=writer,
                audience=sender,
                rereader=self.store,
                clock=self.clock,
                chance=Dice(2),
                log=self.log,
            )
        )
        states = await self.store.webhooks([f"name:{w.name}" for w in webhooks])
        sender.set_lanes((w, states[f"name:{w.name}"]) for w in webhooks)
        supervisor.set_sources({s.name: s for s in sources})
        ids = tuple(states[f"name:{w.name}"].id for w in webhooks)
        async with anyio.create_task_group() as tasks:
            for part in (writer, sender, supervisor):
                tasks.start_soon(part.run)
            while watches := await self.store.claim_watches(1000):
                supervisor.add(watches)
            yield Engine(self, writer, sender, supervisor, ids)
            tasks.cancel_scope.cancel()
            # A look that is being recorded is not interrupted: nobody will record it any more.
            writer.give_up()


@dataclass
class Engine:
    """A running engine."""

    rig: Rig
    writer: Writer
    sender: Sender
    supervisor: Supervisor
    webhooks: tuple[int, ...]

    async def watch(
        self,
        source: str,
        *ids: str,
        until: State = State.COMPLETED,
        deadline: timedelta = timedelta(hours=24),
        **metadata: Any,
    ) -> None:
        """Register watches for every webhook."""
        enlisted = await self.rig.store.register(
            [
                WatchWish(
                    generation=Generation(source, id_),
                    origin=Origin.API,
                    until=until,
                    webhooks=self.webhooks,
                    metadata=metadata,
                    deadline=deadline,
                )
                for id_ in ids
            ]
        )
        self.supervisor.drop(enlisted.ended)
        self.supervisor.add(enlisted.started)
        self.sender.woken(enlisted.woken)
