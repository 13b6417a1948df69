"""Escaping: whatever a stranger writes is shown as it was written, and calls nobody."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.text.escaping import markdown, mrkdwn, mrkdwn_address, mrkdwn_growth


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("*a* _b_ ~c~ `d`", "\\*a\\* \\_b\\_ \\~c\\~ \\`d\\`"),
        ("[x](https://e.example)", "\\[x\\](https:\\//e.example)"),
        ("# h\n- a\n  + b\n12. c", "\\# h\n\\- a\n  \\+ b\n12\\. c"),
        ("a - b 1.5 c+d", "a - b 1.5 c+d"),
        ("<@1> @here ||x||", "\\<@\u200b1\\> @\u200bhere \\|\\|x\\|\\|"),
        ("\\*", "\\\\\\*"),
    ],
)
def test_markdown_is_shown_as_it_is(text: str, sent: str) -> None:
    assert markdown(text) == sent


@given(st.text(st.sampled_from("ab\\*_~`|>#[]<@:/-+1. \n"), max_size=60))
def test_without_its_backslashes_markdown_reads_as_before(text: str) -> None:
    assert re.sub(r"\\([^\w\s]|_)", r"\1", markdown(text)).replace("\u200b", "") == text


def test_many_line_breaks_take_no_longer_than_any_other_text() -> None:
    assert markdown("\n" * 200_000) == "\n" * 200_000


@given(st.text(st.sampled_from("a&<>@|"), max_size=60))
def test_the_growth_of_mrkdwn_is_known_before(text: str) -> None:
    assert len(mrkdwn(text)) == len(text) + mrkdwn_growth(text)


def test_mrkdwn_names_nobody_and_a_bar_does_not_end_a_link() -> None:
    assert mrkdwn("<!channel> & @x") == "&lt;!channel&gt; &amp; @\u200bx"
    assert mrkdwn_address("https://a.example/b|c&d") == "https://a.example/b%7Cc&amp;d"
