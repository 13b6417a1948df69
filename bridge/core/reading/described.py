"""A provider that is told whole by the description of its API."""

from dataclasses import dataclass, field

from bridge.core.looking import Abilities, Asking, Look
from bridge.core.reading.api import Api
from bridge.core.reading.conversation import converse


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What the files in `bridge/providers/` have in common; each says what its `api` is.

    Its fields, and those that a file adds, are the options in the YAML.
    """

    api_key: str = field(repr=False)
    base_url: str

    @property
    def api(self) -> Api:
        """The API that is asked."""
        raise NotImplementedError

    @property
    def abilities(self) -> Abilities:
        """What this API can do."""
        return self.api.abilities

    def ask(self, look: Look) -> Asking:
        """Yield the requests of a look, be sent the answers, return the reading."""
        return converse(self.api, look, base_url=self.base_url, key=self.api_key)
