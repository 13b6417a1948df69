"""The answer as its bytes come in: in whatever pieces, within bounds, and never more than asked."""

import itertools
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.http.reply import Broken, Chatty, Malformed, Reply

OK = b"HTTP/1.1 200 OK\r\n"
WHOLE = OK + b"x-a: 1\r\ncontent-length: 5\r\n\r\nabcde"
CHUNKED = (
    OK + b"transfer-encoding: chunked\r\n\r\n2\r\nab\r\n3;x=y\r\ncde\r\n0\r\nx-t: 1\r\n\r\n"
)


def reply(limit: int = 65536, *, bodiless: bool = False) -> Reply:
    moments = itertools.count(1)
    return Reply(limit, lambda: float(next(moments)), bodiless=bodiless)


def fed(parts: Iterable[bytes], limit: int = 65536) -> Reply:
    made = reply(limit)
    for part in parts:
        if not made.done:
            made.feed(memoryview(part))
    return made


def split(whole: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(whole) + 1) for cut in cuts), len(whole)]
    return [whole[a:b] for a, b in itertools.pairwise(edges) if a < b]


@given(st.sampled_from([WHOLE, CHUNKED]), st.lists(st.integers(0, 200), max_size=9))
def test_however_it_is_cut_the_same_answer_is_read(whole: bytes, cuts: list[int]) -> None:
    made = fed(split(whole, cuts))
    assert (made.status, made.body, made.done, made.cut) == (200, b"abcde", True, False)
    assert made.keep
    assert made.heard == len(whole)


@given(st.binary(max_size=300), st.integers(0, 20))
def test_whatever_comes_is_an_answer_or_broken(noise: bytes, limit: int) -> None:
    for start in (b"", OK, OK + b"transfer-encoding: chunked\r\n\r\n"):
        made = reply(limit)
        try:
            made.feed(memoryview(start + noise))
        except Broken:
            continue
        assert len(made.body) <= limit
        made.end()


def test_a_trailer_is_no_header() -> None:
    made = fed([CHUNKED])
    assert made.headers == [(b"transfer-encoding", b"chunked")]


def test_lines_may_end_with_a_line_feed_alone() -> None:
    made = fed([WHOLE.replace(b"\r\n", b"\n")])
    assert (made.body, made.done) == (b"abcde", True)


def test_a_body_in_many_tiny_chunks_is_kept_as_one() -> None:
    tiny = b"2\r\nab\r\n" * 20_000
    made = fed([OK + b"transfer-encoding: chunked\r\n\r\n", tiny], limit=30_001)
    assert (len(made.body), made.cut, made.keep) == (30_001, True, False)


