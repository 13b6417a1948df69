"""Footing: how the API of one source stands towards our key, and what each answer says of that."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bridge.core.looking import (
    Batch,
    Busy,
    Listing,
    Look,
    Missing,
    Observation,
    Reading,
    Refused,
    Rejected,
    Seen,
    Trouble,
    asked,
)
from bridge.core.pacing.mode import Mode
from bridge.core.pacing.outage import Outage
from bridge.core.pacing.refusal import Refusal, Whose
from bridge.core.pacing.rejection import Rejections
from bridge.core.pacing.report import Standing
from bridge.core.pacing.throttle import Throttle
from bridge.core.ports import Clock, Log
from bridge.core.settings import Source
from bridge.core.sharing.gate import Gate

MOST_SHAPES = 20
"""Shapes of answers that do not match which are told of one source: some never look alike."""


MOST_REASONS = 200_000
"""Generations whose last failed look is remembered: more than one process watches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """How the API stands towards us, since when, and why."""

    standing: Standing = Standing.WORKING
    since: datetime | None = None
    why: str = ""


class Footing:
    """Throttled, refused, away, or on good terms. Moments are monotonic seconds."""

    def __init__(self, source: Source, gate: Gate, *, clock: Clock, log: Log) -> None:
        self._source = source
        self._gate = gate
        self._clock = clock
        self._log = log
        self._throttle = Throttle(full=source.rate.per_second)
        self._outage = Outage()
        self._refusal = Refusal()
        self._rejections = Rejections()
        self._shapes: set[str] = set()
        self._vain: dict[str, str] = {}
        self._why = ""
        self.stand = Stand()
        self.rate = source.rate.per_second
        """Requests a second that the key may make, as far as throttling goes."""
        self.malformed = 0
        """Answers that could not be read."""

    # ---------------------------------------------------------------- what may be asked

    def opens(self, now: float) -> float | None:
        """Return the earliest moment of a look, not before `now`; None: when the probe is back."""
        by_key, by_source = self._refusal.opens(now), self._outage.opens(now)
        return None if by_key is None or by_source is None else max(by_key, by_source)

    def began(self) -> None:
        """Note that a look begins."""
        self._refusal.began()
        self._outage.began()

    @property
    def sound(self) -> bool:
        """Whether looks go out that are no probes."""
        return not self._refusal.refused and not self._outage.open

    def off(self, mode: Mode, now: float) -> bool:
        """Return whether batches, or lists, were rejected too often of late."""
        return self._rejections.off(mode, now)

    def tend(self, now: float) -> float:
        """Let the gate turn as fast as it may now; return how fast, in requests a second."""
        rate = self.rate = self._throttle.rate(now)
        self._gate.rate = rate * self._outage.share(now)
        self._settle(now)
        return rate

    # ---------------------------------------------------------------- what an answer says

    def heard(self, look: Look, reading: Reading, began: float, now: float) -> Whose | None:
        """Note what a look brought that began then; of a refusal, return whom it concerns."""
        if not isinstance(reading, Seen):
            self._note(look, reading.why)
        match reading:
            case Seen() | Missing():
                self._rejections.answered(_way(look))
                self._answered(look, began, now)
            case Trouble(seen=Observation()):
                self._answered(look, began, now)
            case Busy():
                self._busy(reading, began, now)
            case Refused():
                return self._refused(look, reading, began, now)
            case Rejected() | Trouble():
                self._troubled(look, reading, began, now)
        return None

    def _note(self, look: Look, why: str) -> None:
        if len(self._vain) >= MOST_REASONS:
            self._vain.clear()
        self._vain.update(dict.fromkeys(asked(look), why))

    def _answered(self, look: Look, began: float, now: float) -> None:
        self._throttle.answered(began)
        back = self._outage.answered(now)
        if self._refusal.answered(asked(look), began, now) or back:
            self._log.info("the source answers again", source=self._source.name)
            self.tend(now)

    def _busy(self, reading: Busy, began: float, now: float) -> None:
        """Pause the key, which asks less from then on."""
        self._outage.answered(now)
        self._refusal.unanswered()
        until = self._throttle.busy(began, now, reading.after)
        self._gate.shut(until)
        self._why = reading.why
        self.tend(now)
        self._log.warning(
            "the source is busy",
            source=self._source.name,
            reason=reading.why,
            wait_s=round(until - now, 3),
        )

    def _refused(self, look: Look, reading: Refused, began: float, now: float) -> Whose:
        ids = asked(look)
        known = self._refusal.refused
        self._outage.answered(now)
        whose = self._refusal.told(ids[0] if len(ids) == 1 else None, began, now)
        if self._refusal.refused and not known:
            self._why = reading.why
            self._log.error(
                "the source refuses the key", source=self._source.name, reason=reading.why
            )
        self._settle(now)
        return whose

    def _troubled(
        self, look: Look, reading: Rejected | Trouble, began: float, now: float
    ) -> None:
        if isinstance(reading, Rejected) and reading.unasked:
            self.unanswered()
            return
        self._refusal.unanswered()
        if isinstance(reading, Rejected):
            self._rejected(look, now)
        elif reading.malformed:
            self._malformed(reading)
        if self._outage.troubled(asked(look) or ("",), began, now):
            self._why = reading.why
            self._log.error(
                "the source is away", source=self._source.name, reason=reading.why
            )
        self.tend(now)

    def _malformed(self, reading: Trouble) -> None:
        """Count an answer that does not match; how it looks is said once, for a report."""
        self.malformed += 1
        if reading.shape and reading.shape not in self._shapes:
            if len(self._shapes) >= MOST_SHAPES:
                return
            self._shapes.add(reading.shape)
            self._log.warning(
                "an answer does not match",
                source=self._source.name,
                reason=reading.why,
                shape=reading.shape,
            )

    def _rejected(self, look: Look, now: float) -> None:
        way = _way(look)
        if way is not None and self._rejections.rejected(way, now):
            self._log.warning(
                "the source rejects a way of asking: without it for now",
                source=self._source.name,
                mode=str(way),
            )

    def unanswered(self) -> None:
        """Note a look that was given up, or said nothing of the key: another probe may go out."""
        self._refusal.unanswered()
        self._outage.unanswered()

    @property
    def probe_at(self) -> float:
        """When a key that is refused is tried again."""
        return self._refusal.next_at

    def forget(self, ids: Iterable[str]) -> None:
        """Forget generations that are no longer watched."""
        for one in ids:
            self._refusal.forget(one)
            self._vain.pop(one, None)

    # ---------------------------------------------------------------- for people

    def last(self, one: str) -> str | None:
        """Return why the last look that taught nothing of a generation did not, if any did not."""
        return self._vain.get(one)

    def _settle(self, now: float) -> None:
        standing = self._standing(now)
        if standing is not self.stand.standing:
            good = standing is Standing.WORKING
            self.stand = Stand(
                standing=standing,
                since=self._clock.now(),
                why="" if good else self._why,
            )

    def _standing(self, now: float) -> Standing:
        if self._refusal.refused:
            return Standing.REFUSED
        if self._outage.open:
            return Standing.AWAY
        full = self._throttle.rate(now) >= self._throttle.full
        busy = now < self._throttle.until or not full
        return Standing.BUSY if busy else Standing.WORKING


def _way(look: Look) -> Mode | None:
    """Return the way of asking that a provider may not know; a plain look it does."""
    match look:
        case Batch():
            return Mode.BATCH
        case Listing():
            return Mode.LIST
        case _:
            return None
