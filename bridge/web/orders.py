"""Orders: the document that asks for a watch, held against the configuration."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic import ValidationInfo as Info

from bridge.core.askable import never
from bridge.core.delivering.callback import Callback
from bridge.core.delivering.signing import read_key
from bridge.core.ladder import State
from bridge.core.network.addresses import Allow
from bridge.core.network.urls import barred, check_url
from bridge.core.order import WatchOrder
from bridge.core.reading.ids import unfit
from bridge.core.settings import Settings, Source
from bridge.core.text.durations import DURATION, EXAMPLE, duration
from bridge.core.text.jsontext import encode
from bridge.core.watch import Generation
from bridge.web.mistakes import Errors, named

LONGEST_ID = 512
MOST_METADATA = 64 << 10
"""Bytes of metadata as JSON: every event carries them."""
DEEPEST_METADATA = 32
_MOST_WEBHOOKS = 1000
_LEAST_DEADLINE, _MOST_DEADLINE = timedelta(seconds=1), timedelta(days=365)
_BYTES = "([A-Za-z0-9+/]{4})"
_LAST_ONE, _LAST_TWO = "[A-Za-z0-9+/][AQgw]==", "[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]="
SECRET = (
    rf"^(whsec_(?!A+=*$)({_BYTES}{{8,20}}({_LAST_ONE}|{_LAST_TWO})?|{_BYTES}{{21}}({_LAST_ONE})?)"
    rf"|whsk_({_BYTES}{{10}}{_LAST_TWO}|{_BYTES}{{21}}{_LAST_ONE}))$"
)
"""What secrets look like: 24 to 64 bytes in base64, an ed25519 key 32 or 64."""
_UNTIL = ("queued", "dreaming", "processing", "completed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What an order may name."""

    sources: Mapping[str, Source]
    webhooks: Collection[str]
    allow: Allow

    @classmethod
    def of(cls, settings: Settings) -> "Known":
        """Return what the settings have."""
        return cls(
            sources=settings.sources,
            webhooks=settings.webhooks.keys(),
            allow=settings.allow,
        )


def _source(name: str, info: "Info[Known]") -> str:
    if name not in info.context.sources:
        raise ValueError(f"there is no such source; {_there_is(info.context.sources)}")
    return name


def _webhook(name: str, info: "Info[Known]") -> str:
    if name not in info.context.webhooks:
        raise ValueError(f"there is no such webhook; {_there_is(info.context.webhooks)}")
    return name


def _there_is(names: Collection[str]) -> str:
    some = ", ".join(sorted(names)[:20])
    return f"there is {some}" if some else "there is none"


def why_no_id(one: str) -> str | None:
    """Return why a text cannot be a generation's id, as `is empty`; None: it can."""
    if len(one) > LONGEST_ID:
        return f"has more than {LONGEST_ID} characters"
    return unfit(one)


def _id(one: str, info: "Info[Known]") -> str:
    why = why_no_id(one)
    if why is not None:
        raise ValueError(f"the id {why}")
    source = info.context.sources.get(info.data.get("source", ""))
    why = None if source is None else never(source.provider)(one)
    if why is not None:
        raise ValueError(why)
    return one


def _each_once(names: list[str]) -> list[str]:
    if len(set(names)) < len(names):
        raise ValueError("the list names something twice")
    return names


def _url(text: str, info: "Info[Known]") -> str:
    url = check_url(text)
    why = barred(url, info.context.allow)
    if why is not None:
        raise ValueError(f"{why}; list it under network.allow if it may be contacted")
    return url


def _secret(text: str) -> str:
    read_key(text)
    return text


def _until(word: str) -> str:
    if word == "failed":
        raise ValueError(
            "one cannot wait for a failure, for it may never come; "
            "`completed`, the default, ends with a failure too"
        )
    if word not in _UNTIL:
        raise ValueError(f"expected one of {', '.join(_UNTIL)}")
    return word


def _deadline(text: str) -> str:
    span = duration(text)
    if span is None:
        raise ValueError(f"expected {EXAMPLE}")
    if not _LEAST_DEADLINE <= span <= _MOST_DEADLINE:
        raise ValueError("a deadline lies between 1s and 365d")
    return text


def _metadata(document: dict[str, Any]) -> dict[str, Any]:
    if _depth(document) > DEEPEST_METADATA:
        raise ValueError(f"metadata nests at most {DEEPEST_METADATA} levels deep")
    if len(encode(document)) > MOST_METADATA:
        raise ValueError(f"metadata has at most {MOST_METADATA >> 10} KiB")
    return document


