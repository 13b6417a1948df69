"""The verifier for receivers: exact, patient with strangers' tokens, and alone."""

import subprocess
import sys
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import standardwebhooks
from hypothesis import given
from hypothesis import strategies as st

import bridge.verify
from bridge.core.delivering.signing import (
    Kind,
    new_key,
    public_text,
    read_key,
    signature_headers,
)
from bridge.verify import Headers, VerificationError, verify

ID, TIME = "9f0c3c9e-6f0f-5d3e-8a6b-0c1d2e3f4a5b", 1795249800
BODY = '{"type":"generation.completed","data":{"prompt":"Zażółć 🎬"}}'.encode()
NEW, OLD = new_key(bytes(range(32))), new_key(bytes(range(32, 64)))
PAIR = new_key(bytes(range(64, 96)), kind=Kind.ED25519)
PUBLIC = public_text(read_key(PAIR)) or ""
STRANGER = new_key(bytes(range(100, 132)))
ALL = [read_key(text) for text in (NEW, OLD, PAIR)]
HEADERS = dict(signature_headers(ALL, ID, TIME, BODY))


def reason(
    body: bytes = BODY,
    headers: Headers = HEADERS,
    keys: str | list[str] = NEW,
    *,
    tolerance: float = 300,
    now: float = TIME,
) -> str:
    with pytest.raises(VerificationError) as caught:
        verify(body, headers, keys, tolerance=tolerance, now=now)
    return caught.value.reason


def signed_with(signature: str) -> dict[str, str]:
    return HEADERS | {"webhook-signature": signature}


@pytest.mark.parametrize("key", [NEW, OLD, PUBLIC])
def test_each_of_the_keys_that_signed_verifies_by_itself(key: str) -> None:
    assert verify(BODY, HEADERS, key, now=TIME) == ID


def test_one_key_that_fits_among_several_is_enough() -> None:
    assert verify(BODY, HEADERS, [STRANGER, OLD], now=TIME) == ID
    assert verify(BODY, HEADERS, iter([STRANGER, PUBLIC]), now=TIME) == ID


def test_what_the_official_library_signs_verifies() -> None:
    moment = datetime.fromtimestamp(TIME, UTC)
    signature = standardwebhooks.Webhook(NEW).sign(ID, moment, BODY.decode())
    assert verify(BODY, signed_with(signature), NEW, now=TIME) == ID


def test_the_vectors_of_the_specification_verify() -> None:
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": (
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE= v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNV"
            "qkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="
        ),
    }
    for key in (
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=",
    ):
        assert verify(b'{"test": 2432232314}', headers, key, now=1614265330)


@pytest.mark.parametrize("key", [NEW, OLD, PUBLIC])
@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_a_body_with_one_byte_changed_does_not_verify(
    key: str, place: int, change: int
) -> None:
    changed = bytearray(BODY)
    changed[place] ^= change
    assert reason(bytes(changed), keys=key) == "signature"


@pytest.mark.parametrize("key", [NEW, PUBLIC])
def test_id_and_time_are_signed_too(key: str) -> None:
    assert reason(headers=HEADERS | {"webhook-id": ID + "0"}, keys=key) == "signature"
    later = HEADERS | {"webhook-timestamp": str(TIME + 1)}
    assert reason(headers=later, keys=key) == "signature"


def test_another_key_does_not_verify() -> None:
    assert reason(keys=STRANGER) == "signature"
    assert reason(
        keys=public_text(read_key(new_key(bytes(range(32)), kind=Kind.ED25519))) or ""
    )


@pytest.mark.parametrize(
    "headers",
    [
        {name.upper(): value for name, value in HEADERS.items()},
        {name.title(): value for name, value in HEADERS.items()},
        list(HEADERS.items()),
        [(name.encode(), value.encode()) for name, value in HEADERS.items()],
        [*HEADERS.items(), ("webhook-id", "a second one"), ("x", "y")],
    ],
    ids=["upper case", "title case", "pairs", "bytes, as ASGI has them", "repeated"],
)
def test_headers_are_found_in_any_case_and_shape(headers: Headers) -> None:
    assert verify(BODY, headers, NEW, now=TIME) == ID


@pytest.mark.parametrize("name", HEADERS)
def test_a_missing_or_empty_header_is_named(name: str) -> None:
    rest = {n: v for n, v in HEADERS.items() if n != name}
    assert reason(headers=rest) == "missing"
    assert reason(headers=rest | {name: ""}) == "missing"
    with pytest.raises(VerificationError, match=name):
        verify(BODY, rest, NEW, now=TIME)


GOOD = HEADERS["webhook-signature"]


