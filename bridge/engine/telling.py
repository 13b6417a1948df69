"""Telling: what was seen of a watch becomes a change, and is on the disk before it counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol, TypeAlias

from bridge.core import story
from bridge.core.change import Change, Recipient, Recorded
from bridge.core.looking import Observation
from bridge.core.news import News
from bridge.core.ports import Clock, Log
from bridge.core.settings import Source
from bridge.core.watch import Generation, Watch
from bridge.errors import StoreBroken, StoreError


class Recorder(Protocol):
    """Commits a change and says what became of it."""

    async def record(self, change: Change) -> Recorded:
        """Commit durably; waits while the store is away."""
        ...


class Audience(Protocol):
    """The webhooks, as a poller sees them."""

    def recipients(self, watch: Watch, tag: str) -> Sequence[Recipient]:
        """Return who is to be told of an event; room is reserved until `deliver`."""
        ...

    def wants_rungs(self, watch: Watch) -> bool:
        """Return whether anybody wants to hear of a state before the end."""
        ...

    def deliver(self, change: Change, recorded: Recorded) -> None:
        """Take over the deliveries that were born claimed, and free what was reserved."""
        ...


class Rereader(Protocol):
    """Reads a watch anew after a write of ours was refused."""

    async def watch(self, generation: Generation) -> Watch | None:
        """Return the watch as it stands; None: it is over."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """It is recorded; the watch goes on as `watch`, or is `over`."""

    watch: Watch
    over: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Stale:
    """Somebody has changed the watch since: it goes on as `watch`, None: it is over."""

    watch: Watch | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Vain:
    """It cannot be recorded, now or ever; the next look will bring it again."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """The store went away before it said how the watch stands."""


Eta: TypeAlias = Mapping[str, datetime]
"""By when a generation goes on, with p50 and p90."""

Telling: TypeAlias = Told | Stale | Vain | Unknown


class Teller:
    """Tells of the watches of one source."""

    def __init__(
        self,
        source: Source,
        *,
        recorder: Recorder,
        audience: Audience,
        rereader: Rereader,
        clock: Clock,
        log: Log,
    ) -> None:
        self._source = source
        self._recorder = recorder
        self._audience = audience
        self._rereader = rereader
        self._clock = clock
        self._log = log

    def wants_rungs(self, watch: Watch) -> bool:
        """Return whether anybody wants to hear of a state before the end."""
        return self._audience.wants_rungs(watch)

    async def advance(
        self, watch: Watch, seen: Observation, found: News, eta: Eta | None = None
    ) -> Telling:
        """Tell that a generation climbed."""
        try:
            change = story.advance(
                watch,
                seen,
                found,
                provider=self._source.provider_name,
                now=self._clock.now(),
                recipients=(),
                eta=eta,
            )
        except Exception as error:  # noqa: BLE001  (a provider is foreign code on foreign data)
            return Vain(why=f"cannot be told: {type(error).__name__}")
        return await self._tell(change)

    async def lose(self, watch: Watch, seen_at: datetime | None) -> Telling:
        """Tell that a generation is given up."""
        return await self._tell(
            story.loss(
                watch,
                provider=self._source.provider_name,
                now=self._clock.now(),
                seen_at=seen_at,
                recipients=(),
            )
        )

    async def stall(self, watch: Watch, seen_at: datetime | None) -> Telling:
        """Tell that a generation stays in its state far longer than others did."""
        return await self._tell(
            story.stall(
                watch,
                provider=self._source.provider_name,
                now=self._clock.now(),
                seen_at=seen_at,
                recipients=(),
            )
        )

    async def _tell(self, change: Change) -> Telling:
        recipients = self._audience.recipients(change.watch, change.tag)
        change = replace(change, recipients=tuple(recipients))
        recorded = await self._recorder.record(change)
        self._audience.deliver(change, recorded)
        return self._told(change) if recorded.accepted else await self._reread(change.watch)

    def _told(self, change: Change) -> Told:
        self._log.info(
            f"generation {change.tag.partition(':')[0]}",
            source=self._source.name,
            generation_id=change.watch.generation.id,
            native_state=change.native_state,
            sequence=change.seq,
        )
        watch = replace(
            change.watch,
            rank=change.rank,
            native_state=change.native_state,
            seq=change.seq,
        )
        return Told(watch=watch, over=change.ended is not None)

    async def _reread(self, known: Watch) -> Telling:
        """Read a watch anew: a write was refused, so somebody has changed it since."""
        try:
            watch = await self._rereader.watch(known.generation)
        except StoreBroken:
            raise
        except StoreError:
            return Unknown()
        if watch is not None and _same(watch, known):
            return Vain(why="the store refuses what was seen")
        return Stale(watch=watch)


def _same(one: Watch, other: Watch) -> bool:
    """Return whether nobody has changed a watch between two reads of it."""
    return (one.id, one.fence, one.seq) == (other.id, other.fence, other.seq)
