"""The shape of a document: its keys and the types of its values, for people to report.

No value is in it. Keys may be secret, too: only what looks like the name of a field is shown.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from bridge.core.text.cutting import cut

LONGEST = 1_000
"""Characters of a shape."""

_DEEPEST, _MOST_KEYS, _MOST_ENTRIES, _MOST_VALUES = 6, 40, 5, 200
_MORE = "…"

_NAME = re.compile(r"(?!.*[A-Z]{9})[A-Za-z_@$][A-Za-z0-9_:]{0,31}", re.ASCII)
_WORD = re.compile(r"[A-Z]+[a-z]*|[a-z]+", re.ASCII)
_MOST_WORDS, _LONGEST_WORD, _MOST_DIGITS = 6, 16, 3
"""What a name has at most: ids, hashes and tokens have more of one of them."""


def shape(document: object, *, secrets: Sequence[str] = ()) -> str:
    """Return keys and types of a document, such as `{data: {task: text, urls: [text]}}`.

    `…` stands for keys that are no names or hold one of the `secrets`, and for whatever is beyond
    some depth and number.
    """
    sketch = _Sketch(secrets=tuple(filter(None, secrets)))
    return cut(sketch.of(document), LONGEST)


@dataclass(slots=True, kw_only=True)
class _Sketch:
    """A walk through a document that ends after so many values, however large it is."""

    secrets: Sequence[str] = field(repr=False)
    left: int = _MOST_VALUES

    def of(self, value: object, depth: int = 0) -> str:
        """Return the shape of a value that lies so deep."""
        self.left -= 1
        if isinstance(value, Mapping):
            return (
                "{"
                + ", ".join(self._inside(self._members(value, depth), value, depth))
                + "}"
            )
        if isinstance(value, list):
            return (
                "["
                + " | ".join(self._inside(self._entries(value, depth), value, depth))
                + "]"
            )
        return _type(value)

    def _inside(
        self,
        told: Iterator[str],
        value: Sequence[object] | Mapping[str, object],
        depth: int,
    ) -> dict[str, None]:
        """Return what a container holds, each shape once: ids as keys are many of the same."""
        if value and (depth >= _DEEPEST or self.left <= 0):
            return {_MORE: None}
        return dict.fromkeys(told)

    def _members(self, value: Mapping[str, object], depth: int) -> Iterator[str]:
        for key, member in islice(value.items(), _MOST_KEYS):
            if self.left <= 0:
                break
            yield f"{self._name(key)}: {self.of(member, depth + 1)}"
        else:
            if len(value) <= _MOST_KEYS:
                return
        yield _MORE

    def _entries(self, value: Sequence[object], depth: int) -> Iterator[str]:
        for entry in islice(value, _MOST_ENTRIES):
            if self.left <= 0:
                break
            yield self.of(entry, depth + 1)

    def _name(self, key: str) -> str:
        hidden = any(secret in key for secret in self.secrets)
        return _MORE if hidden or not _is_name(key) else key


def _type(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case _:
            return "text"


def _is_name(key: str) -> bool:
    if not _NAME.fullmatch(key):
        return False
    words = _WORD.findall(key)
    digits = sum(character.isdigit() for character in key)
    return (
        len(words) <= _MOST_WORDS
        and digits <= _MOST_DIGITS
        and all(len(word) <= _LONGEST_WORD for word in words)
    )
