"""How we show a receiver who we are, beside the signature (DELIVERY, section 8)."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Basic:
    """A user name and a password with every attempt."""

    username: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearer:
    """A fixed token with every attempt."""

    token: str = field(repr=False)


class Send(StrEnum):
    """Where the client's credentials go when a token is fetched."""

    HEADER = "header"
    BODY = "body"


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuth2:
    """Tokens by the client credentials grant (RFC 6749, section 4.4)."""

    token_url: str = field(repr=False)
    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    scope: str | None = None
    audience: str | None = None
    send: Send = Send.HEADER


Auth: TypeAlias = Basic | Bearer | OAuth2
