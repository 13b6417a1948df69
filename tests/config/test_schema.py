"""The JSON Schema tells editors what the loader takes; the example is good for both."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from bridge.config import Environment, json_schema, load
from bridge.config.access import BasicRecord, BearerRecord, OAuth2Record, TlsRecord
from bridge.config.records import (
    NetworkRecord,
    RetentionRecord,
    RetryRecord,
    RootRecord,
    ServerRecord,
    SourceRecord,
    WatchRecord,
    WebhookRecord,
)
from bridge.core.settings import Settings
from bridge.plugins import Plugins
from tests.config.given import GOOD, OTHER_SECRET, SECRET, Catalog, environment, settings

EXAMPLE = Path(__file__).parents[2] / "config.example.yaml"
SCHEMA = json_schema(Plugins())
RECORDS = (
    RootRecord,
    ServerRecord,
    NetworkRecord,
    RetentionRecord,
    RetryRecord,
    SourceRecord,
    WatchRecord,
    WebhookRecord,
    TlsRecord,
    BasicRecord,
    BearerRecord,
    OAuth2Record,
)


def mistakes(text: str, schema: dict[str, Any] = SCHEMA) -> list[str]:
    return [
        e.message for e in Draft202012Validator(schema).iter_errors(yaml.safe_load(text))
    ]


def example(variables: dict[str, str]) -> Settings:
    there: Environment = environment(variables, files={"/c/luma": b"key"}, credentials="/c")
    return load(EXAMPLE, "config.example.yaml", environment=there, catalog=Plugins())


def test_the_example_is_a_good_configuration_without_a_warning() -> None:
    loaded = example(
        {
            "GENBRIDGE_TOKEN": "a-long-token-of-the-api",
            "AIMLAPI_KEY": "k",
            "STUDIO_SECRET_NEW": SECRET,
            "STUDIO_SECRET_OLD": OTHER_SECRET,
            "SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/T/B/x",
        }
    )
    assert loaded.warnings == ()
    assert list(loaded.sources) == ["aiml", "luma"]
    assert len(loaded.watches) == 3


def test_the_example_holds_every_key() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    for record in RECORDS:
        for key in record.model_fields:
            assert key in text, key


def test_the_example_fits_the_schema() -> None:
    assert mistakes(EXAMPLE.read_text(encoding="utf-8")) == []


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_every_provider_and_format_is_in_the_schema() -> None:
    properties = SCHEMA["properties"]
    for section, kind in (("sources", "provider"), ("webhooks", "format")):
        variants = properties[section]["additionalProperties"]["anyOf"]
        names = [variant["properties"][kind]["const"] for variant in variants]
        assert names == list(Plugins().names(kind))


def lines() -> Iterator[tuple[str, str]]:
    yield GOOD, "xyz: 1\n"
    yield GOOD, "server: {listen: nowhere}\n"
    yield GOOD, "server: {port: 1}\n"
    yield GOOD, "retention: {attempts: 30}\n"
    yield GOOD, "network: {allow: [example.com]}\n"
    for old, new in (
        ("provider: plain", "provider: plane"),
        ("api_key: k", "looks: 3"),
        ("api_key: k", "api_key: k, tier: gold"),
        ("api_key: k", "api_key: k, looks: many"),
        ("api_key: k", "api_key: k, discover: perhaps"),
        ("secret:", "secert:"),
        ("secret:", "tls: {}, secret:"),
        ("secret:", "tls: {key: k.pem}, secret:"),
        ("secret:", "tls: {cart: c.pem}, secret:"),
        ("secret:", "auth: {type: digest}, secret:"),
        ("secret:", "auth: {type: basic, username: u}, secret:"),
        ("secret:", "auth: {type: bearer, token: t, user: u}, secret:"),
        ("secret:", "auth: {token: t}, secret:"),
        ("secret:", "proxy: 'ftp://p:1', secret:"),
        ("secret:", "order: stric, secret:"),
        ("secret:", "states: [done], secret:"),
        ("secret:", "mood: loud, secret:"),
        ("id: a", "until: completed"),
        ("id: a", "id: a, ids: [b]"),
        ("id: a", "id: a, until: failed"),
        ("id: a", "id: a, deadline: 5"),
    ):
        yield GOOD.replace(old, new), ""


@pytest.mark.parametrize(("text", "more"), list(lines()))
def test_what_the_schema_refuses_the_loader_refuses_too(text: str, more: str) -> None:
    schema = json_schema(Catalog())
    assert mistakes(GOOD, schema) == []
    assert mistakes(text + more, schema) != []
    with pytest.raises(Exception, match=r"config\.yaml:"):
        settings(text + more)


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace(
            "api_key: k", "api_key: k, looks: 5, share: 0.5, eager: true, pause: 5s"
        ),
        GOOD.replace(
            "api_key: k", "api_key: '${K:-k}', looks: '${L:-5}', eager: '${E:-true}'"
        ),
        GOOD.replace("id: a", "id: 0123"),
        GOOD.replace("id: a", "ids: [1, no, a], metadata: {a: [1, {b: null}]}"),
        GOOD.replace("secret:", "format: chat, mood: loud, secret:"),
        GOOD.replace("secret:", "auth: {type: bearer, token: t}, secret:"),
        GOOD.replace("secret:", "auth: {type: basic, username: u, password: p}, secret:"),
        GOOD.replace(
            "secret:",
            "auth: {type: oauth2, token_url: 'https://a.b/t', client_id: i, "
            "client_secret: s, scope: a b, send: body}, secret:",
        ),
        GOOD.replace("secret:", "proxy: 'socks5://u:p@p.example:1', secret:"),
        GOOD.replace("secret:", "hub_signature: true, secret:"),
        GOOD + "server:\nretention:\n",
        GOOD + "server: {listen: '[::1]:80'}\n",
    ],
)
def test_what_the_loader_takes_the_schema_takes_too(text: str) -> None:
    assert len(settings(text).sources) == 1
    assert mistakes(text, json_schema(Catalog())) == []


def test_defaults_stand_in_the_schema_as_in_the_file() -> None:
    watch = SCHEMA["properties"]["watches"]["items"]["properties"]
    assert watch["deadline"]["default"] == "24h"
    standard = SCHEMA["properties"]["webhooks"]["additionalProperties"]["anyOf"][-1]
    assert standard["properties"]["concurrency"]["default"] == 8
    assert standard["properties"]["hub_signature"]["default"] is False
