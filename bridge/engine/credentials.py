"""Credentials: keeps what shows receivers who we are, and fetches the tokens that run out."""

from dataclasses import dataclass, field
from datetime import timedelta

import anyio

from bridge.core.delivering.auth import Basic, Bearer, OAuth2
from bridge.core.delivering.token import Token, basic, bearer, question, read_token
from bridge.core.network.exchange import Headers, Response
from bridge.core.ports import Clock, Http
from bridge.core.settings import Webhook

ANSWER_LIMIT = 64 * 1024
"""Bytes of a token server's answer that are read."""


@dataclass(slots=True)
class _Held:
    """What is known of one webhook's token; moments are seconds on the monotonic clock."""

    auth: OAuth2
    headers: Headers = field(default=(), repr=False)
    until: float = float("-inf")
    refusal: str = ""
    refused_at: float = float("-inf")
    fetching: anyio.Lock = field(default_factory=anyio.Lock)

    def good(self, now: float) -> bool:
        """Whether the token may be used at a moment."""
        return bool(self.headers) and now < self.until


class Credentials:
    """Headers for each webhook with `auth`. One token is fetched at a time for each."""

    def __init__(self, *, http: Http, clock: Clock, version: str) -> None:
        self._http = http
        self._clock = clock
        self._agent = f"genbridge/{version}"
        self._held: dict[str, _Held] = {}

    async def headers(self, webhook: Webhook, *, until: float) -> Headers | str:
        """Return the headers, before the moment `until`; or why there are none, in a sentence.

        The sentence holds no secret.
        """
        match webhook.auth:
            case None:
                return ()
            case Basic(username=username, password=password):
                return basic(username, password)
            case Bearer(token=token):
                return bearer(token)
            case OAuth2() as auth:
                return await self._token(webhook, self._of(webhook.name, auth), until)

    def refused(self, webhook: Webhook, headers: Headers) -> bool:
        """Forget a token that the receiver answered with 401; return whether another may help."""
        held = self._held.get(webhook.name)
        if held is None or not isinstance(webhook.auth, OAuth2):
            return False
        # Of many attempts with the same token only the first to come back forgets it.
        if held.headers is headers:
            held.headers = ()
        return True

    def _of(self, name: str, auth: OAuth2) -> _Held:
        held = self._held.get(name)
        if held is None or held.auth != auth:
            held = self._held[name] = _Held(auth)
        return held

    async def _token(self, webhook: Webhook, held: _Held, until: float) -> Headers | str:
        asked_at = self._clock.monotonic()
        if held.good(asked_at):
            return held.headers
        with anyio.CancelScope(deadline=until):
            async with held.fetching:
                # Meanwhile another attempt may have fetched one, or heard why there is none.
                if not held.good(self._clock.monotonic()) and held.refused_at < asked_at:
                    await self._fetch(webhook, held, until)
                return held.headers or held.refusal
        return "no token: the token server took too long"

    async def _fetch(self, webhook: Webhook, held: _Held, until: float) -> None:
        now = self._clock.monotonic()
        answer = await self._http.send(
            question(held.auth, agent=self._agent),
            timeout=timedelta(seconds=max(0.0, until - now)),
            limit=ANSWER_LIMIT,
            way=webhook.way,
        )
        token = read_token(answer)
        if isinstance(answer, Response) and answer.cut:
            token = "no token: the token server's answer broke off or was too long"  # noqa: S105  (a sentence)
        if isinstance(token, Token):
            held.headers, held.until = bearer(token.text), now + token.lasts
        else:
            held.headers, held.refusal = (), token
            held.refused_at = self._clock.monotonic()
