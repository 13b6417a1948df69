"""One conversation with the API of a source: let through by its rate, carried out, read."""

from dataclasses import dataclass, replace
from datetime import timedelta

import anyio

from bridge.core.looking import Look, Reading, Rejected, Trouble
from bridge.core.network.exchange import Answer, Response
from bridge.core.pacing.holding import is_cut
from bridge.core.pacing.offset import Offset
from bridge.core.ports import Clock, Http, Provider
from bridge.core.sharing.gate import Gate
from bridge.engine.meter import Meter

PLAIN_TIMEOUT = timedelta(seconds=30)
"""How long a plain look may take."""

ANSWER_LIMIT = 4 * 1024 * 1024
"""Bytes of a provider's answer that are read."""

BURST = 0.02
"""Seconds of the rate that may be asked for ahead of time, to make up for a loop that wakes late.

Any second then holds at most 1.02·R + 1 starts: at 98 % of a limit that counts exactly, never more
than the limit.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a conversation brought; `cut`: its last answer is what a proxy makes of a long one."""

    reading: Reading
    cut: bool = False


class Looker:
    """Asks the provider's questions. Moments are seconds on the monotonic clock."""

    def __init__(
        self, provider: Provider, *, http: Http, clock: Clock, rate: float, meter: Meter
    ) -> None:
        self._provider = provider
        self._http = http
        self._clock = clock
        self._meter = meter
        self.paying = False
        """Whether the next starts are being paid for."""
        self.gate = Gate(rate=rate, burst=BURST)
        self.offset = Offset()
        """How far the provider's clock is ahead of ours."""

    # ---------------------------------------------------------------- the rate

    def opens(self, now: float) -> float | None:
        """Return the earliest moment, not before `now`, of a start; None: `pay` first."""
        return self._meter.opens(self.gate.opens(now))

    def take(self, at: float) -> None:
        """Note a start at a moment that `opens` gave."""
        self.gate.take(at)
        self._meter.take(at)

    async def pay(self) -> None:
        """Pay for the next starts: other replicas look at the same account."""
        try:
            await self._meter.pay()
        finally:
            self.paying = False

    async def turn(self) -> None:
        """Take the next start that is free, and wait until it is there."""
        now = self._clock.monotonic()
        while (at := self.opens(now)) is None:
            await self._meter.pay()
            now = self._clock.monotonic()
        # Taken before the wait: whoever comes later gets a later one.
        self.take(at)
        if at > now:
            await anyio.sleep_until(at)

    # ---------------------------------------------------------------- one conversation

    async def converse(self, look: Look, timeout: timedelta = PLAIN_TIMEOUT) -> Heard:  # noqa: ASYNC109  (of each request)
        """Carry the provider's requests to the API and its answers back.

        The first of them was let through by the rate; those that follow wait for it here.
        """
        asking = self._provider.ask(replace(look, at=self._clock.now()))
        cut, unasked = False, True
        try:
            request = next(asking)
            unasked = False
            while True:
                sent = self._clock.now()
                answer = await self._http.send(request, timeout=timeout, limit=ANSWER_LIMIT)
                cut = is_cut(answer)
                if isinstance(answer, Response):
                    self.offset.note(answer.headers, sent, answer.received_at)
                request = asking.send(_whole(answer))
                await self.turn()
        except StopIteration as done:
            return Heard(reading=_told(done.value, unasked=unasked), cut=cut)
        except Exception as error:  # noqa: BLE001  (a provider is foreign code on foreign data)
            why = f"cannot be read: {type(error).__name__}"
            return Heard(reading=Trouble(why=why, malformed=True), cut=cut)
        finally:
            asking.close()


def _told(reading: Reading, *, unasked: bool) -> Reading:
    if unasked and isinstance(reading, Rejected):
        return replace(reading, unasked=True)
    return reading


def _whole(answer: Answer) -> Answer:
    """Return an answer whose body was cut without any: half of it must not be read."""
    if isinstance(answer, Response) and answer.cut:
        return replace(answer, body=b"")
    return answer
