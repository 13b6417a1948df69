"""The token of kling: checked as the vendor would."""

import base64
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.simulator.exchange import Call
from bridge.simulator.upstream import Upstream
from bridge.simulator.vendors.kling_token import token_or_key
from bridge.telemetry.clock import SystemClock

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
PAIR = "access:secret"


def encoded(document: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


def token(
    now: datetime,
    *,
    iss: str = "access",
    secret: str = "secret",
    alg: str = "HS256",
    begins: float = -5.0,
    ends: float = 1800.0,
) -> str:
    """A token as a client mints it; spans are counted from now."""
    at = int(now.timestamp())
    claims = {"iss": iss, "nbf": int(at + begins), "exp": int(at + ends)}
    signed = f"{encoded({'alg': alg, 'typ': 'JWT'})}.{encoded(claims)}"
    digest = hmac.digest(secret.encode(), signed.encode(), "sha256")
    return f"{signed}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def shown(key: str, good: str | None) -> str | None:
    headers = {"authorization": f"Bearer {key}"}
    call = Call(method="GET", provider="kling", path="/", headers=headers, at=0.0)
    return token_or_key(call, good, NOW)


def test_a_good_token_is_let_in_by_its_access_key() -> None:
    assert shown(token(NOW), PAIR) == "access"


@pytest.mark.parametrize(
    "changes",
    [
        {"secret": "guess"},
        {"iss": "another"},
        {"iss": ""},
        {"ends": 0.0},
        {"ends": -10.0},
        {"begins": 10.0},
        {"alg": "none"},
        {"alg": "HS512"},
    ],
)
def test_a_token_that_is_forged_or_out_of_its_time_is_refused(
    changes: dict[str, Any],
) -> None:
    assert shown(token(NOW, **changes), PAIR) is None


def test_a_changed_token_is_refused() -> None:
    head, _, signature = token(NOW).split(".")
    longer = {"iss": "access", "nbf": 0, "exp": 9_999_999_999}
    assert shown(f"{head}.{encoded(longer)}.{signature}", PAIR) is None


def test_while_any_key_is_good_only_the_times_of_a_token_count() -> None:
    assert shown(token(NOW, secret="guess"), None) == "access"
    assert shown(token(NOW, ends=-1.0), None) is None


def test_a_relay_takes_a_plain_key() -> None:
    assert shown("plain", None) == "plain"
    assert shown("plain", "plain") == "plain"
    assert shown("other", "plain") is None
    assert shown(token(NOW), "plain") is None
    assert shown("access:secret", PAIR) is None


@given(st.text(alphabet=st.characters(codec="latin-1"), max_size=40))
def test_no_text_with_two_dots_is_taken_for_a_token_nor_breaks_anything(text: str) -> None:
    assert shown(f"{text.replace('.', '')}.e30.x", None) is None


@pytest.mark.anyio
async def test_a_bad_token_is_answered_in_the_vendors_envelope(
    client: httpx.AsyncClient,
) -> None:
    clock = SystemClock()
    async with Upstream(clock=clock, key=PAIR, speed=1e7) as upstream:
        # Simulated hours go by, but the token counts by the clock of the clients.
        url = f"{upstream.url('kling')}/v1/videos/{upstream.add('kling')}"
        answers = []
        changes: dict[str, Any]
        for changes in ({}, {"ends": -1.0}, {"secret": "guess"}):
            shown = f"Bearer {token(clock.now(), **changes)}"
            answers.append(await client.get(url, headers={"authorization": shown}))
    told = [(answer.status_code, answer.json()["code"]) for answer in answers]
    assert told == [(200, 0), (401, 1002), (401, 1002)]
