"""What each API can do (PROVIDERS, sections 1 and 3)."""

from datetime import timedelta

import pytest

from bridge.core.looking import Abilities
from tests.providers.talking import NAMES, PLUGINS, provider


def _s(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


TABLE = [
    ("aimlapi-luma", Abilities(rate=10, floor=_s(0), hold=_s(30), batch=50)),
    ("aimlapi-suno", Abilities(rate=5, floor=_s(0), hold=_s(120), makes="music")),
    ("aimlapi-video", Abilities(rate=5, floor=_s(10))),
    (
        "dream-machine",
        Abilities(rate=5, floor=_s(3), listing=True, promises_outputs=True),
    ),
    ("fal", Abilities(rate=10, floor=_s(0.5), makes="image")),
    (
        "flux",
        Abilities(rate=10, floor=_s(0.5), promises_outputs=True, makes="image"),
    ),
    ("heygen", Abilities(rate=5, floor=_s(5))),
    (
        "ideogram",
        Abilities(rate=5, floor=_s(5), promises_outputs=True, makes="image"),
    ),
    (
        "kling",
        Abilities(rate=5, floor=_s(5), listing=True, page=500, promises_outputs=True),
    ),
    (
        "luma-agents",
        Abilities(rate=10, floor=_s(2), promises_outputs=True, renews_links=True),
    ),
    ("minimax", Abilities(rate=5, floor=_s(10))),
    (
        "minimax-v2",
        Abilities(
            rate=5, floor=_s(5), listing=True, promises_outputs=True, renews_links=True
        ),
    ),
    ("openai-batch", Abilities(rate=10, floor=_s(30), listing=True, makes="batch")),
    ("openai-videos", Abilities(rate=10, floor=_s(2), listing=True)),
    ("pika", Abilities(rate=5, floor=_s(5))),
    ("relay-luma", Abilities(rate=5, floor=_s(5))),
    ("relay-luma-own", Abilities(rate=5, floor=_s(5), batch=50)),
    ("relay-midjourney", Abilities(rate=5, floor=_s(3), batch=50, makes="image")),
    ("relay-runway", Abilities(rate=5, floor=_s(5))),
    ("relay-suno", Abilities(rate=5, floor=_s(5), batch=50, makes="music")),
    ("relay-udio", Abilities(rate=5, floor=_s(5), makes="music")),
    ("replicate", Abilities(rate=40, floor=_s(0.5), listing=True, makes="image")),
    (
        "runway",
        Abilities(
            rate=10,
            floor=_s(5),
            promises_outputs=True,
            renews_links=True,
            gone_is_final=True,
        ),
    ),
    ("stability", Abilities(rate=5, floor=_s(10), makes="image")),
    ("veo", Abilities(rate=5, floor=_s(10))),
]


@pytest.mark.parametrize(
    ("name", "abilities"),
    TABLE,
    ids=[name for name, _ in TABLE],
)
def test_the_abilities_are_those_of_the_table(name: str, abilities: Abilities) -> None:
    assert provider(name).abilities == abilities


def test_the_table_forgets_no_provider() -> None:
    assert {name for name, _ in TABLE} == set(NAMES)


def test_what_audio_takes_is_expected_of_audio() -> None:
    assert provider("aimlapi-video", media="audio").abilities.makes == "music"


def test_kling_lists_nothing_without_families() -> None:
    plugin = PLUGINS.load("provider", "kling")
    assert not plugin(api_key="a:b", families=()).abilities.listing
