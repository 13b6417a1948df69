"""Which answers are read, where they end and what may follow, held against h11.

h11 is the stricter of the two; what it refuses we may still read, but never keep the connection.
"""

import itertools
from dataclasses import dataclass, replace

import h11
from hypothesis import given
from hypothesis import strategies as st

from bridge.http.reply import Broken, Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a reader made of an answer and the end of its connection."""

    status: int
    body: bytes
    cut: bool
    keep: bool


def ours(whole: bytes, cuts: list[int], *, bodiless: bool) -> Seen | None:
    reply = Reply(65536, lambda: 0.0, bodiless=bodiless)
    edges = [0, *sorted(cut % (len(whole) + 1) for cut in cuts), len(whole)]
    came = [whole[a:b] for a, b in itertools.pairwise(edges) if a < b]
    try:
        for at, part in enumerate(came):
            if reply.done:
                # As a connection does with what comes behind the answer.
                unasked = b"".join(came[at:]).strip(b"\r\n") != b""
                keep = reply.keep and not unasked
                return Seen(status=reply.status, body=reply.body, cut=reply.cut, keep=keep)
            reply.feed(memoryview(part))
        kept = reply.keep
        if not reply.done and not reply.end():
            return None
    except Broken:
        return None
    return Seen(status=reply.status, body=reply.body, cut=reply.cut, keep=kept)


def theirs(whole: bytes, *, bodiless: bool) -> Seen | None:
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 20)
    method = "HEAD" if bodiless else "GET"
    connection.send(h11.Request(method=method, target="/", headers=[("host", "x")]))
    connection.send(h11.EndOfMessage())
    status, body, ended = 0, b"", False
    try:
        connection.receive_data(whole)
        while True:
            match connection.next_event():
                case h11.NEED_DATA if not ended:
                    connection.receive_data(b"")
                    ended = True
                case h11.Response(status_code=status):
                    pass
                case h11.Data(data=part):
                    body += part
                case h11.EndOfMessage():
                    done = connection.their_state is h11.DONE
                    left = connection.trailing_data[0].strip(b"\r\n")
                    return Seen(status=status, body=body, cut=False, keep=done and not left)
                case h11.InformationalResponse():
                    pass
                case _:
                    return None
    except h11.RemoteProtocolError:
        return Seen(status=status, body=body, cut=True, keep=False) if status else None


STATUS = [b"HTTP/1.1 200 OK"] * 6 + [
    b"HTTP/1.0 200 OK",
    b"HTTP/1.1 200",
    b"HTTP/1.1 204 No",
    b"HTTP/1.1 205 Reset",
    b"HTTP/1.1 304 Same",
    b"http/1.1 200 OK",
    b"HTTP/1.1  200 OK",
]
LINES = [
    b"content-length: 0",
    b"content-length: 3",
    b"Content-Length:5",
    b"transfer-encoding: chunked",
    b"Transfer-Encoding: Chunked",
    b"connection: close",
    b"connection: keep-alive",
    b"x: y",
]
NAMES = [
    b"content-length",
    b"content-length ",
    b"transfer-encoding",
    b"connection",
    b"upgrade",
    b" x",
    b"",
]
VALUES = [
    *(b"0", b"3", b"03", b"+3", b"-1", b"3, 3", b"3,4", b"3 3", b"0x3", b" 3 ", b""),
    *(b"3\t", b"\x0b3", b"18446744073709551616"),
    *(b"chunked", b"gzip, chunked", b"chunked, gzip", b"chunked, chunked", b"identity"),
    *(b"chunked;q=1", b"xchunked", b"chunked\x0b", b",chunked", b"chunked,"),
    *(b"close", b"keep-alive, close", b"close, keep-alive", b"Close , x", b"upgrade"),
    *(b"a\rb", b"a\nb", b"a\r\n b", b"a\0b", b"\xff"),
]
BEFORE = [b""] * 6 + [
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 103 Early\r\ncontent-length: 3\r\n\r\n",
    b"HTTP/1.1 103 Early\r\nconnection: close\r\n\r\n",
    b"HTTP/1.0 100 Continue\r\n\r\n",
]
SIZES = [b"3"] * 5 + [b"03", b"5", b"0", b"0x3", b"-3", b"", b"FFFFFFFFFFFFFFFFF", b"g"]
# White space before an extension we read as old servers write it, h11 does not.
EXTENSIONS = [b""] * 5 + [b";a=b", b" ", b";a", b';a="b"', b";\0"]
AFTER = [b""] * 6 + [
    b"H",
    b"x",
    b" ",
    b"\0",
    b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
]

any_of = st.sampled_from
line = st.one_of(
    any_of(LINES), st.builds(lambda a, b: a + b": " + b, any_of(NAMES), any_of(VALUES))
).map(lambda text: text + b"\r\n")
head = st.builds(
    lambda status, lines: status + b"\r\n" + b"".join(lines) + b"\r\n",
    any_of(STATUS),
    st.lists(line, max_size=4),
)
chunk = st.builds(
    lambda size, ext, body: size + ext + b"\r\n" + body + b"\r\n",
    any_of(SIZES),
    any_of(EXTENSIONS),
    any_of([b"abc", b"abc", b"abc", b"ab", b"abcde"]),
)
chunks = st.builds(
    lambda parts, ext, trailer: b"".join(parts) + b"0" + ext + b"\r\n" + trailer + b"\r\n",
    st.lists(chunk, max_size=3),
    any_of(EXTENSIONS),
    st.one_of(st.just(b""), line),
)
body = st.one_of(any_of([b"", b"abc", b"abcde", b"ab"]), chunks)
by_length = st.builds(
    lambda status, text, lines: (
        b"%b\r\n%bcontent-length: %d\r\n\r\n%b" % (status, b"".join(lines), len(text), text)
    ),
    any_of(STATUS),
    any_of([b"", b"abc"]),
    st.lists(line, max_size=1),
)
by_chunks = st.builds(
    lambda status, coding, text: status + b"\r\n" + coding + b"\r\n\r\n" + text,
    any_of(STATUS),
    any_of([b"transfer-encoding: chunked", b"transfer-encoding: gzip, chunked"]),
    chunks,
)
answers = st.builds(
    lambda *parts: b"".join(parts),
    any_of(BEFORE),
    st.one_of(by_length, by_chunks, st.builds(lambda a, b: a + b, head, body)),
    any_of(AFTER),
)


@given(answers, st.booleans())
def test_a_connection_is_kept_only_where_h11_reads_the_same_answer_and_keeps_it(
    whole: bytes, bodiless: bool
) -> None:
    seen = ours(whole, [], bodiless=bodiless)
    if seen is not None and seen.keep:
        reference = theirs(whole, bodiless=bodiless)
        if b"HTTP/1.0 200" in whole and reference is not None and not reference.cut:
            # h11 keeps none of HTTP/1.0, though `keep-alive` says so.
            reference = replace(reference, keep=True)
        assert reference == seen


@given(answers)
def test_a_whole_answer_has_the_body_that_h11_sees(whole: bytes) -> None:
    seen, reference = ours(whole, [], bodiless=False), theirs(whole, bodiless=False)
    if seen is not None and reference is not None and not (seen.cut or reference.cut):
        assert (seen.status, seen.body) == (reference.status, reference.body)


@given(answers, st.lists(st.integers(0, 300), max_size=6), st.booleans())
def test_how_it_is_cut_changes_nothing(
    whole: bytes, cuts: list[int], bodiless: bool
) -> None:
    assert ours(whole, cuts, bodiless=bodiless) == ours(whole, [], bodiless=bodiless)
