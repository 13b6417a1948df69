import time
from pathlib import Path

import pytest

from bridge.core.delivering.signing import Kind, new_key, public_text, read_key, sign
from tests.cli.calling import genbridge

# The example of the Standard Webhooks specification.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'
HEADERS = (
    *("--id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
    *("--timestamp", "1614265330"),
    *("--signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
)
AGES = ("--tolerance", "1e12")


def test_a_good_signature_is_genuine() -> None:
    done = genbridge("verify", "--secret", SECRET, *HEADERS, *AGES, body=BODY)
    assert (done.returncode, done.stdout, done.stderr) == (0, "✓ genuine\n", "")


def test_the_body_may_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "body"
    file.write_bytes(BODY)
    done = genbridge("verify", file, "--secret", SECRET, *HEADERS, *AGES)
    assert (done.returncode, done.stdout) == (0, "✓ genuine\n")


def test_the_secret_may_come_from_the_environment() -> None:
    done = genbridge("verify", *HEADERS, *AGES, body=BODY, GENBRIDGE_SECRET=SECRET)
    assert done.returncode == 0


def test_one_of_several_secrets_is_enough() -> None:
    other = new_key(bytes(range(32)))
    secrets = ("--secret", other, "--secret", SECRET)
    assert genbridge("verify", *secrets, *HEADERS, *AGES, body=BODY).returncode == 0


@pytest.mark.parametrize(
    ("body", "more", "why"),
    [
        (BODY + b"\n", AGES, "no signature fits"),
        (b"", AGES, "no signature fits"),
        (BODY, (), "s old"),
        (BODY, ("--signature", "garbage", *AGES), "no signature fits"),
        (BODY, ("--timestamp", "now", *AGES), "not whole Unix seconds"),
    ],
)
def test_what_is_not_genuine_is_told_with_the_reason(
    body: bytes, more: tuple[str, ...], why: str
) -> None:
    done = genbridge("verify", "--secret", SECRET, *HEADERS, *more, body=body)
    assert done.returncode == 1
    assert done.stdout.startswith("✗ not genuine: ")
    assert why in done.stdout


@pytest.mark.parametrize("option", ["--key", "--secret"])
def test_an_ed25519_signature_is_checked_with_either_half_of_the_pair(option: str) -> None:
    pair = read_key(new_key(bytes(range(32)), kind=Kind.ED25519))
    half = public_text(pair) if option == "--key" else pair.text
    assert half is not None
    now = int(time.time())
    headers = (
        "--id",
        "a",
        "--timestamp",
        str(now),
        "--signature",
        sign([pair], "a", now, BODY),
    )
    assert genbridge("verify", option, half, *headers, body=BODY).returncode == 0
    assert genbridge("verify", option, half, *headers, body=b"other").returncode == 1


@pytest.mark.parametrize(
    "wrong",
    [
        (),
        ("--secret", "hunter2hunter2"),
        ("--secret", "whpk_hunter2"),
        ("--key", "hunter2hunter2"),
        ("--secret", SECRET, "/no/such/file"),
    ],
)
def test_what_cannot_be_checked_at_all_is_wrong_usage(wrong: tuple[str, ...]) -> None:
    done = genbridge("verify", *HEADERS, *AGES, *wrong, body=BODY)
    assert done.returncode == 2
    assert "Invalid value" in done.stderr
    assert "hunter2" not in done.stdout + done.stderr


def test_a_terminal_without_the_mark_gets_another_sign() -> None:
    done = genbridge(
        "verify", "--secret", SECRET, *HEADERS, *AGES, body=BODY, PYTHONIOENCODING="ascii"
    )
    assert (done.returncode, done.stdout) == (0, "? genuine\n")
