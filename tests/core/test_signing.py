"""Signatures are those of Standard Webhooks, byte for byte."""

import hmac
import subprocess
import sys
from base64 import b64encode
from datetime import UTC, datetime

import pytest
import standardwebhooks
import svix
from hypothesis import assume, given
from hypothesis import strategies as st

from bridge.core.delivering.signing import (
    Key,
    Kind,
    fingerprint,
    hub_signature,
    new_key,
    public_text,
    read_key,
    sign,
    signature_headers,
)

# The vectors of the specification (first) and of DELIVERY, section 1.
SPEC_ID, SPEC_TIME, SPEC_BODY = (
    "msg_p5jXN8AQM9LWM0D4loKWxJek",
    1614265330,
    b'{"test": 2432232314}',
)
SPEC_HMAC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SPEC_ED25519 = (
    "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HK"
    "pMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
)
OUR_ID, OUR_TIME = "9f0c3c9e-6f0f-5d3e-8a6b-0c1d2e3f4a5b", 1795249800
OUR_BODY = '{"type":"generation.completed","data":{"prompt":"Zażółć 🎬"}}'.encode()
NEW, OLD = new_key(bytes(range(32))), new_key(bytes(range(32, 64)))
PAIR = new_key(bytes(range(64, 96)), kind=Kind.ED25519)


def encoded(material: bytes) -> str:
    return b64encode(material).decode()


