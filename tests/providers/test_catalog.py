"""Plugins are found by their files and are loaded one by one."""

import subprocess
import sys
from typing import get_type_hints

import pytest

from bridge.core.ports import Catalog
from bridge.plugins import Plugins
from tests.providers.talking import NAMES

CATALOG: Catalog = Plugins()


def test_every_file_is_a_provider_by_its_name() -> None:
    names = CATALOG.names("provider")

    assert set(NAMES) <= set(names)
    assert list(names) == sorted(names)


@pytest.mark.parametrize("name", NAMES)
def test_the_fields_of_a_provider_are_its_options(name: str) -> None:
    hints = get_type_hints(CATALOG.load("provider", name))

    assert {"api_key": str, "base_url": str}.items() <= hints.items()


@pytest.mark.parametrize(
    "name", ["", "luma", "luma_agents", "../luma-agents", "os", "__init__"]
)
def test_an_unknown_name_is_a_key_error(name: str) -> None:
    with pytest.raises(KeyError):
        CATALOG.load("provider", name)


def test_an_unknown_kind_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        CATALOG.names("colour")


def test_only_what_is_named_is_loaded() -> None:
    script = (
        "import sys; from bridge.plugins import Plugins; c = Plugins();"
        "c.names('provider'), c.names('format'), c.load('provider', 'luma-agents');"
        "print([m for m in sys.modules if m.startswith(('bridge.providers.', 'bridge.formats'))])"
    )

    told = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)

    assert told.stdout.decode().strip() == "['bridge.providers.luma_agents']"


def test_a_relay_has_no_base_url_of_its_own() -> None:
    with pytest.raises(TypeError, match="base_url"):
        CATALOG.load("provider", "relay-luma")(api_key="k")
