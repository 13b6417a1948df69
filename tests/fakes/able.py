"""A provider with other abilities than its own: for tests of what an engine makes of them."""

from dataclasses import replace
from typing import Any

from bridge.core.looking import Abilities, Asking, Look
from bridge.core.ports import Provider


class Able:
    """Asks as another provider does, and says to be able of something else."""

    def __init__(self, provider: Provider, **changes: Any) -> None:
        self._provider = provider
        self.abilities: Abilities = replace(provider.abilities, **changes)

    def ask(self, look: Look) -> Asking:
        """Ask as the other one does."""
        return self._provider.ask(look)
