"""Which URLs may be contacted, and how they are written and shown."""

import codecs
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import yarl
from hypothesis import example, given
from hypothesis import strategies as st

from bridge.core.network.urls import barred, check_url, in_the_clear, parsed, shown

CORPUS = Path(__file__).parent.parent / "fixtures" / "ssrf_addresses.txt"

REFUSED = [
    "",
    "example.com/x",
    "//example.com/x",
    "http:/example.com/",
    "http:///127.0.0.1/",
    "ftp://example.com/",
    "http\u017f://example.com/",
    "http://" + "a" * 2042,
    "http://" + "a" * 300 + ".com/",
    "http://" + "a." * 130 + "example/",
    "http://user@example.com/",
    "http://good.example@127.0.0.1/",
    "http://good.example\\@127.0.0.1/",
    "http://good.example%2f@127.0.0.1/",
    "http://127.0.0.1%00.example.com/",
    "http://example.com/#",
    "http://example.com/#@127.0.0.1",
    " http://example.com/",
    "http://example.com/ ",
    "http://example.com/a b",
    "http://example.com/a\u00a0b",
    "http://example.com/a\u2028b",
    "http://example.com/a\u3000b",
    "http://example.com/\x85",
    "http://example.com/\x7f",
    "http://example.com/\r\nX: 1",
    "http://example.com/\ud800",
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x/",
    "http://0177.0.0.1/",
    "http://127.0.0.01/",
    "http://127.0.0.1.1/",
    "http://example.1/",
    "http://example.0x1f/",
    "http://\uff11\uff12\uff17.0.0.1/",
    "http://\u0661.example/",
    "http://127\u30020\u30020\u30021/",
    "http://ex\u200bample.com/",
    "http://ex\u00adample.com/",
    "http://\u24db\u24de\u24d2\u24d0\u24db/",
    "http://\ufb01sh.example/",
    "http://M\u00dcNCHEN.example/",
    "http://[::1",
    "http://::1/",
    "http://[::1]x/",
    "http://[]/",
    "http://[127.0.0.1]/",
    "http://[fe80::1%lo]/",
    "http://[fe80::1%25lo]/",
    "http://[::ffff:127.0.0.1.]/",
    "http://example.com:/",
    "http://example.com:0/",
    "http://example.com:65536/",
    "http://example.com:080000/",
    "http://example.com:x/",
    "http://example.com:+80/",
    "http://example.com:\u0668\u0660/",
    "http://example.com:443:80/",
    "http://a..b/",
    "http://./",
    "http://a../",
    "http://-a.example/",
    "http://a-.example/",
    "http://xn--/",
    "http://xn--a/",
    "http://xn--99zzzz/",
    "http://ex!ample.com/",
    "http://example.com,127.0.0.1/",
]
REBUILT = [
    ("https://example.com", "https://example.com/"),
    ("https://example.com?x=1", "https://example.com/?x=1"),
    ("HTTPS://Example.COM:8443/A?b=C", "https://example.com:8443/A?b=C"),
    ("https://example.com:443/", "https://example.com:443/"),
    ("https://example.com:08443/", "https://example.com:8443/"),
    ("https://example.com./x", "https://example.com/x"),
    ("http://127.0.0.1./", "http://127.0.0.1/"),
    ("https://m\u00fcnchen.example/", "https://xn--mnchen-3ya.example/"),
    ("https://XN--MNCHEN-3YA.example/", "https://xn--mnchen-3ya.example/"),
    ("https://example.com/z\u00fcrich", "https://example.com/z%C3%BCrich"),
    ("https://example.com/a%2Fb?c=%2F&d=%zz", "https://example.com/a%2Fb?c=%2F&d=%zz"),
    (
        "https://example.com/a/../b//c;d|e\"f'[x]",
        "https://example.com/a/../b//c;d|e\"f'[x]",
    ),
    ("https://example.com/@user?http://x", "https://example.com/@user?http://x"),
    ("https://[2606:4700:4700:0::1111]:8443", "https://[2606:4700:4700::1111]:8443/"),
    ("https://[::FFFF:8.8.8.8]/", "https://[::ffff:808:808]/"),
    ("https://my_service.a-b.example/", "https://my_service.a-b.example/"),
    ("http://1e100.net/", "http://1e100.net/"),
    ("http://a--b.example/", "http://a--b.example/"),
]

# Text that is nearly a URL, so that the checks behind the first one are reached.
PIECES = [
    *("http://", "https://", "HTTP://", "example.com", "localhost", "127.0.0.1", "[::1]"),
    *(
        "[fe80::1%25lo]",
        "xn--",
        "0x7f",
        "2130706433",
        ":80",
        ":0",
        ":99999",
        "a-",
        "-a",
        "_",
    ),
    *("%", "%2F", *".@:/\\#? \x00\t\n"),
    *(
        "\u3002",
        "\uff0e",
        "\u2460",
        "\u00fc",
        "\u200d",
        "\u0661",
        "\u017f",
        "\ud800",
        "\u00df",
    ),
    *("\u0130", "\u05d0", "\u0627", "\U0001f3ac"),
]
nearly_urls = st.builds(
    str.__add__,
    st.sampled_from(["http://", "https://", "Http://", "//", ""]),
    st.one_of(
        st.lists(st.sampled_from(PIECES), max_size=8).map("".join),
        st.text(max_size=30),
        st.from_regex(r"[a-z0-9.-]{1,12}(:[0-9]{1,5})?(/[!-~]{0,9})?", fullmatch=True),
    ),
)


