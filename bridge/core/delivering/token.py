"""Tokens of the client credentials grant (RFC 6749, section 4.4): how one is asked for and read."""

import re
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus, urlencode

import msgspec

from bridge.core.delivering.auth import OAuth2, Send
from bridge.core.network.exchange import Answer, Headers, Request, Unanswered

UNSAID = 3600.0
"""Seconds that a token counts as good whose server does not say: a 401 ends it anyway."""

MARGIN = 60.0
"""Seconds before its end in which a token is used no more (DELIVERY.md, section 8)."""

_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")
_DIGITS = re.compile(r"[0-9]{1,10}")

# What a server may answer (RFC 6749, section 5.2), and what is to be done about it. Words of its
# own are not shown: they may quote what it was sent.
_ADVICE = {
    "invalid_client": "check client_id, client_secret and send",
    "invalid_grant": "check client_id and client_secret",
    "invalid_request": "check scope and audience",
    "invalid_scope": "check scope",
    "unauthorized_client": "it does not grant client credentials to this client",
    "unsupported_grant_type": "it knows no client credentials",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token, and for how many seconds after it was asked for it may be used."""

    text: str = field(repr=False)
    lasts: float


def basic(username: str, password: str) -> Headers:
    """Return the header of a user name and a password."""
    told = b64encode(f"{username}:{password}".encode()).decode("ascii")
    return (("authorization", f"Basic {told}"),)


def bearer(token: str) -> Headers:
    """Return the header of a token."""
    return (("authorization", f"Bearer {token}"),)


def question(auth: OAuth2, *, agent: str) -> Request:
    """Return the request for a token."""
    fields = {"grant_type": "client_credentials"}
    fields |= {"scope": auth.scope} if auth.scope else {}
    fields |= {"audience": auth.audience} if auth.audience else {}
    shown: Headers = ()
    if auth.send is Send.BODY:
        fields |= {"client_id": auth.client_id, "client_secret": auth.client_secret}
    else:
        # Each is encoded as a form before they are joined (RFC 6749, section 2.3.1).
        shown = basic(quote_plus(auth.client_id), quote_plus(auth.client_secret))
    headers = (
        ("content-type", "application/x-www-form-urlencoded"),
        ("accept", "application/json"),
        ("user-agent", agent),
        *shown,
    )
    return Request(
        method="POST",
        url=auth.token_url,
        headers=headers,
        body=urlencode(fields).encode("ascii"),
    )


def read_token(answer: Answer) -> Token | str:
    """Return the token of an answer; or why there is none, in a sentence without secrets."""
    if isinstance(answer, Unanswered):
        return f"no token: {answer.reason}"
    if 300 <= answer.status <= 399:
        return (
            f"no token ({answer.status}): the token server redirects, which is never "
            "followed; set auth.token_url to where it really is"
        )
    document = _document(answer.body)
    if answer.status != 200:
        return _refusal(answer.status, document)
    text, kind = document.get("access_token"), document.get("token_type", "bearer")
    if not isinstance(text, str) or not _TOKEN.fullmatch(text):
        return "no token: the token server answered 200 without an access_token"
    if not isinstance(kind, str) or kind.lower() != "bearer":
        return "no token: the token server gives tokens of a kind other than Bearer"
    return Token(text=text, lasts=_lasts(document.get("expires_in")))


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _refusal(status: int, document: dict[str, Any]) -> str:
    word = document.get("error")
    if isinstance(word, str) and word in _ADVICE:
        return f"no token ({status} {word}): the token server refuses us; {_ADVICE[word]}"
    return f"no token: the token server answered {status}; check auth.token_url"


def _lasts(told: object) -> float:
    """Return how long a token is used: a minute less than it lives, or half of a short life."""
    if isinstance(told, str) and _DIGITS.fullmatch(told):
        told = int(told)  # some servers write the number as text
    if isinstance(told, bool) or not isinstance(told, int | float) or not 0 <= told < 1e10:
        return UNSAID
    return max(told - MARGIN, told / 2)
