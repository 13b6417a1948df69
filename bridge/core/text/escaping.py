"""Escaping: text of strangers made harmless where a receiver reads markup."""

import re

_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_HARMLESS_MENTION = "@\u200b"

# What Markdown, mentions, times, emoji and bare links begin with; and lists, which begin a line.
_SIGNS = str.maketrans(
    {sign: f"\\{sign}" for sign in "\\*_~`|>#[]<"} | {"@": _HARMLESS_MENTION}
)
_BULLET = re.compile(r"^([^\S\n]*)([-+])", re.MULTILINE)
_NUMBER = re.compile(r"^([^\S\n]*\d+)\.", re.MULTILINE)


def mrkdwn(text: str) -> str:
    """Return text for `mrkdwn` of Slack that names nobody and is no link; `* _ ~` stay."""
    return nobody_named(text.translate(_ENTITIES))


def mrkdwn_growth(text: str) -> int:
    """Return by how much `mrkdwn` makes a text longer, without making it."""
    return 4 * text.count("&") + 3 * (text.count("<") + text.count(">")) + text.count("@")


def mrkdwn_address(url: str) -> str:
    """Return a URL for Slack's `<url|label>`: a bar would end it."""
    return url.replace("|", "%7C").translate(_ENTITIES)


def markdown(text: str) -> str:
    """Return text that Markdown, Discord's too, shows as it is and that names nobody."""
    text = text.translate(_SIGNS).replace("://", ":\\//")
    return _NUMBER.sub(r"\1\\.", _BULLET.sub(r"\1\\\2", text))


def nobody_named(text: str) -> str:
    """Return text that calls nobody: a space without width parts every `@` from the name."""
    return text.replace("@", _HARMLESS_MENTION)
