"""References: the fields that name something: webhooks, URLs, ids, and secrets by their text."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BeforeValidator, PlainValidator, WithJsonSchema
from pydantic import ValidationInfo as Info

from bridge.config import scalars
from bridge.config.fields import LINE, SECRET, each_once, listed, mapped, text_schema
from bridge.config.headers import MOST_HEADERS, header_name, header_value, once_each
from bridge.config.scalars import Unfit
from bridge.config.tree import ListNode, MapNode
from bridge.core.delivering.signing import MOST_KEYS, Key, read_key
from bridge.core.network.addresses import Allow
from bridge.core.network.proxy import read_proxy
from bridge.core.network.urls import barred, check_url


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a value may refer to. `allow` None: which networks are open could not be read.

    `absent` are the texts that stand for credentials which could not be read.
    """

    sources: Collection[str] = ()
    webhooks: Collection[str] = ()
    providers: Collection[str] = ()
    formats: Collection[str] = ()
    allow: Allow | None = None
    absent: Collection[str] = field(default=(), repr=False)


# ----------------------------------------------------------------------- ids and references


def _ids(value: object) -> ListNode:
    if not isinstance(value, ListNode):
        raise Unfit("expected a list of ids", hint="a single one is named by `id`")
    if not value.items:
        raise Unfit("the list is empty")
    return value


_ID = {"type": ["string", "number", "boolean"], "maxLength": scalars.LONGEST_ID}

Id: TypeAlias = Annotated[
    str,
    PlainValidator(lambda value: scalars.scalar(value, "an id")),
    WithJsonSchema(_ID),
]
Ids: TypeAlias = Annotated[
    ListNode,
    PlainValidator(_ids),
    WithJsonSchema({"type": "array", "minItems": 1, "items": _ID}),
]
"""Kept as a node: a hundred thousand ids are checked faster, and placed better, one by
one.
"""


def _named(what: str) -> PlainValidator:
    def check(value: object, info: Info) -> str:
        return scalars.known(value, what, getattr(info.context, f"{what}s"))

    return PlainValidator(check)


_NAME = text_schema(LINE)
SourceName: TypeAlias = Annotated[str, _named("source"), _NAME]
WebhookName: TypeAlias = Annotated[str, _named("webhook"), _NAME]
ProviderName: TypeAlias = Annotated[str, _named("provider"), _NAME]
FormatName: TypeAlias = Annotated[str, _named("format"), _NAME]
WebhookNames: TypeAlias = Annotated[
    list[WebhookName], BeforeValidator(listed), AfterValidator(each_once)
]


# ---------------------------------------------------------------- URLs, secrets and headers


def _url(value: object, info: "Info[Known]") -> str:
    text = scalars.scalar(value, "a URL such as https://example.com/hook")
    if text in info.context.absent:
        return "https://credential.invalid/"
    url = check_url(text)
    allow = info.context.allow
    why = None if allow is None else barred(url, allow)
    if why is not None:
        raise Unfit(why, hint="list it under network.allow if it may be contacted")
    return url


def _proxy(value: object, info: "Info[Known]") -> str:
    text = scalars.scalar(value, "a URL such as http://proxy.example.com:3128")
    if text in info.context.absent:
        return "http://credential.invalid/"
    read_proxy(text)
    return text


def _one_or_several(value: object) -> object:
    """Return the entries of a list, or the one value that stands alone."""
    if isinstance(value, MapNode):
        raise Unfit("expected a text or a list of them, not keys and values")
    return listed(value) if isinstance(value, ListNode) else [value]


def _key(value: object) -> Key:
    return read_key(scalars.scalar(value, "a secret such as whsec_…"))


def _secrets(value: object) -> object:
    entries = _one_or_several(value)
    if isinstance(entries, list) and len(entries) > MOST_KEYS:
        raise Unfit(f"a webhook has at most {MOST_KEYS} secrets")
    return entries


Url: TypeAlias = Annotated[
    str, PlainValidator(_url), text_schema(r"[Hh][Tt][Tt][Pp][Ss]?://[^\s#\\]+")
]
ProxyUrl: TypeAlias = Annotated[
    str,
    PlainValidator(_proxy),
    text_schema(
        r"([Hh][Tt][Tt][Pp][Ss]?|[Ss][Oo][Cc][Kk][Ss]5[Hh]?)://[^\s#\\]+", **SECRET
    ),
]
_SecretKey: TypeAlias = Annotated[
    Key,
    PlainValidator(_key),
    text_schema(r"wh(sec|sk)_[A-Za-z0-9+/]+=*", **SECRET),
]
Secrets: TypeAlias = Annotated[
    list[_SecretKey],
    BeforeValidator(_secrets),
    WithJsonSchema(
        {
            "anyOf": [
                text_schema(r"wh(sec|sk)_[A-Za-z0-9+/]+=*", **SECRET).json_schema,
                {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": MOST_KEYS,
                    "items": {"type": "string", **SECRET},
                },
            ]
        }
    ),
]


def _headers(value: object) -> object:
    entries = mapped(value)
    if isinstance(entries, dict) and len(entries) > MOST_HEADERS:
        raise Unfit(f"a webhook has at most {MOST_HEADERS} headers")
    return entries


HeadersField: TypeAlias = Annotated[
    dict[
        Annotated[str, PlainValidator(header_name), text_schema(r"[!-~]+")],
        Annotated[str, PlainValidator(header_value), text_schema(r"[ -~]*", **SECRET)],
    ],
    BeforeValidator(_headers),
    AfterValidator(once_each),
]
