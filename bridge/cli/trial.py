"""A trial: one look at a generation, its questions and answers kept."""

from dataclasses import dataclass, replace
from datetime import timedelta

from bridge.cli.foreground import until_told
from bridge.core.askable import never
from bridge.core.looking import Look, Reading, Rejected, Trouble, asked
from bridge.core.network.addresses import Allow
from bridge.core.network.exchange import Answer, Request, Response
from bridge.core.ports import Provider
from bridge.http import Client
from bridge.telemetry.clock import SystemClock

_TIMEOUT = timedelta(seconds=30)
_LATER = timedelta(seconds=10)
"""How much longer than it may take a hold is waited for."""

_LIMIT = 4 * 1024 * 1024
"""Bytes of an answer that are read, as by the daemon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What was asked and answered, in order, and what the provider made of it."""

    calls: tuple[tuple[Request, Answer], ...]
    reading: Reading


def tried(provider: Provider, look: Look, *, allow: Allow) -> Trial:
    """Ask now; an interrupted trial says so, and what nobody may watch is not asked about."""
    unfit = next(filter(None, map(never(provider), asked(look))), None)
    if unfit is not None:
        return Trial(calls=(), reading=Rejected(why=unfit, unasked=True))
    calls: list[tuple[Request, Answer]] = []
    made: list[Reading] = []

    async def ask() -> None:
        clock = SystemClock()
        asking = provider.ask(replace(look, at=clock.now()))
        async with Client(allow=allow, clock=clock) as client:
            try:
                request = next(asking)
                while True:
                    answer = await client.send(
                        request, timeout=_patience(provider), limit=_LIMIT
                    )
                    calls.append((request, answer))
                    request = asking.send(_whole(answer))
            except StopIteration as done:
                made.append(done.value)

    until_told(ask)
    reading = made[0] if made else Trouble(why="interrupted")
    return Trial(calls=tuple(calls), reading=reading)


def _patience(provider: Provider) -> timedelta:
    hold = provider.abilities.hold
    return _TIMEOUT if hold is None else max(_TIMEOUT, hold + _LATER)


def _whole(answer: Answer) -> Answer:
    """Return an answer whose body was cut without any: half of it must not be read."""
    if isinstance(answer, Response) and answer.cut:
        return replace(answer, body=b"")
    return answer