def _depth(value: object) -> int:
    """Return how deeply a value nests, without going deeper than is of interest."""
    level, depth = [value], 0
    while depth <= DEEPEST_METADATA:
        level = [inner for one in level for inner in _inner(one)]
        if not level:
            return depth
        depth += 1
    return depth


def _inner(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


_Name: TypeAlias = Annotated[str, AfterValidator(_webhook)]


class Order(BaseModel):
    """A watch that is wanted."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        hide_input_in_errors=True,
        title="Order",
        json_schema_extra={
            "dependentRequired": {"secret": ["callback_url"]},
            "example": {
                "source": "luma",
                "id": "182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e",
                "webhooks": ["studio"],
                "until": "completed",
                "deadline": "30m",
                "metadata": {"order": 1042},
            },
        },
    )

    source: Annotated[str, AfterValidator(_source)] = Field(
        description="The name of a source of the configuration."
    )
    id: Annotated[str, AfterValidator(_id)] = Field(
        description="The provider's id of the generation.",
        json_schema_extra={"minLength": 1, "maxLength": LONGEST_ID},
    )
    webhooks: (
        Annotated[list[_Name], AfterValidator(_each_once), Field(max_length=_MOST_WEBHOOKS)]
        | None
    ) = Field(
        default=None,
        description="Who is told, by name. Default: every webhook of the configuration, "
        "or only `callback_url` where that is given.",
    )
    callback_url: Annotated[str, AfterValidator(_url)] | None = Field(
        default=None,
        description="A webhook of your own, in format `standard`.",
        json_schema_extra={"format": "uri", "maxLength": 2048},
    )
    secret: Annotated[str, AfterValidator(_secret)] | None = Field(
        default=None,
        description="Signs what goes to `callback_url`: `whsec_…` or `whsk_…`.",
        json_schema_extra={"writeOnly": True, "pattern": SECRET},
    )
    until: Annotated[str, AfterValidator(_until)] = Field(
        default="completed",
        description="The state at which the watch ends.",
        json_schema_extra={"enum": list(_UNTIL)},
    )
    deadline: Annotated[str, AfterValidator(_deadline)] = Field(
        default="24h",
        description="The first answer after it ends the watch, as lost if it is not over.",
        json_schema_extra={"pattern": rf"^{DURATION}$"},
    )
    metadata: Annotated[dict[str, Any], AfterValidator(_metadata)] = Field(
        default_factory=dict, description="Comes back in every event."
    )


def read_order(document: object, known: Known, root: str = "$") -> WatchOrder | Errors:
    """Return the order that a document means, or everything that is wrong with it."""
    errors: Errors = []
    order = None
    try:
        order = Order.model_validate(document, context=known)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        errors += named(details, root, known=tuple(Order.model_fields))
    if isinstance(document, dict):
        errors += _misfits(document, known, root)
    return errors if order is None or errors else _ordered(order, known)


def _misfits(document: Mapping[str, Any], known: Known, root: str) -> Errors:
    """Return what is wrong with fields that are right each by itself."""
    brought = document.get("callback_url") is not None
    if document.get("secret") is not None and not brought:
        return [
            {
                "path": f"{root}.secret",
                "message": "a secret belongs to a callback_url; "
                "webhooks of the configuration have their own",
            }
        ]
    webhooks = document.get("webhooks")
    if not brought and (webhooks == [] or (webhooks is None and not known.webhooks)):
        return [
            {
                "path": f"{root}.webhooks",
                "message": "nobody would be told; name a webhook or give a callback_url",
            }
        ]
    return []


def _ordered(order: Order, known: Known) -> WatchOrder:
    everybody = () if order.callback_url is not None else tuple(known.webhooks)
    callback = (
        None
        if order.callback_url is None
        else Callback(url=order.callback_url, secret=order.secret)
    )
    return WatchOrder(
        generation=Generation(order.source, order.id),
        webhooks=everybody if order.webhooks is None else tuple(order.webhooks),
        callback=callback,
        until=State.of(order.until),
        deadline=duration(order.deadline) or _MOST_DEADLINE,
        metadata=order.metadata,
    )


def read_orders(
    documents: Sequence[object], known: Known, root: str
) -> list[WatchOrder | Errors]:
    """Return each order of many, or what is wrong with it."""
    return [
        read_order(document, known, f"{root}[{number}]")
        for number, document in enumerate(documents)
    ]
