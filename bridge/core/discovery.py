"""Discovery: how far the rounds through a source's list have come."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """What outlives a restart of the rounds that find new generations.

    `since` is the moment of the first round: what is older was there before us. `anchor` are the
    newest ids of the last complete round, newest first. `updated_at`
    is the store's own: when this was set.
    """

    source: str
    since: datetime
    anchor: tuple[str, ...] = ()
    updated_at: datetime | None = None
