"""The JSON Schema of a configuration, for editors, made of the loader's own records."""

import re
from collections.abc import Iterator
from typing import Any, TypeAlias

from pydantic.json_schema import GenerateJsonSchema
from pydantic_core.core_schema import NullableSchema, WithDefaultSchema

from bridge.config.options import with_options
from bridge.config.record import Record
from bridge.config.records import SINGLE_SECTIONS as SINGLE
from bridge.config.records import (
    RootRecord,
    SourceRecord,
    WatchRecord,
    WebhookRecord,
)
from bridge.core.ports import Catalog

Schema: TypeAlias = dict[str, Any]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REFERENCE = "#/$defs/{model}"


def json_schema(catalog: Catalog) -> Schema:
    """Return the schema (draft 2020-12), with the options of all providers and formats.

    It is held against YAML as editors read it. What the loader refuses by looking at two
    places at once, such as an unknown source name, no schema can say.
    """
    shared: Schema = {}
    root = _schema(RootRecord, shared)
    root["properties"] |= {name: _section(_schema(r, shared)) for name, r in SINGLE.items()}
    root["properties"] |= {
        "sources": _named(list(_variants(catalog, "provider", SourceRecord, shared))),
        "webhooks": _named(list(_variants(catalog, "format", WebhookRecord, shared))),
        "watches": {
            "type": ["array", "null"],
            "items": _watch(_schema(WatchRecord, shared)),
        },
    }
    return {"$schema": _DIALECT, **root, "title": "genbridge", "$defs": shared}


def _variants(
    catalog: Catalog, kind: str, base: type[Record], shared: Schema
) -> Iterator[Schema]:
    """Yield what an entry looks like with each plugin."""
    for name in catalog.names(kind):
        schema = _schema(with_options(base, catalog.load(kind, name)), shared)
        about = schema["properties"][kind].get("description", "")
        schema["properties"][kind] = {"const": name, "description": about}
        if kind == "format" and name != "standard":
            schema["required"] = [*schema.get("required", []), kind]
        yield schema | {"title": name}


def _schema(kind: type[Record], shared: Schema) -> Schema:
    schema = kind.model_json_schema(
        by_alias=True, ref_template=_REFERENCE, schema_generator=_Generator
    )
    shared |= schema.pop("$defs", {})
    schema["description"] = (kind.__doc__ or "").partition(";")[0].rstrip(".") + "."
    return schema


def _section(schema: Schema) -> Schema:
    """Return the schema of a section, all of which may be commented out."""
    return schema | {"type": ["object", "null"]}


def _named(variants: list[Schema]) -> Schema:
    return {"type": ["object", "null"], "additionalProperties": {"anyOf": variants}}


def _watch(schema: Schema) -> Schema:
    return schema | {"oneOf": [{"required": ["id"]}, {"required": ["ids"]}]}


class _Generator(GenerateJsonSchema):
    """As pydantic's, but absence is no null, and defaults stand as in the file."""

    def nullable_schema(self, schema: NullableSchema) -> Schema:
        """Return the schema of what may be absent: YAML's null is no value of ours."""
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: WithDefaultSchema) -> Schema:
        """Return the schema with its default in the type that an editor reads."""
        inner = self.generate_inner(schema["schema"])
        default = schema.get("default")
        if default is None:
            return inner
        return inner | {"default": _as_read(default)}


def _as_read(default: object) -> object:
    if default in {"true", "false"} if isinstance(default, str) else False:
        return default == "true"
    if isinstance(default, str) and re.fullmatch(r"[0-9]+(\.[0-9]+)?", default):
        return float(default) if "." in default else int(default)
    return default
