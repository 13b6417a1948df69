"""Posting: the callbacks of the simulated vendors go out, to this machine only."""

from ipaddress import ip_address
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import anyio
import anyio.abc
from aiohttp import ClientError, ClientSession, ClientTimeout

from bridge.simulator.clock import ScaledClock
from bridge.simulator.outbox import Callback

# dream-machine gives a receiver 5 s (documented); the others do not say.
_PATIENCE = ClientTimeout(total=5.0)


class Postman:
    """Posts callbacks at their time while its block is open; one that fails is not repeated."""

    def __init__(self, clock: ScaledClock) -> None:
        self._clock = clock
        self._tasks: anyio.abc.TaskGroup
        self._session: ClientSession

    async def __aenter__(self) -> Self:
        self._session = ClientSession(timeout=_PATIENCE)
        self._tasks = anyio.create_task_group()
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._tasks.cancel_scope.cancel()
        try:
            # An error of the block is not the group's, which would wrap it.
            await self._tasks.__aexit__(None, None, None)
        finally:
            with anyio.CancelScope(shield=True):
                await self._session.close()

    def take(self, callback: Callback) -> None:
        """See to a callback; what is meant for another machine is dropped."""
        if is_here(callback.url):
            self._tasks.start_soon(self._post, callback)

    async def _post(self, callback: Callback) -> None:
        await anyio.sleep(self._clock.left(callback.at))
        body, headers = callback.make()
        try:
            async with self._session.post(callback.url, data=body, headers=headers):
                pass
        except (ClientError, TimeoutError):
            # A receiver that is away misses it, as it would with the vendor.
            return


def is_here(url: str) -> bool:
    """Whether a URL leads to this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        return parts.scheme == "http" and (
            host == "localhost" or ip_address(host).is_loopback
        )
    except ValueError:
        return False
