"""A hint: a provider's own callback, read for the ids in it and for nothing else.

Whoever knows the address may send one, so nothing of it is believed: it can only bring a look
forward (DETECTION, section 5). The body may have any vendor's shape, or none.
"""

import hmac
import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, quote

import msgspec

PREFIX = "/hints/"

DIGITS = 32
"""Hexadecimal digits of a token: 128 bits."""

BODY_LIMIT = 256 * 1024
"""Bytes of a hint's body: some vendors put small pictures into it."""

NODES = 10_000
"""Values of a document that are looked at, those that nest least before the others."""

MOST = 1000
"""Ids that one hint may name; most of them are other texts of the document."""

LONGEST = 512
"""Characters of an id (STORE, section 8)."""

# Without underscores, hyphens and capitals. A watch's id is under one of these at every vendor
# whose callbacks are known (PROVIDERS.md).
_KEYS = frozenset(
    {
        *("id", "taskid", "requestid", "generationid", "predictionid", "jobid"),
        *("videoid", "imageid", "taskuuid", "uuid", "operationid", "name", "task"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """The texts of a callback that may be ids: those under a key for ids, and all others."""

    keyed: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[str]:
        """Give all of them, the likelier first."""
        yield from self.keyed
        yield from self.others


NOTHING = Named()


def hint_token(source: str, secret: str) -> str:
    """Return what makes a source's address for hints unguessable.

    It needs no key of its own: it is the same after every restart and at every replica, and
    another one with another API key, of which it tells nothing.
    """
    key = sha256(secret.encode("utf-8", "surrogatepass")).digest()
    return hmac.new(key, source.encode(), sha256).hexdigest()[:DIGITS]


def hints_path(source: str, token: str) -> str:
    """Return the path to which a provider may post its callbacks."""
    return f"{PREFIX}{quote(source, safe='')}/{token}"


def right(given: str, token: str | None) -> bool:
    """Return whether it is the right token, in a time that tells nothing; None: there is none."""
    wanted = token or "-" * DIGITS
    same = hmac.compare_digest(given.encode("utf-8", "surrogatepass"), wanted.encode())
    return same and token is not None


def named(body: bytes) -> Named:
    """Return what a callback may be about; nothing where it is no JSON and no form."""
    try:
        document = _read(body)
    except (ValueError, RecursionError):
        document = _form(body)
    return _found(document)


def _read(text: bytes | str) -> object:
    """Return a JSON value; raises ValueError, RecursionError."""
    try:
        return _ANY.decode(text)
    except (msgspec.MsgspecError, UnicodeError):
        # Slower, but it reads NaN and lone surrogates, too, which some vendors send.
        return json.loads(text)


def _form(body: bytes) -> object:
    """Return a form's fields; some vendors put a JSON text into one of them."""
    try:
        pairs = parse_qsl(body.decode("utf-8"), max_num_fields=100)
    except ValueError:
        return None
    return {name: _inner(value) for name, value in pairs}


def _inner(value: str) -> object:
    if not value.startswith(("{", "[")):
        return value
    try:
        return _read(value)
    except (ValueError, RecursionError):
        return None


def _found(document: Any) -> Named:  # noqa: ANN401  (any JSON value)
    """Walk through a document, level by level."""
    keyed: dict[str, None] = {}
    others: dict[str, None] = {}
    rest: deque[tuple[bool, Any]] = deque([(False, document)])
    for _ in range(NODES):
        if not rest:
            break
        is_id, value = rest.popleft()
        room = NODES - len(rest)
        match value:
            case dict():
                pairs = list(value.items())[:room]
                rest.extend((_is_key(name), one) for name, one in pairs)
            case list():
                rest.extend((is_id, one) for one in value[:room])
            case str() if 0 < len(value) <= LONGEST:
                (keyed if is_id else others)[value] = None
            case int() if not isinstance(value, bool) and is_id:
                keyed[str(value)] = None
    likely = tuple(keyed)[:MOST]
    strangers = tuple(one for one in others if one not in keyed)
    return Named(keyed=likely, others=strangers[: MOST - len(likely)])


def _is_key(name: object) -> bool:
    if not isinstance(name, str) or len(name) > LONGEST:
        return False
    return name.replace("_", "").replace("-", "").lower() in _KEYS


_ANY = msgspec.json.Decoder()
