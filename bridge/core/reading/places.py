"""Where a value stands in a document: small finders that hold for any JSON at all."""

from collections.abc import Callable
from typing import Any, TypeAlias

Find: TypeAlias = Callable[[Any], Any]
"""Returns what stands at a place, None where nothing does; never raises."""


def nothing(_: Any) -> None:  # noqa: ANN401  (any document)
    """Find nothing: the API has no such field."""


def at(path: str) -> Find:
    """Return a finder for a dotted path of keys: `at("assets.video")`."""
    keys = path.split(".")
    if len(keys) == 1:
        return lambda value: value.get(path) if isinstance(value, dict) else None

    def find(value: Any) -> Any:  # noqa: ANN401
        for key in keys:
            if not isinstance(value, dict):
                return None
            value = value.get(key)
        return value

    return find


def first(*paths: str, that: Callable[[Any], bool] | None = None) -> Find:
    """Return a finder for the first path whose value is there (or is `that`)."""
    finders = [at(path) for path in paths]
    usual = None if "." in paths[0] else paths[0]

    def find(value: Any) -> Any:  # noqa: ANN401
        # Nearly always it stands at the first path, for each of a hundred in a batch.
        found = value.get(usual) if usual and isinstance(value, dict) else None
        if (found and that is None) or (that is not None and that(found)):
            return found
        for finder in finders:
            found = finder(value)
            if (that or present)(found):
                return found
        return None

    return find


def present(value: object) -> bool:
    """Whether a value is there: not null, false, or an empty text, array or object."""
    return bool(value) or (isinstance(value, int | float) and not isinstance(value, bool))


def as_text(value: object) -> str | None:
    """Return an id or a code as text, an integer in digits; None for all else."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None


def objects(value: object) -> list[dict[str, Any]]:
    """Return the objects in a list, none where it is no list."""
    if not isinstance(value, list):
        return []
    return [entry for entry in value if isinstance(entry, dict)]
