"""Which addresses may be contacted."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address, ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.network.addresses import Allow, Network, loopback, refusal, sifted

CORPUS = Path(__file__).parent.parent / "fixtures" / "ssrf_addresses.txt"
# What a public receiver may be, and what no server on the internet is: neighbours of every range.
HOSTILE_WORDS = """
0.0.0.0 0.255.255.255 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.254 127.0.0.1
127.255.255.255 168.63.129.16 169.254.169.254 169.254.170.2 172.16.0.1 172.31.255.255 192.0.0.1
192.0.0.170 192.0.2.1 192.31.196.1 192.52.193.1 192.88.99.1 192.168.0.1 192.175.48.1 198.18.0.1
198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 ::
::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::127.0.0.1 ::ffff:0:127.0.0.1
64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b:1::a00:1 100::1 2001::1 2001:db8::1 2002:7f00:1::
2620:4f:8000::1 3fff::1 5f00::1 fc00::1 fd00:ec2::254 fe80::1 fe80::1%1 fec0::1 ff02::1 4000::1
"""
PUBLIC_WORDS = """
1.1.1.1 8.8.8.8 93.184.216.34 168.63.129.15 168.63.129.17 192.31.195.255 192.31.197.0
192.52.192.255 192.52.194.0 192.175.47.255 192.175.49.0 223.255.255.255 2000:: 2001:200::1
2003::1 2606:4700:4700::1111 2620:4f:7fff::1 2620:4f:8001::1 3ffe:ffff::1 3fff:1000::1
::ffff:8.8.8.8
"""
HOSTILE, PUBLIC = HOSTILE_WORDS.split(), PUBLIC_WORDS.split()

any_address = st.one_of(
    st.ip_addresses(),
    st.ip_addresses(v=4),
    st.sampled_from([ip_address(a) for a in HOSTILE + PUBLIC if "%" not in a]),
)
any_network = st.builds(
    lambda address, bits: ip_network(
        (address, min(bits, address.max_prefixlen)), strict=False
    ),
    any_address,
    st.integers(0, 128),
)


def listed(verdict: str) -> list[str]:
    lines = CORPUS.read_text().splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return [
        row[1]
        for row in rows
        if row[0] == verdict and "/" not in row[1] and row[1][:5] != "http:"
    ]


def allowing(*entries: str) -> Allow:
    return [ip_network(entry) for entry in entries]


@pytest.mark.parametrize("address", sorted({*listed("deny"), *HOSTILE}))
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    assert refusal(address) is not None


@pytest.mark.parametrize("address", sorted({*listed("allow"), *PUBLIC}))
def test_a_public_address_may_be_contacted(address: str) -> None:
    assert refusal(address) is None


def test_the_corpus_is_read() -> None:
    assert len(listed("deny")) > 40
    assert len(listed("allow")) > 15


@pytest.mark.parametrize(
    "text", ["", "localhost", "127.1", "2130706433", "0x7f.0.0.1", "1.2.3.4 "]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    assert refusal(text) is not None


def test_a_refusal_says_what_is_wrong_with_the_address() -> None:
    assert refusal("10.0.0.1") == "10.0.0.1 is a private address"
    assert refusal("::ffff:127.0.0.1") == "::ffff:7f00:1 is a loopback address"


@pytest.mark.parametrize(
    ("address", "entry"),
    [
        ("10.1.2.3", "10.0.0.0/8"),
        ("10.1.2.3", "0.0.0.0/0"),
        ("127.0.0.1", "127.0.0.1/32"),
        ("::ffff:127.0.0.1", "127.0.0.1/32"),
        ("::1", "::1/128"),
        ("fd12::1", "fc00::/7"),
        ("240.0.0.1", "240.0.0.0/4"),
        ("169.254.169.254", "169.254.169.254/32"),
        ("169.254.169.254", "169.254.0.0/16"),
        ("168.63.129.16", "168.63.129.16/32"),
        ("fe80::1", "fe80::/10"),
        ("64:ff9b::808:808", "64:ff9b::/96"),
    ],
)
def test_an_entry_of_network_allow_opens_an_address(address: str, entry: str) -> None:
    assert refusal(address) is not None
    assert refusal(address, allowing(entry)) is None


@pytest.mark.parametrize(
    ("address", "entry"),
    [
        ("169.254.169.254", "0.0.0.0/0"),
        ("169.254.169.254", "169.0.0.0/8"),
        ("168.63.129.16", "168.0.0.0/8"),
        ("::ffff:169.254.169.254", "0.0.0.0/0"),
        ("fe80::1", "::/0"),
        ("fe80::1%eth0", "fe80::/10"),
        ("0.0.0.0", "0.0.0.0/8"),
        ("::", "::/128"),
        ("224.0.0.1", "224.0.0.0/4"),
        ("ff02::1", "ff00::/8"),
        ("255.255.255.255", "255.255.255.255/32"),
        ("64:ff9b::7f00:1", "64:ff9b::/96"),
        ("64:ff9b::a9fe:a9fe", "::/0"),
        ("10.0.0.1", "10.0.1.0/24"),
    ],
)
def test_an_entry_that_is_too_wide_or_names_another_opens_nothing(
    address: str, entry: str
) -> None:
    assert refusal(address, allowing(entry)) is not None


def test_the_address_inside_a_translated_one_is_judged_by_network_allow_too() -> None:
    assert refusal("64:ff9b::7f00:1", allowing("64:ff9b::/96", "127.0.0.0/8")) is None


@given(any_address)
def test_what_may_be_contacted_is_global_and_unicast(
    address: IPv4Address | IPv6Address,
) -> None:
    inner = getattr(address, "ipv4_mapped", None) or address
    if refusal(address) is None:
        assert inner.is_global
        assert not inner.is_multicast


@given(st.ip_addresses(v=4), st.lists(any_network, max_size=3))
def test_a_mapped_address_is_judged_as_the_one_inside(
    address: IPv4Address, allow: list[Network]
) -> None:
    mapped = IPv6Address((0xFFFF << 32) + int(address))
    assert (refusal(mapped, allow) is None) == (refusal(address, allow) is None)


@given(any_address, st.lists(any_network, max_size=3), any_network)
def test_a_longer_list_never_closes_an_address(
    address: IPv4Address | IPv6Address, allow: list[Network], more: Network
) -> None:
    if refusal(address, allow) is None:
        assert refusal(address, [*allow, more]) is None


@given(st.lists(any_network, max_size=4))
def test_a_list_opens_metadata_only_by_an_entry_inside_it(allow: list[Network]) -> None:
    metadata = IPv4Network("169.254.0.0/16")
    if not any(isinstance(n, IPv4Network) and n.subnet_of(metadata) for n in allow):
        assert refusal("169.254.169.254", allow) is not None


@given(st.lists(any_address, min_size=1), st.lists(any_network, max_size=2))
def test_a_name_is_refused_for_a_single_answer_that_is_forbidden(
    answers: list[IPv4Address | IPv6Address], allow: list[Network]
) -> None:
    texts = [str(a) for a in answers if a not in ip_network("64:ff9b::/96")]
    forbidden = not texts or any(refusal(text, allow) is not None for text in texts)
    judged = sifted(texts, allow)
    assert (judged.refusal is not None) == forbidden
    assert judged.usable == (() if forbidden else tuple(texts))


def test_translations_of_answers_are_skipped_and_refuse_nothing() -> None:
    judged = sifted(["64:ff9b::808:808", "8.8.8.8"])
    assert judged.usable == ("8.8.8.8",)
    assert judged.refusal is None
    assert sifted(["64:ff9b::808:808"]).refusal is not None


def test_localhost_is_what_of_it_may_be_contacted() -> None:
    assert loopback().refusal is not None
    assert loopback(allowing("127.0.0.0/8")).usable == ("127.0.0.1",)
    assert loopback(allowing("127.0.0.0/8", "::1/128")).usable == ("127.0.0.1", "::1")
