import signal
import time

import httpx
import pytest

from bridge.core.delivering.signing import new_key, read_key, signature_headers
from tests.cli.calling import genbridge, line_with, running

SECRET = new_key(bytes(range(32)))
BODY = b'{"type":"generation.completed","data":{"source":"luma","generation_id":"1","sequence":2}}'


def post(url: str, *, secret: str = SECRET) -> int:
    headers = dict(signature_headers([read_key(secret)], "id", int(time.time()), BODY))
    return httpx.post(
        url, content=BODY, headers={**headers, "webhook-attempt": "3"}
    ).status_code


@pytest.mark.parametrize("way", ["option", "environment"])
def test_a_callback_is_verified_and_printed(way: str) -> None:
    options = ["--secret", SECRET] if way == "option" else []
    env = {"GENBRIDGE_SECRET": SECRET} if way == "environment" else {}
    with running("listen", "--port", "0", *options, **env) as process:
        url = line_with(process, "listening on ").removeprefix("listening on ")
        assert post(url) == 200
        line = line_with(process, "generation.completed")
        assert "luma 1 #2, attempt 3, verified → 200" in line
        assert post(url, secret=new_key(bytes(range(1, 33)))) == 401
        assert "a wrong signature → 401" in line_with(process, "generation.completed")
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0


def test_it_answers_as_it_is_told() -> None:
    with running("listen", "--port", "0", "--status", "503") as process:
        assert "nothing can be verified" in line_with(process, "without --secret")
        url = line_with(process, "listening on ").removeprefix("listening on ")
        assert post(url) == 503


def test_a_bad_secret_is_wrong_usage_and_not_repeated() -> None:
    done = genbridge("listen", "--secret", "hunter2")
    assert done.returncode == 2
    assert "whsec_" in done.stderr
    assert "hunter2" not in done.stderr