def test_the_hmac_vector_of_the_specification_comes_out() -> None:
    assert (
        sign([read_key(SPEC_HMAC)], SPEC_ID, SPEC_TIME, SPEC_BODY)
        == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


@given(st.binary(min_size=24, max_size=64), st.binary(max_size=300))
def test_every_good_secret_signs_as_hmac_sha256(material: bytes, body: bytes) -> None:
    assume(len(set(material)) > 1)
    signed = f"{OUR_ID}.{OUR_TIME}.".encode() + body
    mac = encoded(hmac.digest(material, signed, "sha256"))
    key = read_key("whsec_" + encoded(material))
    assert [sign([key], OUR_ID, OUR_TIME, body) for _ in range(2)] == [f"v1,{mac}"] * 2


def test_the_ed25519_vector_of_the_specification_comes_out() -> None:
    key = read_key(SPEC_ED25519)
    assert public_text(key) == "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="
    assert sign([key], SPEC_ID, SPEC_TIME, SPEC_BODY) == (
        "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM"
        "+m7TBAg=="
    )


def test_all_keys_sign_newest_first_with_one_space_between() -> None:
    keys = [read_key(text) for text in (NEW, OLD, PAIR)]
    assert sign(keys, OUR_ID, OUR_TIME, OUR_BODY) == (
        "v1,pVIE+CCkfXaekucHXCFHHIbVk0z58S2y8xG7NBUNI3k= "
        "v1,vuM50HESx5PSfhqpZKQBbU4/6NhDxKtgm0QVTSwr2kg= "
        "v1a,t3YMzaY9p2xSKIrpt2vJj7GEstMUZ5nOtbtuIpDago5gaP+E/CpXKJcWpioAwq9Yaltbe0gJ63n1eNH1l"
        "/csCw=="
    )


def test_the_hub_signature_takes_the_text_of_the_secret_as_its_key() -> None:
    assert hub_signature(read_key(NEW), OUR_BODY) == (
        "sha256=56d18eaa82041e40e4bd5b08d552c25e8b9ac3b8a372060f6bb8dc7b85ed3b7e"
    )


@pytest.mark.parametrize("secret", [NEW, OLD])
def test_the_official_libraries_verify_either_of_two_keys(secret: str) -> None:
    now = int(datetime.now(UTC).timestamp())
    keys = [read_key(NEW), read_key(OLD)]
    headers = dict(signature_headers(keys, OUR_ID, now, OUR_BODY))
    standardwebhooks.Webhook(secret).verify(OUR_BODY, headers)
    svix.Webhook(secret).verify(OUR_BODY, headers)


def test_the_official_libraries_refuse_a_changed_body() -> None:
    now = int(datetime.now(UTC).timestamp())
    headers = dict(signature_headers([read_key(NEW)], OUR_ID, now, OUR_BODY))
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(NEW).verify(OUR_BODY + b" ", headers)


def test_the_headers_are_id_time_and_signature() -> None:
    key = read_key(SPEC_HMAC)
    assert signature_headers([key], SPEC_ID, SPEC_TIME, SPEC_BODY) == (
        ("webhook-id", SPEC_ID),
        ("webhook-timestamp", "1614265330"),
        ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
    )


def test_without_a_key_there_is_no_signature_but_an_id_and_a_time() -> None:
    assert [name for name, _ in signature_headers([], OUR_ID, OUR_TIME, OUR_BODY)] == [
        "webhook-id",
        "webhook-timestamp",
    ]


def test_a_key_signs_the_same_again_and_again() -> None:
    key = read_key(NEW)
    first = sign([key], OUR_ID, OUR_TIME, OUR_BODY)
    sign([key], "another", OUR_TIME, b"{}")
    assert sign([key], OUR_ID, OUR_TIME, OUR_BODY) == first


GOOD_BYTES = st.binary(min_size=24, max_size=64).filter(lambda b: len(set(b)) > 1)


@given(GOOD_BYTES)
def test_every_secret_of_24_to_64_bytes_is_read_as_its_bytes(material: bytes) -> None:
    assert read_key("whsec_" + encoded(material)).material == material


@given(
    st.text()
    | st.text().map("whsec_".__add__)
    | st.text().map("whsk_".__add__)
    | st.binary(max_size=80).map(lambda b: "whsk_" + encoded(b))
)
def test_any_text_is_a_key_or_a_plain_reason(text: str) -> None:
    try:
        key = read_key(text)
    except ValueError as error:
        assert "genbridge keys new" in str(error)  # noqa: PT017  (both outcomes are lawful)
    else:
        assert key.text == text


RAW = bytes(range(32))
REFUSED = {
    "empty": "",
    "a password": "correct horse battery staple",
    "hexadecimal": RAW.hex(),
    "nothing after the prefix": "whsec_",
    "23 bytes": "whsec_" + encoded(RAW[:23]),
    "65 bytes": "whsec_" + encoded(bytes(range(65))),
    "no padding": "whsec_" + encoded(RAW).rstrip("="),
    "url-safe": "whsec_" + encoded(b"\xfb\xff" * 16).replace("+", "-").replace("/", "_"),
    "white space inside": "whsec_" + encoded(RAW)[:8] + " " + encoded(RAW)[8:],
    "a line break at the end": "whsec_" + encoded(RAW) + "\n",
    "stray bits at the end": "whsec_" + encoded(RAW)[:-2] + "9=",
    "all bytes zero": "whsec_" + encoded(bytes(32)),
    "all bytes alike": "whsk_" + encoded(b"x" * 32),
    "fullwidth letters": "whsec_" + "Ａ" * 44,  # noqa: RUF001  (they are the case)
    "an ed25519 key of 31 bytes": "whsk_" + encoded(RAW[:31]),
    "the wrong public half": "whsk_" + encoded(RAW + RAW),
    "a public key": public_text(read_key(PAIR)) or "",
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED.keys())
def test_a_bad_secret_is_refused_with_the_way_to_a_good_one(text: str) -> None:
    with pytest.raises(ValueError, match="genbridge keys new") as caught:
        read_key(text)
    assert (
        not text
        or text.removeprefix("whsec_")[:12] not in str(caught.value)
        or len(text) < 8
    )
    assert caught.value.__cause__ is None


def test_a_seed_alone_and_the_pair_of_it_are_the_same_key() -> None:
    seed = bytes(range(64, 96))
    assert read_key("whsk_" + encoded(seed)) == read_key(PAIR)


def test_a_key_does_not_show_its_secret() -> None:
    for text in (NEW, PAIR):
        key = read_key(text)
        shown = f"{key} {key!r}"
        assert text.partition("_")[2][:8] not in shown
        assert repr(key.material)[2:10] not in shown


def test_a_fingerprint_is_the_beginning_of_the_digest_of_the_bytes() -> None:
    # printf of the bytes 0 to 31 into sha256sum
    assert fingerprint(read_key(NEW)) == "630dcd29"


def test_an_hmac_secret_has_no_public_half() -> None:
    assert public_text(read_key(NEW)) is None


@pytest.mark.parametrize("kind", Kind)
def test_a_new_secret_is_made_of_32_bytes_and_read_again(kind: Kind) -> None:
    assert read_key(new_key(RAW, kind=kind)).kind is kind
    with pytest.raises(ValueError, match="32 bytes"):
        new_key(RAW[:31], kind=kind)


def test_hmac_keys_do_not_load_the_library_of_ed25519() -> None:
    program = (
        "import sys; from bridge.core.delivering.signing import read_key, sign; "
        f"sign([read_key({NEW!r})], 'a', 1, b'{{}}'); "
        "sys.exit('cryptography' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_keys_are_equal_when_they_sign_alike() -> None:
    assert read_key(NEW) == read_key(NEW)
    assert read_key(NEW) != read_key(OLD)
    assert isinstance(read_key(NEW), Key)
