"""From what a look said to the change that is committed: the event and its words."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from bridge.core.change import Change, Recipient
from bridge.core.event import Event, envelope, event_id
from bridge.core.ladder import UNSEEN, State
from bridge.core.looking import Observation
from bridge.core.message import Message
from bridge.core.news import News, ending
from bridge.core.text.jsontext import raw_text
from bridge.core.watch import Watch

LOST = "lost"
STALLED = "stalled"


def advance(
    watch: Watch,
    observation: Observation,
    news: News,
    *,
    provider: str,
    now: datetime,
    recipients: Sequence[Recipient],
    eta: Mapping[str, datetime] | None = None,
) -> Change:
    """Return the change for a generation that climbed.

    `eta` is by when it will have gone on, with p50 and p90; nobody is told that of one at its end.
    """
    event = Event(
        tag=news.state.word,
        occurred_at=now,
        source=watch.generation.source,
        provider=provider,
        generation_id=watch.generation.id,
        state=news.state,
        native_state=observation.native_state,
        previous_state=_state(watch.rank),
        skipped_states=news.skipped,
        observed_at=observation.observed_at,
        created_at=observation.created_at,
        progress=observation.progress,
        eta=None if news.state.terminal else eta,
        outputs=observation.outputs,
        failure=observation.failure,
        metadata=watch.metadata,
        sequence=watch.seq + 1,
    )
    return Change(
        watch=watch,
        rank=news.state,
        native_state=observation.native_state,
        ended=ending(watch.until, news.state),
        tag=event.tag,
        message=_message(watch, event, raw_text(observation.raw, observation.raw_text)),
        recipients=tuple(recipients),
    )


def loss(
    watch: Watch,
    *,
    provider: str,
    now: datetime,
    seen_at: datetime | None,
    recipients: Sequence[Recipient],
) -> Change:
    """Return the change for a generation that is given up: its last state, and no more to come."""
    event = _silent(watch, LOST, provider=provider, now=now, seen_at=seen_at)
    return Change(
        watch=watch,
        rank=watch.rank,
        native_state=watch.native_state,
        ended=LOST,
        tag=LOST,
        message=_message(watch, event, None),
        recipients=tuple(recipients),
    )


def stall(
    watch: Watch,
    *,
    provider: str,
    now: datetime,
    seen_at: datetime | None,
    recipients: Sequence[Recipient],
) -> Change:
    """Return the change for a generation that stays in a state far longer than others did.

    It is still watched. What it is told under names the state, so it is told once in each.
    """
    event = _silent(watch, STALLED, provider=provider, now=now, seen_at=seen_at)
    tag = f"{STALLED}:{watch.rank}"
    return Change(
        watch=watch,
        rank=watch.rank,
        native_state=watch.native_state,
        ended=None,
        tag=tag,
        message=Message(id=event_id(watch.uid, tag), body=envelope(event)),
        recipients=tuple(recipients),
    )


def _silent(
    watch: Watch, tag: str, *, provider: str, now: datetime, seen_at: datetime | None
) -> Event:
    """Return an event that tells no new state; it was last seen at `seen_at`."""
    return Event(
        tag=tag,
        occurred_at=now,
        source=watch.generation.source,
        provider=provider,
        generation_id=watch.generation.id,
        state=_state(watch.rank),
        native_state=watch.native_state,
        previous_state=_state(watch.rank),
        observed_at=seen_at,
        metadata=watch.metadata,
        sequence=watch.seq + 1,
    )


def _state(rank: int) -> State | None:
    return None if rank == UNSEEN else State(rank)


def _message(watch: Watch, event: Event, raw: bytes | None) -> Message:
    return Message(id=event_id(watch.uid, event.tag), body=envelope(event), raw=raw)