def listed(verdict: str) -> list[str]:
    lines = CORPUS.read_text().splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    texts = [codecs.decode(row[1], "unicode_escape") for row in rows if row[0] == verdict]
    return [text for text in texts if "/" in text or text.startswith("http:")]


RESOLVED_LATER = {
    "127.0.0.1.nip.io",
    "inside.test",
    "inside6.test",
    "metadata.google.internal",
}


def refused(url: str) -> bool:
    try:
        return barred(check_url(url), ()) is not None
    except ValueError:
        return True


@pytest.mark.parametrize("url", REFUSED)
def test_a_url_that_libraries_could_read_differently_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"^[a-z]"):
        check_url(url)


@pytest.mark.parametrize(("url", "rebuilt"), REBUILT)
def test_a_good_url_is_rebuilt_with_path_and_query_as_written(
    url: str, rebuilt: str
) -> None:
    assert check_url(url) == rebuilt


@pytest.mark.parametrize("url", listed("deny"))
def test_a_hostile_url_is_refused_unless_only_its_resolver_can_tell(url: str) -> None:
    assert refused(url) or parsed(url).host in RESOLVED_LATER


@pytest.mark.parametrize("url", listed("allow"))
def test_a_url_of_the_public_internet_passes(url: str) -> None:
    assert not refused(url)


def test_the_corpus_is_read() -> None:
    assert len(listed("deny")) > 30
    assert len(listed("allow")) == 6


def test_the_longest_url_has_2048_characters_as_it_is_sent() -> None:
    start = "https://example.com/"
    assert check_url(start + "a" * (2048 - len(start)))
    with pytest.raises(ValueError, match="2048"):
        check_url(start + "\u00fc" * 400)


@given(nearly_urls)
@example("http://xn--\u00fc/")
def test_no_text_raises_anything_but_the_checks_own_error(text: str) -> None:
    raised: type[Exception] | None = None
    try:
        check_url(text)
    except Exception as error:  # noqa: BLE001  # any: that is the question
        raised = type(error)
    assert raised in {None, ValueError}


@given(nearly_urls)
def test_a_rebuilt_url_is_plain_and_passes_unchanged(text: str) -> None:
    try:
        rebuilt = check_url(text)
    except ValueError:
        return
    assert rebuilt.isascii()
    assert rebuilt.isprintable()
    assert check_url(rebuilt) == rebuilt


@given(nearly_urls)
@example("https://[::FFFF:8.8.8.8]:8443")
@example("https://m\u00fcnchen.example:1")
def test_every_library_finds_the_same_host_and_port_in_an_accepted_url(text: str) -> None:
    try:
        url = parsed(text)
    except ValueError:
        return
    ours, plain = (url.host, url.effective_port), urlsplit(url.text)
    of_httpx = httpx.URL(url.text)
    of_yarl = yarl.URL(url.text, encoded=True)
    default = {"http": 80, "https": 443}[url.scheme]
    assert (of_httpx.raw_host.decode(), of_httpx.port or default) == ours
    assert (of_yarl.raw_host, of_yarl.port) == ours
    assert (plain.hostname, plain.port or default) == ours


def test_a_shown_url_keeps_the_path_and_the_query_to_itself() -> None:
    url = "https://hooks.example.com:8443/services/T0/B0/secret?token=x"
    assert shown(url) == "https://hooks.example.com:8443/…"
    assert "secret" not in repr(parsed(url))


def test_what_is_no_url_is_shown_as_nothing() -> None:
    assert shown("https://user:secret@example.com/") == "…"


@pytest.mark.parametrize("url", REFUSED)
def test_a_reason_never_quotes_the_url(url: str) -> None:
    secret = "T0-secret"  # a word that no reason holds by itself
    with pytest.raises(ValueError, match=r"^[a-z]") as caught:
        check_url(url + "#" + secret)
    assert secret not in str(caught.value)


def test_an_address_in_the_url_itself_is_judged_by_network_allow() -> None:
    allow = [ip_network("127.0.0.0/8")]
    for url in ("http://127.0.0.1:9/", "http://localhost/", "http://a.localhost/"):
        assert barred(url, ()) == "127.0.0.1 is a loopback address"
        assert barred(url, allow) is None
    assert barred("http://[::1]/", allow) is not None
    assert barred("http://inside.example/", ()) is None


@pytest.mark.parametrize(
    ("url", "clear"),
    [
        ("http://example.com/", True),
        ("http://8.8.8.8/", True),
        ("https://example.com/", False),
        ("http://10.0.0.1/", False),
        ("http://localhost:3000/", False),
    ],
)
def test_plain_http_to_what_may_be_public_is_in_the_clear(url: str, clear: bool) -> None:
    assert in_the_clear(url) is clear
