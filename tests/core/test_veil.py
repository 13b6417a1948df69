"""What a receiver sends back of our own secrets is masked, however it spells them."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from html import escape
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.delivering.auth import Auth, Basic, Bearer, OAuth2
from bridge.core.delivering.callback import Callback
from bridge.core.delivering.signing import read_key
from bridge.core.network.exchange import Response
from bridge.core.network.veil import LEAST, Veil
from bridge.core.network.way import Way
from bridge.core.secrecy import veil_of
from bridge.core.settings import Webhook
from bridge.formats.standard import Format

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
KEY = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


def echoed(body: bytes = b"", *, cut: bool = False, **headers: str) -> Response:
    return Response(status=200, headers=headers, body=body, received_at=NOW, cut=cut)


SPELLINGS: list[Callable[[str], str]] = [
    str,
    json.dumps,
    lambda text: json.dumps(text, ensure_ascii=False),
    lambda text: json.dumps(text).replace("/", "\\/"),
    lambda text: json.dumps(text).replace("&", "\\u0026"),
    escape,
    quote,
    lambda text: quote(text, safe=""),
    quote_plus,
]


@given(
    secret=st.text(
        st.characters(min_codepoint=33, exclude_categories=["Cs", "Zs"]), min_size=LEAST
    ),
    others=st.lists(st.text(max_size=20), max_size=3),
    spell=st.sampled_from(SPELLINGS),
    before=st.binary(max_size=20),
)
def test_no_spelling_of_a_secret_is_left(
    secret: str, others: list[str], spell: Callable[[str], str], before: bytes
) -> None:
    spelt = spell(secret).strip('"').encode(errors="surrogateescape")
    said = Veil([secret, *others]).over(echoed(before + b" " + spelt + b" end")).body
    assert spelt not in said


@given(text=st.binary(max_size=200), value=st.text(max_size=30))
def test_an_answer_without_secrets_stays_the_very_same(text: bytes, value: str) -> None:
    veil = Veil(["a-secret-that-is-long"])
    clean = text.replace(b"v1", b"").replace(b"sha256", b"").lower()
    clean = clean.replace(b"basic", b"").replace(b"bearer", b"")
    answer = echoed(clean, server=value.lower().replace("v1", "").replace("bearer", ""))
    assert veil.over(answer) is answer
    assert veil.over(answer) is answer


def test_what_was_clean_a_moment_ago_says_nothing_of_another_answer() -> None:
    veil = Veil(["T0/B0/abcdefgh"])
    for n in range(40):
        clean = echoed(b"ok", date=str(n))
        assert veil.over(clean) is clean
        assert veil.over(echoed(b"T0/B0/abcdefgh", date=str(n))).body == "…".encode()
        found = veil.over(echoed(b"ok", date=str(n), location="/T0/B0/abcdefgh"))
        assert found.headers == {"date": str(n), "location": "/…"}
        assert found.body == b"ok"


def test_a_header_that_is_no_text_comes_through_as_it_was() -> None:
    found = Veil(["T0/B0/abcdefgh"]).over(echoed(server="\udcff", x="T0/B0/abcdefgh"))
    assert found.headers == {"server": "\udcff", "x": "…"}


@pytest.mark.parametrize("left", range(LEAST, 14))
def test_of_a_secret_at_which_an_answer_was_cut_nothing_is_left(left: int) -> None:
    secret = b"T0/B0/abcdefgh"
    veil = Veil([secret.decode()])
    assert veil.over(echoed(b"x " + secret[:left], cut=True)).body == "x …".encode()
    assert veil.over(echoed(b"x " + secret[:left])).body == b"x " + secret[:left]


def test_credentials_alone_are_taken_out_of_a_text_not_the_words_around_them() -> None:
    said = b"Basic authentication, please; a bearer of news, v1, and sha256=short"
    assert Veil().text(said) == said
    assert Veil().text(b'"Bearer  abc.def-ghi_12=", x') == '"Bearer …", x'.encode()


def test_a_signature_that_comes_back_is_masked() -> None:
    seal = b"pVIE+CCkfXaekucHXCFHHIbVk0z58S2y8xG7NBUNI3k="
    said = b'{"webhook-signature": "v1,' + seal + b" v1a," + seal * 2 + b'"} sha256='
    assert seal not in Veil().text(said)
    assert b"c0ffee" not in Veil().text(b"sha256=" + b"c0ffee" * 10)


def webhook(url: str = "https://h.example/x", auth: Auth | None = None) -> Webhook:
    return Webhook(
        name="studio",
        url=url,
        keys=(read_key(KEY),),
        headers=(("x-team", "canary-header"),),
        way=Way(proxy="http://me:canary-p%40ss@proxy.example:3128"),
        auth=auth,
        format=Format(),
    )


LONG = "canary0123456789abcdef"


@pytest.mark.parametrize(
    ("to", "said"),
    [
        (webhook(), KEY),
        (webhook(), "canary-header"),
        (webhook(), "canary-p@ss"),
        (webhook("https://h.example/canary/hook?a=1"), "canary/hook?a=1"),
        (webhook("https://h.example/canary/hook?a=1"), "canary/hook"),
        (webhook(f"https://h.example/{LONG}/x?y={LONG}z"), f'["{LONG}", "{LONG}z"]'),
        (webhook(auth=Bearer(token="canary-token")), "canary-token"),
        (webhook(auth=Basic(username="canary", password="canary-p")), "canary-p"),
        (webhook(auth=Basic(username="can", password="ary")), "Y2FuOmFyeQ=="),
        (
            webhook(
                auth=OAuth2(
                    token_url="https://id.example/canary-url",
                    client_id="us",
                    client_secret="canary-secret",
                )
            ),
            "canary-url canary-secret",
        ),
        (Callback(url="https://h.example/canary-place", secret=KEY), f"canary-place {KEY}"),
    ],
)
def test_everything_secret_of_a_webhook_is_behind_its_veil(
    to: Webhook | Callback, said: str
) -> None:
    found = veil_of(to).text(said.encode())
    assert b"canary" not in found
    assert b"Y2Fu" not in found
    assert b"whsec_" not in found


def test_a_token_that_was_fetched_is_behind_it_as_well() -> None:
    veil = veil_of(webhook(), credentials=(("authorization", "Bearer canary-fetched"),))
    assert veil.text(b'{"token": "canary-fetched"}') == '{"token": "…"}'.encode()
