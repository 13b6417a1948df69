"""The record: a mapping of the file with known keys, and how its fields are written."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bridge.config.scalars import Unfit
from bridge.config.tree import ListNode, MapNode

MOST_KEYS = 20_000
"""Keys of one record that are looked at, so that a hostile file is answered in bounded
time.
"""


class Record(BaseModel):
    """A mapping with known keys; it is read from a node of the tree and shows no values."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        arbitrary_types_allowed=True,
        protected_namespaces=(),
    )

    @model_validator(mode="before")
    @classmethod
    def _opened(cls, node: object) -> object:
        if isinstance(node, dict):
            return node
        if not isinstance(node, MapNode):
            what = "a list" if isinstance(node, ListNode) else "a single value"
            raise Unfit(f"expected keys and values, not {what}")
        if len(node.items) > MOST_KEYS:
            raise Unfit(f"more than {MOST_KEYS:,} keys")
        return node.items

    def __repr_args__(self) -> Any:  # noqa: ANN401  (pydantic's own signature)
        """Show no values: some are secret."""
        return ()


def written(default: str, about: str, **more: Any) -> Any:  # noqa: ANN401  (as pydantic)
    """Return a field whose default is written as in the file and read like it."""
    return Field(default=default, validate_default=True, description=about, **more)


def needed(about: str) -> Any:  # noqa: ANN401
    """Return a field that must be given."""
    return Field(description=about)


def maybe(about: str) -> Any:  # noqa: ANN401
    """Return a field that may be absent."""
    return Field(default=None, description=about)
