from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.simulator.exchange import json_reply
from bridge.simulator.limits import Meter, RetryAfter, refusal
from bridge.simulator.upstream import Upstream

NOW = datetime(2026, 11, 21, 8, 30, 0, 500_000, tzinfo=UTC)


@given(st.lists(st.floats(0, 0.5), max_size=60), st.integers(1, 5))
def test_no_second_holds_more_than_the_limit(gaps: list[float], limit: int) -> None:
    meter, now, let = Meter(), 0.0, []
    for gap in gaps:
        now += gap
        if not meter.wait(now, limit):
            let.append(now)
    assert all(later - first >= 1.0 for first, later in zip(let, let[limit:], strict=False))


@given(st.lists(st.floats(0, 0.5), max_size=60), st.integers(1, 5))
def test_who_waits_as_long_as_told_is_let_through(gaps: list[float], limit: int) -> None:
    meter, now = Meter(), 0.0
    for gap in gaps:
        now += gap
        wait = meter.wait(now, limit)
        if wait:
            now += wait + 1e-6
            assert meter.wait(now, limit) == 0.0


def test_a_limit_of_nothing_lets_nothing_through() -> None:
    assert Meter().wait(0.0, 0) == 1.0


def test_a_refusal_says_in_every_form_when_to_come_back() -> None:
    def headers(form: RetryAfter) -> dict[str, str]:
        return dict(refusal(json_reply({"detail": "no"}, 429), 0.25, form, NOW).headers)

    assert "retry-after" not in headers(RetryAfter.NONE)
    assert headers(RetryAfter.SECONDS)["retry-after"] == "1"
    assert headers(RetryAfter.MILLISECONDS)["retry-after-ms"] == "250"
    then = parsedate_to_datetime(headers(RetryAfter.DATE)["retry-after"])
    assert 0.25 <= (then - NOW).total_seconds() <= 2
    body = refusal(json_reply({"detail": "no"}, 429), 0.25, RetryAfter.BODY, NOW).body
    assert body == b'{"detail": "no", "retry_after": 1}'


@pytest.mark.anyio
async def test_each_key_has_a_limit_of_its_own(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    upstream.switch(limit=2, retry_after=RetryAfter.SECONDS)
    url = upstream.url("luma-agents") + "/generations/"
    url += upstream.add("luma-agents", script=[("queued", None)])
    statuses = [(await client.get(url)).status_code for _ in range(2)]
    refused = await client.get(url)
    other = await client.get(url, headers={"authorization": "Bearer other"})
    assert statuses == [200, 200]
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert other.status_code == 200


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("form", "header"),
    [
        (RetryAfter.NONE, None),
        (RetryAfter.SECONDS, "retry-after"),
        (RetryAfter.DATE, "retry-after"),
        (RetryAfter.MILLISECONDS, "retry-after-ms"),
        (RetryAfter.BODY, None),
    ],
)
async def test_every_form_reaches_the_client(
    upstream: Upstream, client: httpx.AsyncClient, form: RetryAfter, header: str | None
) -> None:
    upstream.switch(limit=0, retry_after=form)
    answer = await client.get(upstream.url("luma-agents") + "/generations/a")
    told = {name for name in answer.headers if name.startswith("retry-after")}
    assert answer.status_code == 429
    assert told == ({header} if header else set())
    assert ("retry_after" in answer.json()) == (form is RetryAfter.BODY)
    if form is RetryAfter.DATE:
        (date,) = answer.headers.get_list("date")
        then = parsedate_to_datetime(answer.headers["retry-after"])
        assert then > parsedate_to_datetime(date)
