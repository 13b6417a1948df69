"""The outbox: what the simulated vendors have yet to post."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

Headers: TypeAlias = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """A request that is to be posted at a monotonic moment; `make` gives its body and headers."""

    at: float
    url: str
    make: Callable[[], tuple[bytes, Headers]] = field(repr=False)
