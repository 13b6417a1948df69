"""An order: a watch as a caller of the API asks for it, checked and in words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from bridge.core.delivering.callback import Callback
from bridge.core.ladder import State
from bridge.core.listing import ListedWatch
from bridge.core.watch import Generation


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchOrder:
    """A watch that somebody orders; `webhooks` are names of the configuration."""

    generation: Generation
    webhooks: tuple[str, ...]
    callback: Callback | None = None
    until: State = State.COMPLETED
    deadline: timedelta = timedelta(hours=24)
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """The watch that an order has become; `begun`: nobody had watched the generation before."""

    watch: ListedWatch
    begun: bool
