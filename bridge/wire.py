"""The wire: the HTTP client that everybody shares, replaced while they send."""

from datetime import timedelta

from bridge.core.network.addresses import Allow
from bridge.core.network.exchange import Answer, Phase, Request, Unanswered
from bridge.core.network.way import DIRECT, Way
from bridge.core.ports import Clock
from bridge.core.sharing.liveness import Fit
from bridge.http import Client


class Wire:
    """Sends under the guard that is in force; a pool opened under another one is closed."""

    def __init__(self, clock: Clock, fit: Fit) -> None:
        self._clock = clock
        self._fit = fit
        self._client: Client | None = None
        self._allow: Allow | None = None

    async def open(self, allow: Allow) -> None:
        """Let these networks be contacted from now on, and read PEM files that have changed."""
        if self._client is not None and allow == self._allow:
            await self._client.renew()
            return
        old, self._allow = self._client, allow
        self._client = await Client(allow=allow, clock=self._clock).__aenter__()
        if old is not None:
            await old.__aexit__(None, None, None)

    async def close(self) -> None:
        """Close the pool."""
        if self._client is not None:
            await self._client.__aexit__(None, None, None)

    async def send(
        self,
        request: Request,
        *,
        timeout: timedelta,  # noqa: ASYNC109  (the port's word)
        limit: int,
        way: Way = DIRECT,
    ) -> Answer:
        """Send, if this replica can show that it lives."""
        if not self._fit():
            return Unanswered(phase=Phase.LOCAL, reason="not sent: the database is away")
        assert self._client is not None  # noqa: S101  (opened before anybody is introduced)
        return await self._client.send(request, timeout=timeout, limit=limit, way=way)
