"""A source with several mistakes: one run tells them all, and none that only seems to be one."""

import pytest

from bridge.config import Environment, load
from bridge.config.mistakes import Wrong
from bridge.core.settings import Settings
from bridge.plugins import Plugins

GET = 'get: {url: "/jobs/{id}"}'
READ = "read: {state: status, states: {completed: [done]}}"
ACME = ("provider: http", "base_url: https://api.acme.example", GET, READ)


def source(*keys: str) -> str:
    return "sources:\n  acme:\n" + "".join(f"    {key}\n" for key in keys)


def read(text: str) -> Settings:
    environment = Environment(variables={}, read_file=lambda _: b"")
    return load(text.encode(), "c.yaml", environment=environment, catalog=Plugins())


def wrong(text: str) -> dict[str, str]:
    """What is said, by where it belongs within the source."""
    with pytest.raises(Wrong) as caught:
        read(text)
    assert caught.value.total == len(caught.value.mistakes)
    return {
        mistake.path.removeprefix("sources.acme."): mistake.message
        for mistake in caught.value.mistakes
    }


def test_a_mistake_in_a_description_hides_no_other() -> None:
    found = wrong(
        source(
            "provider: http",
            "base_url: https://api.acme.example",
            "discover: true",
            "rate_limit: fast",
            'hosts: ["*"]',
            "hint: a b",
            "floor: -1s",
            'headers: {"a b": c, x: "{kee}"}',
            'get: {url: "/jobs/{id}/{key}"}',
            "batch: {url: /x, query: {i: '{ids}', w: '{until}'}}",
            "read: {state: a.., states: {completed: [done]}}",
            "links: {template: '{asked}/file', type: video}",
        )
    )

    assert found.keys() == {
        "discover",
        "rate_limit",
        "hosts[0]",
        "hint",
        "floor",
        "headers.a b",
        "headers.x",
        "api_key",
        "batch.query",
        "read.state",
        "links.template",
    }
    assert found["discover"] == "there is no `list` to discover from"


def test_what_is_wrong_in_the_families_of_kling_is_told_with_all_the_rest() -> None:
    found = wrong(
        source("provider: kling", "looks: 0", "families: [text2video, 'a b', 'x//y']")
    )

    assert found.keys() == {"api_key", "looks", "families[1]", "families[2]"}
    assert found["families[1]"].startswith("families are such as text2video")


@pytest.mark.parametrize("besides", ["looks: 24", "looks: 0"])
def test_discovery_without_a_family_says_what_to_name(besides: str) -> None:
    keys = ("provider: kling", "api_key: k", "families: []", "discover: true", besides)

    found = wrong(source(*keys))

    assert found["discover"] == (
        "`families` is empty: name those whose lists are read, such as text2video"
    )


@pytest.mark.parametrize("besides", ["looks: 24", "looks: 0"])
def test_discovery_where_the_api_has_no_list_is_a_mistake(besides: str) -> None:
    keys = ("provider: luma-agents", "api_key: k", "discover: true", besides)

    assert wrong(source(*keys))["discover"] == "luma-agents has no list to discover from"


@pytest.mark.parametrize(
    ("keys", "paths"),
    [
        # The list is there, and wrong.
        ((*ACME, "discover: true", "list: {url: x}"), {"list.url"}),
        # It may be the list that is misspelt.
        ((*ACME, "discover: true", "lisst: {url: /x}"), {"lisst"}),
        # The key is there, and is none.
        ((*ACME, "api_key: [a]", "headers: {x: '{key}'}"), {"api_key"}),
        # The hold is there, and wrong.
        (
            (*ACME, "hold: {}", "batch: {url: /x, query: {i: '{ids}', w: '{until}'}}"),
            {"hold"},
        ),
        (
            ("provider: kling", "discover: true", "families: [A]"),
            {"api_key", "families[0]"},
        ),
        (("provider: runwai", "discover: true"), {"provider"}),
    ],
)
def test_what_is_there_but_wrong_is_not_missed_as_well(
    keys: tuple[str, ...], paths: set[str]
) -> None:
    assert wrong(source(*keys)).keys() == paths


def test_no_mistake_quotes_a_secret() -> None:
    with pytest.raises(Wrong) as caught:
        read(
            source(
                "provider: http",
                "base_url: https://api.acme.example",
                "api_key: canary",
                "headers: {x: 'canary {no}'}",
                "get: canary",
                "discover: true",
            )
        )

    assert "canary" not in "\n".join(
        line for one in caught.value.mistakes for line in (one.message, one.hint)
    )


@pytest.mark.parametrize(
    ("floor", "said"), [("100ms", True), ("249ms", True), ("250ms", False), ("0s", False)]
)
def test_a_pause_that_is_never_so_short_is_a_warning_with_its_place(
    floor: str, said: bool
) -> None:
    warnings = read(source(*ACME, f"floor: {floor}")).warnings

    found = [one for one in warnings if "never closer than 250ms" in one]
    assert len(found) == said
    assert not said or found[0].startswith("c.yaml:7:12: sources.acme.floor: ")