@pytest.mark.parametrize("pieces", [1, 3, 8190])
def test_a_line_of_8190_bytes_is_read_and_a_longer_one_is_not(pieces: int) -> None:
    head, end = b"x: ", b"\r\ncontent-length: 0\r\n\r\n"
    for length, good in ((8100, True), (8195, False)):
        whole = OK + head + b"a" * (length - len(head)) + end
        size = -(-len(whole) // pieces)
        parts = [whole[at : at + size] for at in range(0, len(whole), size)]
        if good:
            assert fed(parts).done
        else:
            with pytest.raises(Malformed, match="longer than 8190 bytes"):
                fed(parts)


def test_a_head_has_64_kib_at_most() -> None:
    lines = b"".join(b"x-%d: %b\r\n" % (n, b"a" * 1000) for n in range(100))
    with pytest.raises(Malformed, match="larger than 64 KiB"):
        fed(split(OK + lines + b"\r\n", list(range(0, 100_000, 4000))))


def test_a_line_after_an_interim_answer_is_bounded_too() -> None:
    early = b"HTTP/1.1 103 Early\r\n\r\n"
    with pytest.raises(Malformed):
        fed([early, OK + b"x: " + b"a" * 9000, b"b" * 9000])


def test_interim_answers_are_counted() -> None:
    early = b"HTTP/1.1 103 Early\r\nlink: x\r\n\r\n"
    assert fed([early * 16 + WHOLE]).headers[0] == (b"x-a", b"1")
    with pytest.raises(Chatty):
        fed([early * 17])


def test_the_end_of_the_connection_ends_a_body_without_a_length() -> None:
    made = fed([OK + b"\r\nabc"])
    assert not made.done
    assert made.end()
    assert (made.body, made.cut) == (b"abc", False)


@pytest.mark.parametrize("framing", [b"content-length: 9", b"transfer-encoding: chunked"])
def test_the_end_of_the_connection_cuts_a_body_with_one(framing: bytes) -> None:
    made = fed([OK + framing + b"\r\n\r\n3\r\nab"])
    assert made.end()
    assert made.cut


def test_without_a_whole_head_the_end_is_no_answer() -> None:
    assert not fed([OK + b"x: y"]).end()
    assert not fed([OK + b"x: y"]).late()


def test_time_cuts_what_is_not_done() -> None:
    made = fed([OK + b"\r\nabc"])
    assert made.late()
    assert (made.body, made.cut) == (b"abc", True)


def test_what_follows_the_answer_spoils_the_connection_and_not_the_answer() -> None:
    made = fed([WHOLE + WHOLE])
    assert (made.body, made.done, made.keep) == (b"abcde", True, False)
    assert not fed([WHOLE + b"garbage"]).keep


def test_a_long_line_is_not_read_behind_an_interim_answer_in_the_same_piece() -> None:
    for start in (b"HTTP/1.1 103 Early\r\n\r\n", b"\r\n\r\n"):
        with pytest.raises(Malformed, match="longer than 8190 bytes"):
            fed([start + OK + b"x: " + b"a" * 9000 + b"\r\ncontent-length: 0\r\n\r\n"])


def test_a_long_line_of_the_body_is_none_of_the_head() -> None:
    head = b"HTTP/1.1 200 OK\ncontent-length: 20000\n\r\n"
    assert fed([head + b"a" * 20_000]).body == b"a" * 20_000


@pytest.mark.parametrize("unit", [b"a" * 4096, b"x: y\r\n" * 500, b"x" * 8000 + b":\r\n"])
def test_trailers_without_end_are_left_unread(unit: bytes) -> None:
    made = fed([OK + b"transfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nx: "])
    for _ in range(40):
        if not made.done:
            made.feed(memoryview(unit))
    assert (made.body, made.done, made.cut, made.keep) == (b"ab", True, True, False)
    assert made.heard < 80_000


def test_chunk_extensions_without_end_are_left_unread() -> None:
    made = fed([OK + b"transfer-encoding: chunked\r\n\r\n3;", *[b"a" * 8192] * 40])
    assert (made.body, made.done, made.cut) == (b"", True, True)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 204 No\r\ncontent-length: 3\r\n\r\n",
        b"HTTP/1.1 204 No\r\ntransfer-encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nconnection: keep-alive, close\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n",
    ],
)
def test_a_connection_is_not_kept_where_more_may_follow_or_an_end_is_said(
    head: bytes,
) -> None:
    made = fed([head])
    assert (made.done, made.body, made.cut, made.keep) == (True, b"", False, False)


def test_an_interim_answer_that_closes_is_read_over_too() -> None:
    for early in (
        b"HTTP/1.1 103 Early\r\nconnection: close\r\n\r\n",
        b"HTTP/1.0 100 C\r\n\r\n",
    ):
        made = fed([early + WHOLE])
        assert (made.status, made.body, made.keep) == (200, b"abcde", True)


def test_a_chunk_that_is_shorter_than_its_size_is_broken() -> None:
    short = fed([OK + b"transfer-encoding: chunked\r\n\r\n3\r\nab\r\n0\r\n\r\n"])
    assert (short.done, short.cut, short.keep) == (True, True, False)
