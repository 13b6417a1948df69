"""A provider that is told whole by the description of its API."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bridge.core.looking import Abilities, Asking, Look
from bridge.core.misfit import Misfit
from bridge.core.reading.api import Api
from bridge.core.reading.conversation import converse
from bridge.core.reading.ids import why_unasked

NO_LIST = "{provider} has no list to discover from"
"""Said of what never has one; `{provider}` stands for its name in the configuration."""


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

    @classmethod
    def mismatches(cls, written: Mapping[str, Any]) -> Iterator[Misfit]:  # noqa: ARG003  (for those that override it)
        """Yield what is wrong with options only in view of each other.

        `written` are those that were given, as JSON; what one of them says may be wrong by itself.
        """
        yield from ()

    @classmethod
    def unlisted(cls, written: Mapping[str, Any]) -> str | None:  # noqa: ARG003  (as above)
        """Return why there is nothing to discover from with such options; None: there may be."""
        api = getattr(cls, "api", None)
        return NO_LIST if isinstance(api, Api) and api.listing is None else None

    @property
    def abilities(self) -> Abilities:
        """What this API can do."""
        return self.api.abilities

    def fits(self, one: str) -> str | None:
        """Return why an id can never be asked about, as a sentence; None: it can."""
        api = self.api
        url = api.get.url
        return why_unasked(
            one,
            base_url=self.base_url,
            template=url if isinstance(url, str) else url(one),
            hosts=api.hosts,
        )

    def ask(self, look: Look) -> Asking:
        """Yield the requests of a look, be sent the answers, return the reading."""
        return converse(self.api, look, base_url=self.base_url, key=self.api_key)
