"""A mask over what must not be seen in a trial: keys, tokens, the queries of signed links."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Self
from urllib.parse import quote

from bridge.core.network.exchange import Headers, Request
from bridge.core.network.masking import MASK
from bridge.core.reading.minting import secrets_of

_SHOWN = frozenset({"accept", "content-type", "prefer"})
"""Headers whose value is no secret; all others may be one."""

_SECRET_NAME = re.compile(r"auth|key|token|secret|sig|passw|cookie", re.IGNORECASE)
_PARAMETER = re.compile(r"(?<=[?&])([^=&#]*)=([^&#]*)")
_LINK_QUERY = re.compile(r"(https?://[^\s?\"]*)\?[^\s\"]+", re.IGNORECASE)
_SHORTEST = 4
"""Characters of a secret that does not stand in a text by chance."""

_NO_SCHEME = 8
"""Characters of a word in a header that is more than `Bearer`."""

_LONGEST, _MOST, _DEEPEST = 120, 5, 12


@dataclass(frozen=True, slots=True)
class Mask:
    """Replaces secrets wherever they stand."""

    secrets: tuple[str, ...] = field(repr=False)

    @classmethod
    def of(cls, provider: Any, requests: Sequence[Request]) -> Self:  # noqa: ANN401  (any plugin)
        """Return the mask over a provider's own secrets, and over tokens made of them."""
        hidden = (getattr(provider, o.name) for o in fields(provider) if not o.repr)
        keys = [one for one in hidden if isinstance(one, str) and one]
        sent = (
            word
            for request in requests
            for name, value in request.headers
            if _SECRET_NAME.search(name)
            for word in value.split()
            if len(word) >= _NO_SCHEME
        )
        found = {part for key in keys for part in secrets_of(key, key)} | set(sent)
        encoded = {quote(one, safe="") for one in found}
        long = (one for one in found | encoded if len(one) >= _SHORTEST)
        return cls(tuple(sorted(long, key=len, reverse=True)))

    def text(self, text: str) -> str:
        """Return a text without secrets."""
        for secret in self.secrets:
            text = text.replace(secret, MASK)
        return text

    def url(self, url: str) -> str:
        """Return a URL without secrets, nor values of parameters that are named like one."""

        def masked(match: re.Match[str]) -> str:
            return f"{match[1]}={MASK if _SECRET_NAME.search(match[1]) else match[2]}"

        return _PARAMETER.sub(masked, self.text(url))

    def headers(self, headers: Headers) -> list[tuple[str, str]]:
        """Return headers, the values of all but a few masked."""
        return [(n, self.text(v) if n in _SHOWN else MASK) for n, v in headers]

    def value(self, value: Any) -> Any:  # noqa: ANN401  (any JSON)
        """Return JSON without secrets in its texts; what nests too deeply is left out."""
        return self._value(value, 200)

    def _value(self, value: Any, depth: int) -> Any:  # noqa: ANN401
        if isinstance(value, str):
            return self.text(value)
        if depth == 0 and isinstance(value, dict | list):
            return None
        if isinstance(value, dict):
            return {self.text(k): self._value(v, depth - 1) for k, v in value.items()}
        if isinstance(value, list):
            return [self._value(entry, depth - 1) for entry in value]
        return value


def shortened(value: Any, depth: int = _DEEPEST) -> Any:  # noqa: ANN401  (any JSON)
    """Return JSON as it can be looked over: long texts and lists are cut, links lose their query.

    A signed link opens for whoever has its query.
    """
    if isinstance(value, str):
        text = _LINK_QUERY.sub(rf"\1?{MASK}", value)
        return text if len(text) <= _LONGEST else text[:_LONGEST] + MASK
    if isinstance(value, dict | list) and depth == 0:
        return MASK
    if isinstance(value, dict):
        return {key: shortened(member, depth - 1) for key, member in value.items()}
    if isinstance(value, list):
        return _listed(value, depth)
    return value


def _listed(entries: Iterable[Any], depth: int) -> list[Any]:
    several = list(entries)
    shown = [shortened(entry, depth - 1) for entry in several[:_MOST]]
    more = len(several) - len(shown)
    return [*shown, f"{MASK} +{more} more"] if more else shown
