"""A body of the user's own making: a Jinja template from the configuration file.

The file is trusted, what a provider answers is not, and a mistake in the file must not stop the
daemon: `_jinja.py` holds it in bounds. Nothing is escaped by itself: most bodies are JSON, where
HTML's entities would be wrong; the filters `json`, `markdown` and `slack` escape.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar

import msgspec

from bridge.core.card import Card, card
from bridge.core.delivering.acknowledgement import Acknowledgement, Unclear, Unconfirmed
from bridge.core.examples import GENERATIONS
from bridge.core.message import Message
from bridge.core.network.exchange import Response
from bridge.core.ports import Form, Limits, Rendered
from bridge.formats import _jinja

_JSON = "application/json"
_CONTENT_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+( *; *[\w-]+=[\w.\"-]+)*", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """Sends what a template makes of an event; of an event it makes nothing of, nothing.

    Raises ValueError for a template that does not make a body of every example.
    """

    template: str = field(
        metadata={"lines": "many", "example": '{"text": {{ summary | json }}}'}
    )
    content_type: str = _JSON

    MOST: ClassVar[Mapping[str, int]] = MappingProxyType(
        {"source": 64 * 1024, "result": 256 * 1024}
    )
    """Bytes of the template, and of what it makes."""

    def __post_init__(self) -> None:
        """Try it: what is wrong with a template is said when the configuration is read."""
        if _CONTENT_TYPE.fullmatch(self.content_type) is None:
            raise ValueError("content_type: expected one such as application/json")
        if len(self.template.encode()) > self.MOST["source"]:
            raise ValueError("template: larger than 64 KiB")
        for kind, message in GENERATIONS.items():
            try:
                self._body(message)
            except msgspec.DecodeError as error:
                why = f"no JSON (| json quotes a value): {error}"
                raise ValueError(f"template: of {kind} it makes {why}") from error
            except Exception as error:
                raise ValueError(f"template, for {kind}: {_jinja.said(error)}") from error

    @property
    def limits(self) -> Limits:
        """What a template may make; how many a second is up to the webhook."""
        return Limits(body=self.MOST["result"])

    @property
    def signed(self) -> bool:
        """The receiver can verify it."""
        return True

    def render(self, message: Message, form: Form = Form.FULL) -> Rendered | None:  # noqa: ARG002  (there is one form: the user's)
        """Return what the template makes, None: nothing but white space.

        An operational event that the template was not written for goes out as it is stored.
        """
        try:
            body = self._body(message)
        except Exception:
            if card(message).kind.startswith("generation."):
                raise
            return self._stored(message)
        headers = (("content-type", self.content_type),)
        return Rendered(body=body, headers=headers) if body.strip() else None

    def read(self, response: Response) -> Acknowledgement:
        """Return that the status decides; but of EventBridge, which hides errors in its 200."""
        if response.status == 200 and _FAILED.search(response.body):
            return Unconfirmed(why="EventBridge has taken none of it (FailedEntryCount)")
        return Unclear()

    def _body(self, message: Message) -> bytes:
        body = _jinja.made(self.template, _seen(message), self.MOST["result"])
        if self.content_type.startswith(_JSON) and body.strip():
            _ANY.decode(body)
        return body

    def _stored(self, message: Message) -> Rendered:
        if self.content_type.startswith(_JSON):
            return Rendered(body=message.body)
        text = card(message).summary.encode("utf-8", "replace")
        return Rendered(body=text, headers=(("content-type", self.content_type),))


_FAILED = re.compile(rb'"FailedEntryCount"\s*:\s*[1-9]')
_ANY = msgspec.json.Decoder()


# What a template sees


def _seen(message: Message) -> dict[str, Any]:
    """Return the names that a template may use."""
    shown = card(message)
    envelope = _envelope(message.body)
    return {
        "id": str(message.id),
        "type": envelope.get("type", ""),
        "timestamp": envelope.get("timestamp", ""),
        "data": envelope.get("data", {}),
        "title": shown.title,
        "summary": shown.summary,
        "colour": shown.colour,
        **_listed(shown),
    }


def _listed(shown: Card) -> dict[str, Any]:
    return {
        "facts": [{"name": name, "value": value} for name, value in shown.facts],
        "links": [{"label": link.label, "url": link.url} for link in shown.links],
    }


def _envelope(body: bytes) -> dict[str, Any]:
    try:
        found = _ANY.decode(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
