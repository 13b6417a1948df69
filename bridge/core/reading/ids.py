"""Generation ids inside URLs, encoded or refused (PROVIDERS, rule 15)."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from urllib.parse import quote

from bridge.core.looking import Rejected
from bridge.core.network.urls import Url, parsed

_UNSPEAKABLE = frozenset({"Cc", "Cs"})
_DOTS = frozenset({".", ".."})

_PLAIN = re.compile("[A-Za-z0-9_-]+")
"""What stands anywhere as it is: nearly every id, so that a batch of a hundred is soon asked."""


def address(
    one: str, *, base_url: str, template: str, hosts: Sequence[str] = ()
) -> str | Rejected:
    """Return the URL that asks about an id, or why it is not asked.

    In `template`, which follows `base_url`, `{id}` stands for the id percent-encoded whole,
    `{+id}` for the id encoded segment by segment. An id that is itself a URL is asked as it
    is where it is the provider's own (see `own_url`). The reason quotes no id.
    """
    if is_url(one):
        return own_url(one, base_url=base_url, hosts=hosts)
    why = _why_not(one, template)
    if why is not None:
        return Rejected(why=why)
    filled = template.replace("{id}", whole(one)).replace("{+id}", by_segment(one))
    return base_url.rstrip("/") + filled


def why_unasked(
    one: str, *, base_url: str, template: str, hosts: Sequence[str] = ()
) -> str | None:
    """Return why `address` has no URL for an id, None: it has one."""
    if not is_url(one):
        return _why_not(one, template)
    place = own_url(one, base_url=base_url, hosts=hosts)
    return place.why if isinstance(place, Rejected) else None


def _why_not(one: str, template: str) -> str | None:
    flaw = _flaw(one, path="{+id}" in template)
    return None if flaw is None else f"the generation's id {flaw}"


def fit(several: tuple[str, ...]) -> tuple[str, ...]:
    """Return those that can be asked about."""
    if all(several) and _PLAIN.fullmatch("".join(several)):
        return several
    return tuple(one for one in several if unfit(one) is None)


def unfit(one: str) -> str | None:
    """Return why an id cannot be asked about, as `is empty`; None: it can."""
    return _flaw(one, path=False)


def _flaw(one: str, *, path: bool) -> str | None:
    if _PLAIN.fullmatch(one):
        return None
    if not one:
        return "is empty"
    if not one.isascii() or not one.isprintable():
        for character in one:
            if unicodedata.category(character) in _UNSPEAKABLE:
                return f"holds a control character (U+{ord(character):04X})"
    segments = one.split("/")
    if not _DOTS.isdisjoint(segments):
        return "holds a path segment `.` or `..`"
    return "holds an empty path segment" if path and "" in segments else None


def whole(one: str) -> str:
    """Return an id as one segment or one value: only letters, digits and `-._~` stay."""
    return one if _PLAIN.fullmatch(one) else quote(one, safe="")


def wholes(texts: Iterable[str]) -> list[str]:
    """Return each as `whole` does."""
    several = list(texts)
    if all(several) and _PLAIN.fullmatch("".join(several)):
        return several
    return [whole(one) for one in several]


def by_segment(one: str) -> str:
    """Return an id that is a path: as `whole`, but `/` and `:` stay."""
    return quote(one, safe="/:")


def is_url(one: str) -> bool:
    """Whether an id is meant as a whole URL."""
    return one[:8].lower().startswith(("https://", "http://"))


def own_url(text: str, *, base_url: str, hosts: Sequence[str] = ()) -> str | Rejected:
    """Return a URL that the provider itself gave us, or why the key must not go there.

    Allowed are the origin of `base_url`, and https on the default port of `hosts` (a name,
    or `*.name` for whatever lies below it). User information, `.` and `..` are never
    allowed.
    """
    try:
        place, home = parsed(text), parsed(base_url)
    except ValueError as error:
        return Rejected(why=f"a link as an id: {error}")
    if not _DOTS.isdisjoint(place.target.partition("?")[0].split("/")):
        return Rejected(why="a link as an id: it holds a path segment `.` or `..`")
    if _origin(place) == _origin(home) or _of_house(place, hosts):
        return place.text
    return Rejected(why=f"a link as an id: the key is not sent to {place.shown}")


def _origin(place: Url) -> tuple[str, str, int]:
    return place.scheme, place.host, place.effective_port


def _of_house(place: Url, hosts: Sequence[str]) -> bool:
    if place.scheme != "https" or place.effective_port != 443:
        return False
    return any(
        place.host.endswith(host[1:].lower()) and place.host != host[2:].lower()
        if host.startswith("*.")
        else place.host == host.lower()
        for host in hosts
    )