@pytest.mark.parametrize("key", [NEW, PUBLIC])
@pytest.mark.parametrize(
    "strange",
    [
        "v1",
        "v1,",
        ",",
        "",
        "v2,AAAA",
        "v1,%%%",
        "v1a,%%%",
        "v1a,AAAA",
        "v1,é",
        "v1a,é",
        "x,y,z",
    ],
)
def test_strange_tokens_before_the_good_one_are_skipped(key: str, strange: str) -> None:
    assert verify(BODY, signed_with(f"{strange} {GOOD}"), key, now=TIME) == ID
    assert verify(BODY, signed_with(f"{GOOD}  {strange}"), key, now=TIME) == ID
    assert reason(headers=signed_with(strange or " "), keys=key) == "signature"


def test_a_token_of_one_version_does_not_count_for_the_other() -> None:
    mac = GOOD.split(" ")[0].removeprefix("v1,")
    assert reason(headers=signed_with(f"v1a,{mac}")) == "signature"
    assert reason(headers=signed_with(f"V1,{mac}")) == "signature"


def test_only_so_many_tokens_are_tried() -> None:
    assert verify(BODY, signed_with("v1,AA " * 31 + GOOD), NEW, now=TIME)
    assert reason(headers=signed_with("v1,AA " * 32 + GOOD)) == "signature"


@pytest.mark.parametrize("age", [-300, -299, 0, 299, 300])
def test_a_request_within_the_tolerance_verifies(age: int) -> None:
    assert verify(BODY, HEADERS, NEW, now=TIME + age) == ID


def test_an_older_or_a_future_request_is_refused() -> None:
    assert reason(now=TIME + 300.5) == "old"
    assert reason(now=TIME - 300.5) == "future"
    assert reason(now=TIME + 11, tolerance=10) == "old"
    assert reason(now=float("nan")) == "future"


def test_the_clock_of_the_machine_counts_by_default() -> None:
    now = datetime.now(UTC)
    fresh = dict(signature_headers(ALL, ID, int(now.timestamp()), BODY))
    assert verify(BODY, fresh, NEW) == ID
    past = int((now - timedelta(minutes=6)).timestamp())
    with pytest.raises(VerificationError):
        verify(BODY, dict(signature_headers(ALL, ID, past, BODY)), NEW)


@pytest.mark.parametrize(
    "stamp", [f"{TIME}.5", f"+{TIME}", f" {TIME}", "٣", "x", "1_0", "1" * 99]
)
def test_a_time_that_is_not_whole_seconds_is_refused(stamp: str) -> None:
    assert reason(headers=HEADERS | {"webhook-timestamp": stamp}) == "timestamp"


@pytest.mark.parametrize(
    "key",
    [
        "",
        "secret",
        PAIR,
        "whsec_",
        "whsec_" + "A" * 16,
        NEW.rstrip("="),
        NEW + "\n",
        NEW[:-2] + "9=",
        "whsec_" + b64encode(b"\xfb\xff" * 16).decode().replace("+", "-").replace("/", "_"),
        "whpk_",
        "whpk_" + b64encode(bytes(31)).decode(),
    ],
)
def test_a_key_that_cannot_be_used_is_said_to_be_ours(key: str) -> None:
    assert reason(keys=key) == "key"
    assert reason(keys=[NEW, key]) == "key"


def test_no_key_at_all_verifies_nothing() -> None:
    assert reason(keys=[]) == "key"


def test_a_body_that_was_decoded_is_refused() -> None:
    text: object = BODY.decode()
    assert isinstance(text, str)
    assert reason(text) == "body"  # type: ignore[arg-type]  # the mistake itself


@given(
    st.binary(max_size=50),
    st.dictionaries(st.sampled_from([*HEADERS, "x"]), st.text(max_size=80)),
    st.text(max_size=60),
)
def test_whatever_arrives_raises_nothing_but_verification_error(
    body: bytes, headers: dict[str, str], key: str
) -> None:
    for keys in (key, NEW, PUBLIC):
        with pytest.raises(VerificationError):
            verify(body, HEADERS | headers, keys, now=TIME)


def test_the_file_works_alone_and_with_the_standard_library_alone(tmp_path: Path) -> None:
    source = Path(bridge.verify.__file__).read_bytes()
    (tmp_path / "verifier.py").write_bytes(source)
    program = (
        "import sys; from verifier import verify; "
        f"verify({BODY!r}, {HEADERS!r}, {NEW!r}, now={TIME}); "
        "sys.exit(any(m in sys.modules for m in ('bridge', 'cryptography')))"
    )
    done = subprocess.run([sys.executable, "-S", "-c", program], cwd=tmp_path, check=False)
    assert done.returncode == 0
