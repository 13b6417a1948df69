"""A provider of genbridge and the simulated API that it asks, on virtual time."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bridge.core.looking import Abilities, Get, Look, Observation, Reading, Seen
from bridge.core.network.exchange import Request, Response
from bridge.core.ports import Provider
from bridge.plugins import Plugins
from tests.fakes.clock import VirtualClock
from tests.fakes.upstream import FakeUpstream

PLUGINS = Plugins()
KEYS = {"kling": "access:secret"}
PATIENCE = timedelta(seconds=200)


def made(name: str, key: str, base_url: str) -> Provider:
    options = {"api_key": key, "base_url": base_url}
    provider: Provider = PLUGINS.load("provider", name)(**options)
    return provider


def able(name: str) -> Abilities:
    return made(name, KEYS.get(name, "key"), "https://upstream.example").abilities


class Meeting:
    """A provider and the simulated API that it asks."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.upstream = FakeUpstream(VirtualClock())
        key = KEYS.get(name, "key")
        self.upstream.switch(key=key)
        self.provider = made(name, key, self.upstream.url(name))

    @property
    def now(self) -> datetime:
        return self.upstream.clock.now()

    def add(self, script: Sequence[tuple[str, float | None]], age: float = 0.0) -> str:
        return self.upstream.add(self.name, script=script, age=age)

    async def look(self, look: Look) -> Reading:
        asking = self.provider.ask(look)
        try:
            request = next(asking)
            while True:
                request = asking.send(await self._sent(request))
        except StopIteration as end:
            reading: Reading = end.value
            return reading

    async def _sent(self, request: Request) -> Response:
        answer = await self.upstream.send(request, timeout=PATIENCE, limit=1 << 20)
        assert isinstance(answer, Response)
        return answer

    async def seen(self, id_: str) -> Observation:
        reading = await self.look(Get(id=id_, at=self.now))
        assert isinstance(reading, Seen), reading
        (observation,) = reading.observations
        return observation
