"""Every piece of YAML in the pages is a configuration, or a part of one."""

import re
from collections.abc import Iterable, Iterator

import pytest
from pydantic import BaseModel

from bridge.config import Environment, load
from bridge.core.delivering.retry import DEFAULT_SCHEDULE
from bridge.core.settings import Settings
from bridge.plugins import Plugins
from bridge.store.tables import metadata
from bridge.web.api import RESOURCES
from bridge.web.orders import Order
from bridge.web.shapes import Shape
from bridge.web.strict import Strict
from tests.config.given import SECRET
from tests.docs.pages import GUIDES, README, ROOT, Block, block, blocks, inline

SHOWN = [
    shown
    for page in GUIDES
    for shown in blocks(page, "yaml")
    if not shown.text.startswith("# with the two files above")
]


def _read(text: str) -> Settings:
    variables = dict.fromkeys(re.findall(r"\$\{(\w+)\}", text), SECRET)
    environment = Environment(variables=variables, read_file=lambda _: b"secret")
    return load(text.encode(), "page", environment=environment, catalog=Plugins())


@pytest.mark.parametrize("shown", SHOWN, ids=str)
def test_every_yaml_can_be_loaded(shown: Block) -> None:
    _read(shown.text)


def test_the_first_configuration_watches_and_tells_without_a_warning() -> None:
    settings = _read(block(README, "yaml", "LUMA_KEY"))
    (watch,) = settings.watches
    assert watch.webhooks == ("studio",)
    assert not settings.warnings


def _vocabulary() -> set[str]:
    """Words with underscores that mean something to users: keys, and fields of events."""
    example = (ROOT / "config.example.yaml").read_text()
    events = block(README, "json", "generation.completed")
    return set(re.findall(r"\b(\w+)\b", example + events))


def _spoken() -> set[str]:
    """Keys of what the API is asked, and of what it answers."""
    assert RESOURCES  # imported with them, every kind is known
    kinds: list[type[BaseModel]] = [
        *Shape.__subclasses__(),
        *Strict.__subclasses__(),
        Order,
    ]
    fields = {name for kind in _all(kinds) for name in kind.model_fields}
    assert {"next_because", "dry_run"} <= fields
    return fields


def _all(kinds: Iterable[type[BaseModel]]) -> Iterator[type[BaseModel]]:
    for kind in kinds:
        yield kind
        yield from _all(kind.__subclasses__())


SLACKS = {
    *("rollup_error", "invalid_blocks", "msg_blocks_too_long", "too_many_attachments"),
    *("invalid_payload", "no_text", "user_not_found"),
    *("invalid_token", "no_service", "channel_not_found"),
}
"""Words of Slack's answers."""


def test_every_key_that_is_named_exists() -> None:
    known = (
        _vocabulary()
        | _spoken()
        | SLACKS
        | {index.name for one in metadata.tables.values() for index in one.indexes}
        | {"failure_code", "socket_factory", "pydantic_core", "pg_stat_statements"}
    )
    for page in GUIDES:
        for text in inline(page):
            if re.fullmatch(r"[a-z]+(_[a-z]+)+", text):
                assert text in known, (page.name, text)


def test_the_promised_span_is_that_of_the_schedule() -> None:
    hours = int(sum(wait.total_seconds() for wait in DEFAULT_SCHEDULE) // 3600)
    text = README.read_text()
    assert f"**For {hours} hours**: ten attempts" in text
    assert len(DEFAULT_SCHEDULE) + 1 == 10
