"""What each API can do (PROVIDERS, sections 1 and 3)."""

from datetime import timedelta

import pytest

from bridge.core.looking import Abilities
from tests.providers.talking import provider


def _s(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("name", "abilities"),
    [
        ("aimlapi-luma", Abilities(rate=10, floor=_s(0), hold=_s(30), batch=50)),
        (
            "luma-agents",
            Abilities(rate=10, floor=_s(2), promises_outputs=True, renews_links=True),
        ),
        (
            "dream-machine",
            Abilities(rate=5, floor=_s(3), listing=True, promises_outputs=True),
        ),
        ("relay-luma", Abilities(rate=5, floor=_s(5))),
    ],
)
def test_the_abilities_are_those_of_the_table(name: str, abilities: Abilities) -> None:
    assert provider(name).abilities == abilities
