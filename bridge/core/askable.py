"""Askable: whether a provider can ask about an id at all, told before anybody watches it."""

from collections.abc import Callable
from typing import TypeAlias

from bridge.core.ports import Selective

Never: TypeAlias = Callable[[str], str | None]
"""Returns why an id can never be asked about, as a sentence; None: it can, or may."""


def never(provider: object) -> Never:
    """Return what a provider knows of ids without a request; most questions are of many ids."""
    return provider.fits if isinstance(provider, Selective) else _any


def _any(_one: str) -> None:
    return None
