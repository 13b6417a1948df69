"""Remarks: what people should know of a webhook beside its failures, each made once."""

from dataclasses import dataclass

from bridge.core.delivering.delivery import Particulars, Result
from bridge.core.delivering.diagnosis import ALIKE, stuck
from bridge.core.delivering.signing import RECOMMENDED_BODY
from bridge.core.network.exchange import Response
from bridge.core.network.skew import skew
from bridge.core.ports import Log
from bridge.core.settings import Webhook
from bridge.engine.courier import Brought

LOOK = 600.0
"""Seconds between two looks at a receiver's clock."""

SAID = 3600.0
"""Seconds until it is said again that the clock is wrong."""


@dataclass(slots=True)
class Remarked:
    """What is remarked of one webhook under its present settings.

    `first` is how its first attempts ended, None: that is known well enough. `clock_at` is the
    monotonic moment of the next look at its clock.
    """

    first: tuple[tuple[Result, str], ...] | None = ()
    large: bool = False
    clock_at: float = float("-inf")


class Remarks:
    """Makes remarks in the log."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def make(
        self,
        webhook: Webhook,
        remarked: Remarked,
        *,
        brought: Brought,
        told: Particulars,
        now: float,
    ) -> None:
        """Remark on what an attempt has shown."""
        if remarked.first is not None:
            self._first(webhook, remarked, remarked.first, told)
        if brought.size > RECOMMENDED_BODY and not remarked.large and webhook.keys:
            remarked.large = True
            self._log.warning(
                "a large message",
                webhook=webhook.name,
                bytes=brought.size,
                advice=f"receivers of signed messages expect {RECOMMENDED_BODY} bytes at "
                "most; `raw: false` makes them smaller",
            )
        if now >= remarked.clock_at and isinstance(brought.answer, Response):
            self._clock(webhook, remarked, brought.answer, now)

    def _first(
        self,
        webhook: Webhook,
        remarked: Remarked,
        first: tuple[tuple[Result, str], ...],
        told: Particulars,
    ) -> None:
        remarked.first = (*first, (told.result, told.reason))
        if len(remarked.first) < ALIKE:
            return
        if found := stuck(remarked.first):
            self._log.warning(
                "the first attempts end alike",
                webhook=webhook.name,
                reason=f"{found.means}; the last: {told.sentence}",
                advice=found.advice,
            )
        remarked.first = None

    def _clock(
        self, webhook: Webhook, remarked: Remarked, answer: Response, now: float
    ) -> None:
        ahead = skew(answer.headers, answer.received_at)
        remarked.clock_at = now + (LOOK if ahead is None else SAID)
        if ahead is not None:
            self._log.warning(
                "the receiver's clock is off",
                webhook=webhook.name,
                ahead_s=round(ahead.total_seconds()),
            )
