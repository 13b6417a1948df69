"""Several fakes behind one Http, told apart by the host of the URL."""

from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlsplit

import anyio.lowlevel

from bridge.core.network.exchange import Answer, Phase, Request, Unanswered
from bridge.core.network.way import DIRECT, Way
from bridge.core.ports import Http


class FakeNetwork:
    """An Http that hands each request to the Http of its host; other hosts do not resolve."""

    def __init__(self, hosts: Mapping[str, Http]) -> None:
        self.hosts = dict(hosts)

    async def send(
        self,
        request: Request,
        *,
        timeout: timedelta,  # noqa: ASYNC109  (the port's word)
        limit: int,
        way: Way = DIRECT,
    ) -> Answer:
        """Send by the host's Http."""
        http = self.hosts.get(urlsplit(request.url).hostname or "")
        if http is None:
            await anyio.lowlevel.checkpoint()
            return Unanswered(phase=Phase.RESOLVE, reason="no such host")
        return await http.send(request, timeout=timeout, limit=limit, way=way)
