"""What each receiver takes and reads as markup, as far as RECEIVERS, section 1.3, tells.

A rule is given what was rendered and fails where that receiver would refuse it, or would see a
mention, a link or other markup that is not ours.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from jsonschema import Draft6Validator
from slack_sdk.models.blocks import Block

from bridge.core.ports import Rendered
from bridge.core.text.cutting import utf16

Rule = Callable[[Rendered], None]

UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def texts(value: object) -> Iterator[str]:
    """Yield every text in a document, those of keys such as `type` apart."""
    if isinstance(value, str):
        yield value
    for key, below in value.items() if isinstance(value, dict) else ():
        if key != "type":
            yield from texts(below)
    for below in value if isinstance(value, list) else ():
        yield from texts(below)


def follow(rendered: Rendered, name: str) -> None:
    """Check what holds for all, and what this receiver asks for."""
    for header, value in rendered.headers:
        assert re.fullmatch(r"[a-z0-9-]+", header)
        assert re.fullmatch(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?", value)
    assert re.fullmatch(r"[A-Z]+", rendered.method)
    assert re.fullmatch(r"[\x21-\x7e]*", rendered.path + rendered.query)
    RULES.get(name, _nothing)(rendered)


def _nothing(rendered: Rendered) -> None:
    json.loads(rendered.body)


# Slack

LINK = re.compile(r"<(https?://[^|<>\s]+)(?:\|[^|<>]*)?>")
DATE = re.compile(
    r"<!date\^-?\d+\^\{date_short_pretty\} \{time\}\|\d{4}-\d\d-\d\d \d\d:\d\d UTC>"
)


def slack(rendered: Rendered) -> None:
    assert rendered.body.isascii()
    document = json.loads(rendered.body)
    blocks = document.get("blocks", [])
    assert len(blocks) <= 50
    for block in blocks:
        _block(block)
    for parsed in Block.parse_all(blocks):
        parsed.validate_json()
    assert sum(map(utf16, texts(document))) <= 12_000
    assert document["text"].strip()
    assert utf16(LINK.sub("", document["text"])) <= 502
    assert document["unfurl_links"] is False
    for text in [document["text"], *_mrkdwn(blocks)]:
        _harmless_in_slack(text)


def _block(block: dict[str, Any]) -> None:
    """Check what slack_sdk leaves out: lengths in UTF-16 units, empty texts, addresses."""
    match block["type"]:
        case "header":
            assert 1 <= utf16(block["text"]["text"]) <= 150
            assert block["text"]["type"] == "plain_text"
        case "section":
            fields = block.get("fields", [])
            assert len(fields) <= 10
            assert all(1 <= utf16(field["text"]) <= 2000 for field in fields)
            assert all(field["type"] == "plain_text" for field in fields)
            assert not any(field["emoji"] for field in fields)
            if "text" in block:
                assert block["text"]["verbatim"] is True
                assert 1 <= utf16(block["text"]["text"]) <= 3000
            assert fields or "text" in block
        case "image":
            assert re.fullmatch(r"https?://[^\s<>]{1,2990}", block["image_url"])
            assert 1 <= utf16(block["alt_text"]) <= 2000
        case "context":
            assert 1 <= len(block["elements"]) <= 10
            assert all(1 <= utf16(e["text"]) <= 3000 for e in block["elements"])
        case other:
            raise AssertionError(f"a block of type {other}")


def _mrkdwn(value: object) -> list[str]:
    """Return the texts that Slack reads as mrkdwn."""
    if isinstance(value, dict):
        own = [value["text"]] if value.get("type") == "mrkdwn" else []
        return own + [text for below in value.values() for text in _mrkdwn(below)]
    return [t for v in value for t in _mrkdwn(v)] if isinstance(value, list) else []


def _harmless_in_slack(text: str) -> None:
    """Check that a mrkdwn text has links and dates of ours alone, and calls nobody."""
    rest = DATE.sub("", LINK.sub("", text))
    assert "<" not in rest
    assert ">" not in rest
    assert not re.search(r"&(?!(amp|lt|gt);)", text)
    assert not re.search("@[^\u200b]", rest)


# Discord

_DISCORD = {"title": 256, "description": 4096}


def discord(rendered: Rendered) -> None:
    assert (rendered.method, rendered.path, rendered.query) == ("POST", "", "wait=true")
    document = json.loads(rendered.body)
    assert document["allowed_mentions"] == {"parse": []}
    assert document.get("flags", 4096) == 4096
    content, embeds = document.get("content", ""), document.get("embeds", [])
    assert utf16(content) <= 2000
    assert content.strip() or embeds
    _harmless_in_discord(re.sub(r"(^|(?<=, ))https?://\S+$", "", content))
    for embed in embeds:
        _embed(embed)
    assert sum(map(_length, embeds)) <= 6000


def _length(embed: dict[str, Any]) -> int:
    parts = [embed["title"], embed.get("description", ""), embed["footer"]["text"]]
    parts += [part for f in embed["fields"] for part in (f["name"], f["value"])]
    return sum(map(utf16, parts))


def _embed(embed: dict[str, Any]) -> None:
    assert 1 <= utf16(embed["title"].strip()) <= 256
    assert 1 <= utf16(embed["footer"]["text"]) <= 2048
    assert 0 <= embed["color"] <= 0xFFFFFF
    assert len(embed["fields"]) <= 25
    _harmless_in_discord(embed["title"])
    for field in embed["fields"]:
        assert 1 <= utf16(field["name"].strip()) <= 256
        assert 1 <= utf16(field["value"].strip()) <= 1024
        _harmless_in_discord(field["name"])
        _harmless_in_discord(field["value"])
    if "image" in embed:
        assert re.fullmatch(r"https?://[^\s<>]{1,2040}", embed["image"]["url"])
    if "description" in embed:
        _description(embed["description"])


_OUR_LINK = re.compile(r"\[((?:\\[^0-9A-Za-z\s]|[^\\\[\]])+)\]\((https?://[^\s<>()]+)\)")
_OUR_DATE = re.compile(r"Links expire <t:-?\d+:f>")


def _description(text: str) -> None:
    assert 1 <= utf16(text) <= 4096
    for line in text.split("\n"):
        linked = _OUR_LINK.fullmatch(line)
        if linked:
            _harmless_in_discord(linked[1])
        elif not _OUR_DATE.fullmatch(line):
            _harmless_in_discord(line)


_ESCAPED = re.compile(r"\\[^0-9A-Za-z\s]")


def _harmless_in_discord(text: str) -> None:
    rest = _ESCAPED.sub("x", text)
    assert not re.search(r"[\\*_~`|>#\[\]<]|://", rest)
    assert not re.search("@(?!\u200b)", rest)
    assert not re.search(r"^\s*([-+]|\d+\.)", rest, re.MULTILINE)


# Teams


def teams(rendered: Rendered) -> None:
    assert len(rendered.body) <= 20_000
    document = json.loads(rendered.body)
    (attachment,) = document["attachments"]
    assert (document["type"], attachment["contentUrl"]) == ("message", None)
    card = attachment["content"]
    assert card["version"] == "1.4"
    assert card["fallbackText"].strip()
    _adaptive(card)
    for element in card["body"]:
        _element(element)
    for action in card.get("actions", []):
        assert re.fullmatch(r"https?://[^\s<>]+", action["url"])
        assert action["title"].strip()


@cache
def _schema() -> Draft6Validator:
    text = files("adaptive_cards").joinpath("schemas/schema-1.4.json").read_text()
    return Draft6Validator(json.loads(text))


def _adaptive(card: dict[str, Any]) -> None:
    """Check the card by the published schema of its version, which knows no `msteams`."""
    plain = {key: value for key, value in card.items() if key not in ("msteams", "$schema")}
    _schema().validate(plain)


_MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
_FUNCTION = re.compile(
    rf"\{{\{{DATE\({_MOMENT}, SHORT\)\}}\}}|\{{\{{TIME\({_MOMENT}\)\}}\}}"
)


def _element(element: dict[str, Any]) -> None:
    match element["type"]:
        case "TextBlock":
            _harmless_in_teams(element["text"])
        case "FactSet":
            for fact in element["facts"]:
                _harmless_in_teams(fact["title"])
                _harmless_in_teams(fact["value"])
        case "RichTextBlock":
            assert all(run["type"] == "TextRun" for run in element["inlines"])
            assert all(run["text"].strip() for run in element["inlines"])
        case "Image":
            assert re.fullmatch(r"https?://[^\s<>]{1,2040}", element["url"])
            assert element["altText"].strip()
        case other:
            raise AssertionError(f"an element of type {other}")


def _harmless_in_teams(text: str) -> None:
    assert text.strip()
    assert "\n" not in text
    rest = _ESCAPED.sub("x", _FUNCTION.sub("", text))
    assert not re.search(r"[\\`*_{}\[\]#<>&|~!]|://", rest)
    assert not re.search("@(?!\u200b)", rest)
    assert not re.search(r"^\s*([-+]\s|\d+[.)])", rest)


# CloudEvents


def cloudevents(rendered: Rendered) -> None:
    headers = dict(rendered.headers)
    size = sum(len(name) + len(value) for name, value in rendered.headers)
    assert len(rendered.body) + size <= 64 * 1024
    event = from_http_event(HTTPMessage(headers=headers, body=rendered.body))
    assert isinstance(event.get_data(), dict)
    for name, value in event.get_attributes().items():
        assert re.fullmatch(r"[a-z0-9]{1,20}", name)
        assert value
        if isinstance(value, str):
            # Forbidden by the specification: controls, lone surrogates, no characters.
            assert not re.search("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]", value)
    assert event.get_source().startswith("/genbridge")


# Zapier, Make, n8n


def flat(rendered: Rendered) -> None:
    document = json.loads(rendered.body)
    assert all(isinstance(value, str | int | float) for value in document.values())


RULES: Mapping[str, Rule] = {
    "cloudevents": cloudevents,
    "discord": discord,
    "flat": flat,
    "slack": slack,
    "standard": lambda _rendered: None,  # foreign bodies go out as they are stored
    "teams": teams,
}
