"""Ids of the file that their source can never ask about: each a mistake with its place."""

import pytest

from bridge.config import Environment, load
from bridge.config.mistakes import Wrong
from bridge.core.settings import Settings
from bridge.plugins import Plugins

SOURCES = """\
sources:
  clips: {provider: kling, api_key: key-canary}
  flux: {provider: flux, api_key: key-canary}
  veo: {provider: veo, api_key: key-canary}
watches:
"""


def read(watches: str, sources: str = SOURCES) -> Settings:
    environment = Environment(variables={}, read_file=lambda _: b"")
    content = (sources + watches).encode()
    return load(content, "c.yaml", environment=environment, catalog=Plugins())


def said(watches: str, sources: str = SOURCES) -> list[str]:
    with pytest.raises(Wrong) as caught:
        read(watches, sources)
    return [str(mistake).split("\n")[0] for mistake in caught.value.mistakes]


@pytest.mark.parametrize(
    ("watch", "line"),
    [
        ("{source: clips, id: '866168'}", "c.yaml:6:25: watches[0].id: Kling's ids are"),
        (
            "{source: veo, id: models//operations/7}",
            "c.yaml:6:23: watches[0].id: the generation's id holds an empty path segment",
        ),
        (
            "{source: flux, id: 'https://evil.example/canary'}",
            "c.yaml:6:24: watches[0].id: a link as an id: the key is not sent to",
        ),
    ],
)
def test_an_id_that_can_never_be_asked_about_is_a_mistake(watch: str, line: str) -> None:
    (found,) = said(f"  - {watch}\n")

    assert found.startswith(line)
    assert "canary" not in found


def test_of_many_ids_each_wrong_one_is_told() -> None:
    found = said("  - {source: clips, ids: [a/1, '2', 'b/3', c//4]}\n")

    assert [line.split(": ")[1] for line in found] == [
        "watches[0].ids[1]",
        "watches[0].ids[3]",
    ]


def test_ids_of_a_source_that_is_wrong_itself_are_not_blamed() -> None:
    sources = SOURCES.replace("{provider: kling, api_key: key-canary}", "{provider: kling}")

    (line,) = said("  - {source: clips, id: '866168'}\n", sources)

    assert "sources.clips.api_key: missing" in line


def test_an_id_that_fits_is_taken_as_it_is_written() -> None:
    whole = "https://api.eu1.bfl.ai/v1/get_result?id=7"
    loaded = read(f"  - {{source: flux, ids: [7//8=, '{whole}']}}\n")

    assert [watch.id for watch in loaded.watches] == ["7//8=", whole]
