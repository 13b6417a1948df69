"""Discord and Telegram as far as posts and edits go: what stands in a channel now.

They answer as their documentation and their users tell. What they would refuse, or would call
somebody for, is kept in `faults`.
"""

import json
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeAlias
from urllib.parse import parse_qs, urlsplit

from bridge.core.network.exchange import Request, Response
from tests.fakes.clock import EPOCH

Document: TypeAlias = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Standing:
    """A message as it is shown now; `ids` are the webhook-ids of what it has told, in order."""

    document: Document
    ids: list[str]

    @property
    def title(self) -> str:
        """Its first line, without what tells the colour."""
        embeds = self.document.get("embeds") or []
        if embeds:
            title: str = embeds[0]["title"]
            return title
        text = self.document.get("content") or self.document.get("text")
        first: str = (text or self.document["caption"]).split("\n")[0]
        return first.lstrip("⚪🔵🟢🔴🟡 ")


@dataclass
class Chat:
    """What both have in common."""

    messages: dict[str, Standing] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    """The method and the last part of the path of every request, in order."""
    told: list[tuple[str, str]] = field(default_factory=list)
    """The webhook-id and the title of all that was taken, in order."""
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.numbers = count(1001)

    @property
    def titles(self) -> list[str]:
        """What stands there, the oldest message first."""
        return [message.title.split(":")[0] for message in self.messages.values()]

    def write(self, number: str, document: Document, id_: str) -> None:
        """Post a message or put another in its place."""
        message = self.messages.setdefault(number, Standing(document=document, ids=[]))
        message.document = document
        message.ids.append(id_)
        self.told.append((id_, message.title))

    def clear(self) -> None:
        """Delete everything, as a moderator does."""
        self.messages.clear()

    def take(self, request: Request) -> Response:
        """Answer a request."""
        parts = urlsplit(request.url)
        end = parts.path.rpartition("/")[2]
        self.asked.append((request.method, end))
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        headers = {name.lower(): value for name, value in request.headers}
        status, document = self.said(
            request.method, parts.path, query, json.loads(request.body), headers
        )
        body = json.dumps(document).encode()
        return Response(status=status, body=body, received_at=EPOCH)

    def said(
        self,
        method: str,
        path: str,
        query: Document,
        asked: Document,
        headers: Document,
    ) -> tuple[int, Document]:
        """Return a status and a document."""
        raise NotImplementedError

    def expect(self, well: object, fault: str) -> None:
        """Note a fault unless all is well."""
        if not well:
            self.faults.append(fault)


class Discord(Chat):
    """A webhook of a channel."""

    def said(
        self,
        method: str,
        path: str,
        query: Document,
        asked: Document,
        headers: Document,
    ) -> tuple[int, Document]:
        self.expect(asked.pop("allowed_mentions", 0) == {"parse": []}, "calls people")
        id_ = headers["webhook-id"]
        if method == "POST":
            self.expect(query.get("wait") == "true", "does not wait")
            asked.pop("flags", None)
            number = str(next(self.numbers))
            self.write(number, asked, id_)
            return 200, {"id": number}
        number = path.rpartition("/messages/")[2]
        self.expect(method == "PATCH" and "flags" not in asked, "no edit")
        if number not in self.messages:
            return 404, {"code": 10008, "message": "Unknown Message"}
        after = self.messages[number].document | asked
        # What is not named stays; what is named as nothing goes.
        self.write(number, {name: value for name, value in after.items() if value}, id_)
        return 200, {"id": number}


class Telegram(Chat):
    """A chat of a bot."""

    def said(
        self,
        method: str,
        path: str,
        query: Document,
        asked: Document,
        headers: Document,
    ) -> tuple[int, Document]:
        self.expect(method == "POST", "no call")
        call, id_ = path.rpartition("/")[2], headers["webhook-id"]
        self.expect("chat_id" in asked, "names no chat")
        shown = _shown(asked)
        if call.startswith("send"):
            number = str(next(self.numbers))
            self.write(number, shown, id_)
            return _done(number, shown)
        return self._edited(call, str(asked["message_id"]), shown, id_)

    def _edited(
        self, call: str, number: str, shown: Document, id_: str
    ) -> tuple[int, Document]:
        if number not in self.messages:
            return _refused("message to edit not found")
        before = self.messages[number].document
        has_file = "caption" in before
        if call == "editMessageText" and has_file:
            return _refused("there is no text in the message to edit")
        if call == "editMessageCaption" and not has_file:
            return _refused("there is no caption in the message to edit")
        after = before | shown
        if "caption" in shown:
            after.pop("text", None)
        if after == before:
            return _refused("message is not modified: specified new message content …")
        self.write(number, after, id_)
        return _done(number, after)


def _shown(asked: Document) -> Document:
    """Return what of a call is shown: a file, and the words."""
    media = asked.get("media")
    if isinstance(media, dict):
        return {media["type"]: media["media"], "caption": media["caption"]}
    names = ("video", "photo", "text", "caption")
    return {name: asked[name] for name in names if name in asked}


def _done(number: str, shown: Document) -> tuple[int, Document]:
    files: Document = {name: [{}] for name in ("video", "photo") if name in shown}
    return 200, {"ok": True, "result": {"message_id": int(number), **files}}


def _refused(why: str) -> tuple[int, Document]:
    return 400, {"ok": False, "error_code": 400, "description": f"Bad Request: {why}"}
