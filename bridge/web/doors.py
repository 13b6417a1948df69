"""The doors of the daemon: health and hints at once, the API once somebody asks for it.

The API's libraries take longer to load than the daemon takes to start, and many a daemon is
never asked anything.
"""

from collections.abc import Callable

import anyio
from starlette.types import ASGIApp, Receive, Scope, Send

from bridge.core.hints import PREFIX as HINTS
from bridge.web.guard import PAGES
from bridge.web.health import application
from bridge.web.hints import hints
from bridge.web.service import Service

PREFIX = "/v1"


class Doors:
    """Serves everything that the daemon has to say over HTTP."""

    def __init__(
        self, health: ASGIApp, hints: ASGIApp, load: Callable[[], ASGIApp]
    ) -> None:
        self._health = health
        self._hints = hints
        self._load = load
        self._loading = anyio.Lock()
        self._api: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        path = scope.get("path", "")
        if path.startswith(PREFIX) or path in PAGES:
            application = self._api or await self._loaded()
        elif path.startswith(HINTS) and scope["type"] == "http":
            application = self._hints
        else:
            application = self._health
        await application(scope, receive, send)

    async def _loaded(self) -> ASGIApp:
        async with self._loading:
            if self._api is None:
                # In a thread, for the looks and deliveries under way go on meanwhile.
                self._api = await anyio.to_thread.run_sync(self._load)
        return self._api


def doors(service: Service) -> Doors:
    """Return the application that serves a daemon."""
    token = service.settings.server.token

    def load() -> ASGIApp:
        from bridge.web.api import api  # noqa: PLC0415  (see the first lines)

        return api(service, token=token)

    return Doors(application(readiness=service.readiness), hints(service), load)
