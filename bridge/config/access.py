"""Access: how a webhook knows us and we it: credentials, certificates (DELIVERY, section 8)."""

from typing import Annotated, Any, TypeAlias

from pydantic import ConfigDict, Discriminator, Field, PlainValidator, Tag, WithJsonSchema

from bridge.config import fields as f
from bridge.config import references as r
from bridge.config import scalars
from bridge.config.record import Record, maybe, needed, written
from bridge.config.tree import MapNode
from bridge.core.delivering.auth import Send

TYPES = ("basic", "bearer", "oauth2")


class TlsRecord(Record):
    """Certificates in PEM files; they are read at the start and at a reload."""

    model_config = ConfigDict(
        json_schema_extra={"minProperties": 1, "dependentRequired": {"key": ["cert"]}}
    )

    ca: f.Text | None = maybe("Authorities to trust instead of the system's.")
    cert: f.Text | None = maybe("Our own certificate, with what it is issued by.")
    key: f.Text | None = maybe("Its key, unencrypted; default: in the file of `cert`.")


def _type(word: str) -> Any:  # noqa: ANN401  (a type that is made here)
    read = PlainValidator(lambda value: scalars.choice(value, (word,)))
    return Annotated[str, read, WithJsonSchema({"const": word})]


def _send(value: object) -> Send:
    return Send(scalars.choice(value, tuple(Send)))


_Send: TypeAlias = Annotated[
    Send, PlainValidator(_send), WithJsonSchema({"enum": list(map(str, Send))})
]


class BasicRecord(Record):
    """A user name and a password."""

    type: _type("basic") = needed("basic")  # type: ignore[valid-type]  # made above
    username: f.Hidden = needed("The user name.")
    password: f.Hidden = needed("The password.")


class BearerRecord(Record):
    """A fixed token."""

    type: _type("bearer") = needed("bearer")  # type: ignore[valid-type]  # as above
    token: f.Hidden = needed("The token.")


class OAuth2Record(Record):
    """Tokens that are fetched by the client credentials grant."""

    type: _type("oauth2") = needed("oauth2")  # type: ignore[valid-type]  # as above
    token_url: r.Url = needed("Where tokens are fetched.")
    client_id: f.Hidden = needed("Who asks for them.")
    client_secret: f.Hidden = needed("The secret of the client.")
    scope: f.Text | None = maybe("The scopes that are asked for, with spaces between.")
    audience: f.Text | None = maybe("Whom the token is for, where the server wants it.")
    send: _Send = written("header", "Where the client's id and secret go: header or body.")


class UnknownAuthRecord(Record):
    """What names no type, or none that there is: the type alone is complained of."""

    model_config = ConfigDict(extra="ignore")

    type: Annotated[
        str,
        PlainValidator(lambda value: scalars.choice(value, TYPES)),
        WithJsonSchema({"not": {}}),
    ] = needed("basic, bearer or oauth2")


TAGGED: dict[str, type[Record]] = {
    "[basic]": BasicRecord,
    "[bearer]": BearerRecord,
    "[oauth2]": OAuth2Record,
    "[unknown]": UnknownAuthRecord,
}
"""The records of `auth` by the steps that stand for them in pydantic's paths."""


def _tag(node: object) -> str:
    said = node.items.get("type") if isinstance(node, MapNode) else None
    return f"[{said}]" if said in TYPES else "[unknown]"


AuthField: TypeAlias = Annotated[
    Annotated[BasicRecord, Tag("[basic]")]
    | Annotated[BearerRecord, Tag("[bearer]")]
    | Annotated[OAuth2Record, Tag("[oauth2]")]
    | Annotated[UnknownAuthRecord, Tag("[unknown]")],
    Discriminator(_tag),
    Field(),
]
