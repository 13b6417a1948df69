"""Faults: what becomes of an answer that goes wrong on its way."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from bridge.simulator.exchange import Manner, Reply
from bridge.simulator.switches import Fault

HUGE = 8 * 1024 * 1024
"""Bytes that a huge answer has at least."""

FAULTY_STATUS = {Fault.ERROR_500: 500, Fault.ERROR_503: 503, Fault.WRONG_KEY: 401}
"""Faults that are told in the vendor's own error envelope."""

_PAGE = (
    b"<!doctype html><html><head><title>Sign in</title></head>"
    b"<body><p>Please sign in to continue.</p></body></html>"
)


def spoilt(reply: Reply, fault: Fault) -> Reply:
    """Return the reply as the fault leaves it."""
    spoil = _SPOILERS.get(fault)
    return spoil(reply) if spoil else reply


def _html(reply: Reply) -> Reply:
    return replace(reply, status=200, headers=(("content-type", "text/html"),), body=_PAGE)


def _cut(reply: Reply) -> Reply:
    return replace(reply, body=reply.body[: len(reply.body) // 2])


def _huge(reply: Reply) -> Reply:
    return _edited(reply, lambda document: _extended(document, "padding", "x" * HUGE))


def _surrogates(reply: Reply) -> Reply:
    return _edited(reply, lambda document: _extended(document, "caption", "boat \ud83d"))


def _numbers_in_strings(reply: Reply) -> Reply:
    return _edited(reply, _stringly)


def _edited(reply: Reply, edit: Callable[[Any], Any]) -> Reply:
    """Return the reply with another document; what is no JSON, such as a file, stays."""
    try:
        document = json.loads(reply.body)
    except ValueError:
        return reply
    return replace(reply, body=json.dumps(edit(document)).encode())


def _extended(document: Any, name: str, text: str) -> Any:  # noqa: ANN401  (any JSON value)
    """Return the document with one more member; a list gets it in its first object."""
    if isinstance(document, list):
        return [_extended(item, name, text) for item in document[:1]] + document[1:]
    return {**document, name: text} if isinstance(document, dict) else document


def _stringly(value: Any) -> Any:  # noqa: ANN401  (any JSON value)
    if isinstance(value, dict):
        return {key: _stringly(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_stringly(item) for item in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value


_SPOILERS: Mapping[Fault, Callable[[Reply], Reply]] = {
    Fault.HTML: _html,
    Fault.CUT_JSON: _cut,
    Fault.RESET: lambda reply: replace(reply, manner=Manner.RESET),
    Fault.SILENCE: lambda reply: replace(reply, manner=Manner.SILENT),
    Fault.DRIP: lambda reply: replace(reply, manner=Manner.DRIP),
    Fault.HUGE: _huge,
    Fault.SURROGATES: _surrogates,
    Fault.NUMBERS_IN_STRINGS: _numbers_in_strings,
}
