"""Metadata: what comes back in every event, as the JSON that a user means by the YAML."""

import re
from typing import TypeAlias

from bridge.config.scalars import Unfit, one_line
from bridge.config.tree import ListNode, MapNode, Node
from bridge.core.text.jsontext import encode

MOST_BYTES = 64 << 10
"""Every event carries it, so it must stay small."""

_LEAST = 2
"""Bytes that a value takes at least in JSON, its comma counted."""

Json: TypeAlias = "str | int | float | bool | dict[str, Json] | list[Json] | None"

_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,8})\.[0-9]{1,8}")
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}


def metadata(node: object) -> dict[str, Json]:
    """Return the JSON object that a mapping means.

    Without quotes, `1042` and `-0.5` are numbers, `true` and `false` booleans, `null`, `~`
    and nothing at all are null. Everything else is text as it is written: what stands in
    quotes, what came from a `${…}`, `0123`, `1e3`, `yes`, dates, and numbers that JSON
    readers would round. Raises Unfit for anything but a mapping, and above 64 KiB of JSON.
    """
    if not isinstance(node, MapNode):
        raise Unfit("expected keys and values, such as {order: 1042}")
    if _more(node, MOST_BYTES // _LEAST):
        raise Unfit(f"metadata has at most {MOST_BYTES >> 10} KiB")
    found = {
        one_line(key, "a key"): _json(node, n, value) for n, key, value in node.values()
    }
    if len(encode(found)) > MOST_BYTES:
        raise Unfit(f"metadata has at most {MOST_BYTES >> 10} KiB")
    return found


def _more(branch: MapNode | ListNode, many: int) -> bool:
    """Whether more than so many values stand in a branch; it is not walked further than that."""
    waiting = [branch]
    while waiting and many >= 0:
        values = waiting.pop().items
        many -= len(values)
        each = values.values() if isinstance(values, dict) else values
        waiting.extend(value for value in each if not isinstance(value, str))
    return many < 0


def _json(branch: MapNode | ListNode, number: int, value: Node) -> Json:
    if isinstance(value, str):
        return _scalar(value) if branch.plain(number) else value
    if isinstance(value, ListNode):
        return [_json(value, n, item) for n, _, item in value.values()]
    return {key: _json(value, n, item) for n, key, item in value.values()}


def _scalar(text: str) -> Json:
    if text in _WORDS:
        return _WORDS[text]
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text


def json_value(branch: MapNode | ListNode) -> Json:
    """Return the JSON that a branch means, read as metadata is."""
    if isinstance(branch, ListNode):
        return [_json(branch, n, item) for n, _, item in branch.values()]
    return json_members(branch)


def json_members(branch: MapNode) -> dict[str, Json]:
    """Return the JSON object that a mapping means, read as metadata is."""
    return {key: _json(branch, n, item) for n, key, item in branch.values()}
