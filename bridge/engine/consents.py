"""Consents: which receivers have agreed to our events, as far as their formats want it asked."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeAlias

import anyio

from bridge.core.network.exchange import Answer, Headers, Phase, Response, Unanswered
from bridge.core.ports import Clock, Consent, Greeter, Rendered
from bridge.core.settings import Webhook

VALID = timedelta(days=1).total_seconds()
"""Seconds until a consent is asked for again."""

Ask: TypeAlias = Callable[[Rendered], Awaitable[Answer]]
"""Sends the question."""


@dataclass(slots=True)
class _Known:
    """What is known of one webhook, under these very settings of it."""

    webhook: Webhook
    greeter: Greeter
    question: Rendered | None
    consent: Consent | None = None
    until: float = 0.0
    asking: anyio.Lock = field(default_factory=anyio.Lock)


class Consents:
    """Asks before the first delivery, and again after a day or a reload; a refusal is not kept."""

    def __init__(self, *, clock: Clock, origin: str) -> None:
        self._clock = clock
        self._origin = origin
        self._known: dict[str, _Known] = {}
        self._greets: dict[type, bool] = {}
        self.greeting: Headers = (("webhook-request-origin", origin),)
        """What deliveries carry to receivers that were asked."""

    def wanted(self, webhook: Webhook) -> bool:
        """Return whether the receivers of this webhook are asked at all."""
        # Remembered by its kind: `isinstance` of a Protocol costs 7 microseconds (measured).
        kind = type(webhook.format)
        greets = self._greets.get(kind)
        if greets is None:
            greets = self._greets[kind] = isinstance(webhook.format, Greeter)
        return greets and self._of(webhook).question is not None

    async def consent(self, webhook: Webhook, ask: Ask) -> Consent | Unanswered:
        """Return the receiver's consent, asking where it is not known; or why there is none."""
        known = self._of(webhook)
        async with known.asking:
            if known.consent is None or self._clock.monotonic() >= known.until:
                return await self._asked(known, ask)
            return known.consent

    def _of(self, webhook: Webhook) -> _Known:
        known = self._known.get(webhook.name)
        if known is None or known.webhook is not webhook:
            greeter = webhook.format
            assert isinstance(greeter, Greeter)  # noqa: S101  (`wanted` said so)
            rate = webhook.rate.per_second if webhook.rate else webhook.format.limits.rate
            known = _Known(webhook, greeter, _question(greeter, self._origin, rate))
            self._known[webhook.name] = known
        return known

    async def _asked(self, known: _Known, ask: Ask) -> Consent | Unanswered:
        assert known.question is not None  # noqa: S101  (`wanted` said so)
        answer = await ask(known.question)
        if not isinstance(answer, Response):
            return answer
        try:
            consent = known.greeter.consent(answer, self._origin)
        except Exception:  # noqa: BLE001  (a format is foreign code on foreign data)
            consent = Consent(granted=False, why="its answer could not be read")
        if not consent.granted:
            return _refused(answer, consent)
        known.consent, known.until = consent, self._clock.monotonic() + VALID
        return consent


def _question(greeter: Greeter, origin: str, rate: float | None) -> Rendered | None:
    try:
        return greeter.greet(origin, rate)
    except Exception:  # noqa: BLE001  (a format is foreign code; the delivery itself will tell)
        return None


def _refused(answer: Response, consent: Consent) -> Unanswered:
    why = consent.why or f"it answered {answer.status} to the question"
    return Unanswered(
        phase=Phase.CONSENT,
        reason=f"the receiver has not consented to our events: {why}",
        timings=answer.timings,
        peer=answer.peer,
    )
