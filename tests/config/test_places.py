"""Every mistake is named once, with its place, its line and a caret."""

from pathlib import Path

import pytest

from bridge.config import Wrong, load, mistakes
from tests.config.given import (
    GOOD,
    SOURCE,
    WATCH,
    WEBHOOK,
    Catalog,
    environment,
    said,
    settings,
    wrong,
)


def test_a_mistake_stands_at_its_line_and_column_with_a_hint_and_a_caret() -> None:
    text = GOOD + "server:\n  listen: 127.0.0.1:8383\n  tokn: x\n"
    assert str(wrong(text)) == (
        "config.yaml:9:3: server.tokn: unknown key; did you mean token?\n"
        "      tokn: *\n"
        "      ^"
    )


def test_all_mistakes_are_named_in_one_run_in_the_order_of_the_file() -> None:
    text = (
        "server: {listen: nowhere}\n"
        "sources:\n"
        "  s: {provider: plane, api_key: k, looks: many}\n"
        "webhooks:\n"
        "  h: {url: 'ftp://x', order: stric}\n"
        "watches:\n"
        "  - {source: t, id: a, deadline: soon}\n"
        "retention: {attempts: 30}\n"
    )
    assert [line.split(": ")[0:2] for line in said(text)] == [
        ["config.yaml:1:18", "server.listen"],
        ["config.yaml:3:17", "sources.s.provider"],
        ["config.yaml:3:43", "sources.s.looks"],
        ["config.yaml:5:12", "webhooks.h.url"],
        ["config.yaml:5:30", "webhooks.h.order"],
        ["config.yaml:7:14", "watches[0].source"],
        ["config.yaml:7:34", "watches[0].deadline"],
        ["config.yaml:8:23", "retention.attempts"],
    ]


def test_windows_line_ends_and_a_byte_order_mark_change_no_place() -> None:
    text = SOURCE + WEBHOOK + "watches:\n  - {source: s, id: a, untl: x}\n"
    assert said(text) != []
    assert said(text.replace("\n", "\r\n")) == said(text)
    assert said("\ufeff" + text) == said(text)


def test_columns_are_counted_in_characters_not_in_bytes() -> None:
    (line,) = said(GOOD + "retention: {bodies: 7d, 'żółć🎬': 1}\n")
    assert line.startswith("config.yaml:7:25: ")


def test_mistakes_are_records_too() -> None:
    (mistake,) = wrong(GOOD.replace("secret:", "secert:")).mistakes
    assert (mistake.file, mistake.line, mistake.column) == ("config.yaml", 4, 37)
    assert (mistake.path, mistake.message) == ("webhooks.h.secert", "unknown key")
    assert mistake.hint == "did you mean secret?"


def test_a_good_file_has_no_mistakes_and_a_bad_one_lists_them() -> None:
    there = environment()
    assert mistakes(GOOD.encode(), "c", environment=there, catalog=Catalog()) == ()
    (one,) = mistakes(b"a: b", "c", environment=there, catalog=Catalog())
    assert (one.line, one.path) == (1, "a")


def test_keys_of_a_record_inside_a_record_are_known() -> None:
    text = GOOD.replace("secret:", "retry: {jiter: 1, schedule: [5s, 6x]}, secret:")
    found = said(text)
    assert found[0].endswith("webhooks.h.retry.jiter: unknown key; did you mean jitter?")
    assert "webhooks.h.retry.schedule[1]: expected a duration" in found[1]


@pytest.mark.parametrize(
    "text",
    [
        "sources: []\n",
        "sources: {s: [a]}\n",
        "sources: {s: a}\n",
        "webhooks: x\n",
        "watches: {a: b}\n",
        "watches: [a]\n",
        "server: [a]\n",
        "network: {allow: {a: b}}\n",
        "database: [a]\n",
    ],
)
def test_a_list_is_no_mapping_and_a_word_is_neither(text: str) -> None:
    (line,) = said(text)
    assert "expected" in line


