"""What a text must look like to be a duration, a rate, a number, an address."""

from contextlib import suppress
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.config import scalars
from bridge.config.scalars import Unfit


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("500ms", 0.5),
        ("15s", 15),
        ("5m", 300),
        ("2h", 7200),
        ("3d", 259200),
        ("1.5h", 5400),
    ],
)
def test_durations_have_a_unit(text: str, seconds: float) -> None:
    assert scalars.duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "15",
        "0s",
        "-5s",
        "3650d",
        "9" * 12 + "d",
        "1e3s",
        "5 m",
        "5M",
        "\u0661s",
        "infs",
        "s",
        "5s\n",
    ],
)
def test_durations_are_positive_and_below_ten_years(text: str) -> None:
    with pytest.raises(Unfit):
        scalars.duration(text)


def test_a_rate_is_the_same_in_every_unit() -> None:
    assert scalars.rate("600/m") == scalars.rate("10/s")
    assert scalars.rate("0.5/s").per_second == 0.5


@pytest.mark.parametrize(
    "text", ["10", "0/s", "-1/s", ".inf", "nan/s", "10/y", "10 /s", ""]
)
def test_a_rate_is_positive_and_finite(text: str) -> None:
    with pytest.raises(Unfit):
        scalars.rate(text)


def test_sizes_are_binary() -> None:
    assert scalars.size("64KiB") == 65536
    with pytest.raises(Unfit):
        scalars.size("64K")


@pytest.mark.parametrize(
    "text", ["9" * 5000, "1_000", "+5", "010", "1.0", "\uff11", "0x10", ""]
)
def test_whole_numbers_are_plain_decimal_digits(text: str) -> None:
    with pytest.raises(Unfit):
        scalars.whole_number(text)


@pytest.mark.parametrize("text", ["yes", "True", "on", "1", ""])
def test_there_are_two_words_for_a_boolean(text: str) -> None:
    assert scalars.truth("true") is True
    assert scalars.truth("false") is False
    with pytest.raises(Unfit):
        scalars.truth(text)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("127.0.0.1:8383", ("127.0.0.1", 8383)),
        ("[::1]:8383", ("::1", 8383)),
        ("localhost:80", ("localhost", 80)),
        ("0.0.0.0:0", ("0.0.0.0", 0)),
        ("off", (None, 0)),
    ],
)
def test_the_api_listens_on_an_address_and_a_port(
    text: str, meant: tuple[str, int]
) -> None:
    assert scalars.listen(text) == meant


@pytest.mark.parametrize(
    "text",
    [
        "8383",
        ":8383",
        "127.0.0.1",
        "::1:8383",
        "[127.0.0.1]:1",
        "1.2.3.4:99999",
        "x.y:1",
        "[::1",
    ],
)
def test_half_an_address_is_refused(text: str) -> None:
    with pytest.raises(Unfit):
        scalars.listen(text)


def test_networks_are_addresses_or_networks() -> None:
    assert scalars.network("10.0.0.0/8") == IPv4Network("10.0.0.0/8")
    assert scalars.network("10.1.2.3") == IPv4Network("10.1.2.3/32")
    assert scalars.network("fd00::/8") == IPv6Network("fd00::/8")


@pytest.mark.parametrize(
    "text",
    ["10.0.0.1/8", "example.com", "10.0.0.0/255.0.0.0", "fe80::1%lo", "10/8", "", "1"],
)
def test_names_masks_scopes_and_host_bits_are_no_network(text: str) -> None:
    with pytest.raises(Unfit):
        scalars.network(text)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    for read in (
        scalars.duration,
        scalars.rate,
        scalars.size,
        scalars.whole_number,
        scalars.number,
        scalars.truth,
        scalars.listen,
        scalars.network,
        scalars.visible,
    ):
        with suppress(Unfit):
            read(text)


@given(st.text(min_size=1, max_size=512))
def test_an_id_is_any_text_without_control_characters(text: str) -> None:
    unseen = scalars.CONTROL.search(text)
    assert (scalars.why_no_id(text) is None) == (unseen is None and text not in {".", ".."})


def test_ids_have_1_to_512_characters() -> None:
    assert scalars.why_no_id("x" * 512) is None
    assert scalars.why_no_id("x" * 513) is not None
    assert scalars.why_no_id("") is not None


@pytest.mark.parametrize("name", ["", "a/b", ".", "..", " a", "a\tb", "\u202e", "x" * 65])
def test_names_stand_in_paths_and_on_terminals(name: str) -> None:
    assert scalars.why_no_name(name) is not None
    assert scalars.why_no_name("équipe vidéo 2") is None
