"""Luma's platform for agents: one GET per generation, links that a new GET renews."""

from dataclasses import dataclass, field
from datetime import timedelta

from bridge.core.ladder import State
from bridge.core.looking import Abilities, Asking, Look
from bridge.core.reading.asking import ask_for_one
from bridge.core.reading.dialect import Dialect
from bridge.core.reading.places import at
from bridge.core.reading.wordform import Words

_ABILITIES = Abilities(
    rate=10.0, floor=timedelta(seconds=2), promises_outputs=True, renews_links=True
)

# The vendor's own sample shows a queued generation with a failure and an output filled in.
_DIALECT = Dialect(
    words=Words.of(
        {
            State.QUEUED: ["queued"],
            State.DREAMING: ["processing"],
            State.COMPLETED: ["completed"],
            State.FAILED: ["failed"],
        }
    ),
    state=at("state"),
    outputs=at("output"),
    code=at("failure_code"),
    reason=at("failure_reason"),
    created_at=at("created_at"),
    life=timedelta(hours=1),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Asks agents.lumalabs.ai, which has neither batch, list, hold nor webhook."""

    api_key: str = field(repr=False)
    base_url: str = "https://agents.lumalabs.ai/v1"

    @property
    def abilities(self) -> Abilities:
        """What this API can do."""
        return _ABILITIES

    def ask(self, look: Look) -> Asking:
        """Ask about one generation."""
        return ask_for_one(
            look,
            _DIALECT,
            base_url=self.base_url,
            template="/generations/{id}",
            key=self.api_key,
        )