def test_fifty_mistakes_are_shown_and_the_rest_is_counted() -> None:
    error = wrong(GOOD + "".join(f"k{n}: 1\n" for n in range(120)))
    assert len(error.mistakes) == 50
    assert error.total == 120
    assert str(error).endswith("config.yaml: and 70 more")


def test_a_mistake_in_a_record_does_not_hide_those_in_others() -> None:
    text = SOURCE.replace("api_key: k", "api_key: k, looks: 0") + WEBHOOK
    found = said(text + "watches:\n  - {source: s, id: a, webhooks: [hh]}\n")
    assert len(found) == 2
    assert "did you mean h?" in found[1]


def test_who_names_a_source_that_is_wrong_is_not_blamed() -> None:
    assert len(said(SOURCE.replace("plain", "plane") + WEBHOOK + WATCH)) == 1


def test_a_misspelt_key_is_not_missing_as_well() -> None:
    assert len(said(SOURCE.replace("provider", "provder") + WEBHOOK)) == 1
    assert len(said(SOURCE + WEBHOOK + "watches:\n  - {source: s, idd: a}\n")) == 1


def test_a_long_line_is_quoted_around_the_mistake() -> None:
    many = ", ".join(f"i{n}" for n in range(1000))
    error = wrong(SOURCE + WEBHOOK + f"watches:\n  - {{source: s, ids: [{many}, i5]}}\n")
    line, caret = error.mistakes[0].excerpt
    assert len(line) <= 220
    assert line[caret.index("^") :].startswith("i5]}")


def test_a_file_that_cannot_be_read_is_named() -> None:
    with pytest.raises(Wrong, match=r"^c\.yaml:1:1: cannot be read: No such file"):
        load(Path("/no/such/c"), "c.yaml", environment=environment(), catalog=Catalog())


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("a: [b\nc: d\n", "2:2", "not valid YAML"),
        ("a: 'b\nc: d\n", "1:4", "this quote is never closed"),
        ("a: b: c\n", "1:5", "a second colon"),
        ("sources:\n\ts: x\n", "2:1", "a tab cannot indent"),
        ("a: @b\n", "1:4", "a value that begins with @ needs quotes"),
        ("- a\n", "1:1", "expected keys and values"),
        ("a: b\n---\na: b\n", "2:1", "only one document"),
        ("%TAG ! x\n---\na: b\n", "1:1", "directives with tags"),
        ("a: 1\na: 2\n", "2:1", "a: given twice"),
        ('a: 1\n"\\x61": 2\n', "2:1", "a: given twice"),
        ("? [a]\n: 1\n", "1:3", "a key must be a word"),
    ],
)
def test_mistakes_of_yaml_itself_have_a_place_and_plain_words(
    text: str, place: str, message: str
) -> None:
    assert any(
        line.startswith(f"config.yaml:{place}: ") and message in line for line in said(text)
    ), said(text)


@pytest.mark.parametrize(
    "line",
    ["  - {source: s, id: ${X}}", "  - {source: s, ids: [${X}]}", "  - [a, ${X:-y}]"],
)
def test_a_reference_without_quotes_in_braces_is_answered_with_the_remedy(
    line: str,
) -> None:
    (found,) = said(SOURCE + WEBHOOK + f"watches:\n{line}\n")
    assert found.startswith(f"config.yaml:6:{line.index('$') + 1}: ")
    assert 'in quotes inside […] and {…}: "${NAME}"' in found


def test_sections_that_are_all_commented_out_are_as_absent() -> None:
    good = settings(SOURCE + "webhooks:\nwatches:\n#  - x\nserver:\nnetwork:\n")
    assert good.watches == ()


def test_a_value_that_is_left_out_is_asked_for() -> None:
    (line,) = said(GOOD + "retention:\n  attempts:\n")
    assert "retention.attempts: expected a duration" in line
    assert line.endswith("but nothing is given")
