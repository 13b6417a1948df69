"""What of a card fits: links whole or not at all, texts cut to the unit."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.core.card import Card, Link
from bridge.core.fitting import (
    dressed,
    fitting,
    footer,
    missing,
    nobody_named,
    on_one_line,
    when,
)
from bridge.core.text.cutting import utf16

LINKS = tuple(Link(label=str(size), url="x" * size) for size in (5, 50, 7, 3, 1))
CARD = Card(
    title="t", summary="s", links=LINKS, unlisted=2, command="genbridge status", id="9f0c"
)


def length(link: Link) -> int:
    return len(link.url)


def test_a_link_that_does_not_fit_is_left_out_and_the_next_may_fit() -> None:
    assert [length(link) for link in fitting(CARD, 15, length)] == [5, 7, 3]
    assert [length(link) for link in fitting(CARD, 15, length, most=1)] == [5]
    assert fitting(CARD, 0, length) == ()


def test_what_has_no_link_is_counted_with_what_could_not_be_linked() -> None:
    assert missing(CARD, 3) == "… +4 more: genbridge status"
    assert missing(replace(CARD, unlisted=0), 5) is None


def test_the_footer_says_when_how_long_and_which() -> None:
    moment = datetime(2026, 11, 21, 9, 30, tzinfo=timezone(timedelta(hours=1)))
    assert footer(CARD) == ["id 9f0c"]
    shown = replace(CARD, occurred_at=moment, expires_at=moment + timedelta(hours=1))
    assert footer(shown) == [
        "2026-11-21 08:30 UTC",
        "Links expire 2026-11-21 09:30 UTC",
        "id 9f0c",
    ]
    assert when(moment) == "2026-11-21 08:30 UTC"


def test_nobody_is_called_by_what_strangers_write() -> None:
    assert nobody_named("@all me@home") == "@\u200ball me@\u200bhome"
    assert on_one_line(" a\n b\t c ") == "a b c"


def test_a_text_that_fits_is_whole() -> None:
    assert dressed("a<b", 6, lambda text: text.replace("<", "&lt;")) == "a&lt;b"


def test_what_is_missing_is_counted_as_it_was_written() -> None:
    cut = dressed("<" * 1000, 100, lambda text: text.replace("<", "&lt;"))
    kept, _, rest = cut.partition("…")
    assert kept.count("&lt;") + int(rest.strip(" +more")) == 1000
    assert cut.endswith(" more")
    assert 95 <= len(cut) <= 100


@settings(deadline=None)
@given(st.text("a<@🎬\n", max_size=300), st.integers(20, 200))
def test_a_text_stays_within_the_limit_as_it_is_sent(text: str, limit: int) -> None:
    def dress(part: str) -> str:
        return nobody_named(part).replace("<", "&lt;")

    sent = dressed(text, limit, dress)
    assert utf16(sent) <= limit
    assert sent == dress(text) or "… +" in sent
