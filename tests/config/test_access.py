"""Credentials, certificates and proxies of a webhook: what is taken, refused and warned of."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import trustme

from bridge.config import load
from bridge.config.mistakes import Wrong
from bridge.core.delivering.auth import Basic, Bearer, OAuth2, Send
from bridge.core.network.way import DIRECT, Way
from bridge.core.settings import Webhook
from tests.config.given import (
    NOW,
    OTHER_SECRET,
    SECRET,
    SOURCE,
    Catalog,
    Format,
    environment,
    said,
    settings,
    wrong,
)

DAY = timedelta(days=1)
OAUTH = "type: oauth2, token_url: 'https://auth.example/t', client_id: i, client_secret: s"
PROXY = "proxy: 'http://user:canary@proxy.example:3128'"


def text(keys: str, *, url: str = "https://example.com/h", allow: str = "[]") -> str:
    network = f"network: {{allow: {allow}}}\n"
    return f"{SOURCE}{network}webhooks:\n  h: {{url: '{url}', secret: {SECRET}, {keys}}}\n"


def webhook(keys: str) -> Webhook:
    return settings(text(keys)).webhooks["h"]


def warnings(keys: str, **more: str) -> str:
    return "\n".join(settings(text(keys, **more)).warnings)


class TestAuth:
    def test_each_type_makes_its_record(self) -> None:
        assert webhook("auth: {type: basic, username: u, password: p}").auth == Basic(
            username="u", password="p"
        )
        assert webhook("auth: {type: bearer, token: t}").auth == Bearer(token="t")
        assert webhook(f"auth: {{{OAUTH}, scope: a b, audience: x, send: body}}").auth == (
            OAuth2(
                token_url="https://auth.example/t",
                client_id="i",
                client_secret="s",
                scope="a b",
                audience="x",
                send=Send.BODY,
            )
        )
        assert webhook("").auth is None

    @pytest.mark.parametrize(
        ("keys", "place", "reason"),
        [
            ("{type: digest}", "auth.type", "expected basic, bearer or oauth2"),
            ("{type: bearr, token: canary}", "auth.type", "did you mean bearer?"),
            ("{token: canary}", "auth.type", "missing; basic, bearer or oauth2"),
            (
                "{typ: basic, username: u, password: canary}",
                "auth.typ",
                "unknown key; did you mean type?",
            ),
            ("{kind: basic}", "auth.type", "missing; basic, bearer or oauth2"),
            ("{type: [basic]}", "auth.type", "not a list"),
            ("{type: basic, username: u}", "auth.password", "missing"),
            (
                "{type: basic, username: u, pasword: canary}",
                "auth.pasword",
                "mean password?",
            ),
            (
                "{type: basic, username: u, password: ''}",
                "auth.password",
                "nothing is given",
            ),
            ("{type: basic, username: 'a:b', password: p}", "auth.username", "no colon"),
            ("{type: bearer, token: 'can\u00e4ry'}", "auth.token", "visible ASCII"),
            ("{type: bearer, token: t, username: u}", "auth.username", "unknown key"),
            (
                f"{{{OAUTH}, send: form}}",
                "auth.send",
                "expected header or body, not 'form'",
            ),
            (f"{{{OAUTH}, scpe: x}}", "auth.scpe", "did you mean scope?"),
            ("bearer", "auth", "expected keys and values, not a single value"),
            ("[canary]", "auth", "expected keys and values, not a list"),
        ],
    )
    def test_each_mistake_has_its_place_and_shows_no_secret(
        self, keys: str, place: str, reason: str
    ) -> None:
        error = wrong(text(f"auth: {keys}"))
        assert f"webhooks.h.{place}: " in str(error)
        assert reason in str(error)
        assert "canary" not in str(error)

    def test_the_token_url_is_guarded_like_every_other(self) -> None:
        inner = OAUTH.replace("auth.example", "10.0.0.1")
        (line,) = said(text(f"auth: {{{inner}}}"))
        assert "auth.token_url: 10.0.0.1 is a private address" in line
        clear = OAUTH.replace("https", "http")
        assert "auth.token_url: http:// sends keys" in warnings(f"auth: {{{clear}}}")

    def test_one_authorization_is_enough(self) -> None:
        keys = "auth: {type: bearer, token: t}, headers: {authorization: canary}"
        error = wrong(text(keys))
        assert "has an authorization already" in str(error)
        assert "canary" not in str(error)

    def test_no_secret_is_in_the_repr(self) -> None:
        for keys in ("auth: {type: bearer, token: canary}", PROXY):
            assert "canary" not in repr(webhook(keys))


class TestHubSignature:
    def test_it_needs_an_hmac_secret_that_comes_first(self) -> None:
        assert webhook("hub_signature: true").hub_signature
        assert not webhook("").hub_signature
        unsigned = text("hub_signature: true").replace(f"secret: {SECRET},", "")
        assert "hub_signature: needs a `secret`" in said(unsigned)[0]
        ed25519 = "whsk_" + "6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbc="
        mixed = text("hub_signature: true").replace(SECRET, f"[{ed25519}, {OTHER_SECRET}]")
        assert "hub_signature: needs a `secret`" in said(mixed)[0]


class TestProxy:
    def test_it_becomes_the_way(self) -> None:
        assert webhook("").way == DIRECT
        url = "http://user:canary@proxy.example:3128"
        assert webhook(PROXY).way == Way(proxy=url)

    @pytest.mark.parametrize(
        "url",
        ["ftp://p:1", "p:3128", "http://", "socks4://p:1", "http://p:0", "http://p/x"],
    )
    def test_what_is_no_proxy_is_refused(self, url: str) -> None:
        (line,) = said(text(f"proxy: '{url}'"))
        assert "webhooks.h.proxy: " in line

    def test_its_password_is_masked(self) -> None:
        error = wrong(text("proxy: 'http://user:canary@proxy.example:0'"))
        assert "canary" not in str(error)

    def test_a_private_one_needs_a_line_in_network_allow(self) -> None:
        keys = "proxy: 'socks5://10.0.0.1:1080'"
        assert "10.0.0.1 is a private address: list it" in warnings(keys)
        assert warnings(keys, allow="[10.0.0.1]") == ""

    def test_that_it_resolves_names_itself_is_said(self) -> None:
        for scheme in ("http", "https", "socks5h"):
            said_ = warnings(f"proxy: '{scheme}://proxy.example:1'")
            assert "resolves names itself" in said_
        assert warnings("proxy: 'socks5://proxy.example:1'") == ""

    def test_a_password_in_the_clear_is_worth_a_warning(self) -> None:
        assert "shows the proxy's password" in warnings(PROXY)
        assert "shows the proxy's" not in warnings("proxy: 'http://proxy.example:3128'")


class TestFiles:
    def pem(self, end: datetime) -> tuple[bytes, bytes]:
        leaf = trustme.CA().issue_cert("x", not_before=end - 400 * DAY, not_after=end)
        return leaf.cert_chain_pems[0].bytes(), leaf.private_key_pem.bytes()

    def checked(self, end: datetime, keys: str = "cert: /c, key: /k") -> str:
        cert, key = self.pem(end)
        there = environment(files={"/c": cert, "/k": key, "/x": b"garbage"})
        try:
            loaded = settings(text(f"tls: {{{keys}}}"), there, check=True)
        except Exception as error:  # noqa: BLE001  (what it says is compared)
            return str(error)
        return "\n".join(loaded.warnings)

    def test_they_become_the_way(self) -> None:
        cert, key = self.pem(NOW + 90 * DAY)
        there = environment(files={"/c": cert, "/k": key, "/a": cert})
        loaded = settings(text("tls: {ca: /a, cert: /c, key: /k}"), there)
        assert loaded.webhooks["h"].way == Way(ca="/a", cert="/c", key="/k")
        assert loaded.warnings == ()

    def test_the_end_of_a_certificate_is_warned_of_21_days_ahead(self) -> None:
        assert self.checked(NOW + 22 * DAY) == ""
        said_ = self.checked(NOW + 20.5 * DAY)
        assert (
            "tls.cert: a certificate in this file expires on 2026-12-11, in 20 days"
            in said_
        )

    def test_an_expired_one_is_a_mistake(self) -> None:
        said_ = self.checked(NOW - DAY)
        assert "config.yaml:" in said_
        assert "tls.cert: a certificate in this file expired on 2026-11-20" in said_

    def test_one_expired_authority_of_many_is_a_warning(self) -> None:
        assert "tls.ca: a certificate" in self.checked(NOW - DAY, "ca: /c")

    @pytest.mark.parametrize(
        ("keys", "reason"),
        [
            ("ca: /absent", "tls.ca: the file cannot be read: No such file or directory"),
            ("ca: /x", "tls.ca: holds no certificate in PEM"),
            ("cert: /x, key: /k", "tls.cert: holds no certificate in PEM"),
            ("cert: /c, key: /x", "tls.key: holds no private key in PEM"),
            ("key: /k", "tls.key: a key without the certificate"),
            ("ca: ''", "tls.ca: expected a text, but nothing is given"),
            ("cart: /c", "tls.cart: unknown key; did you mean cert?"),
        ],
    )
    def test_each_mistake_has_its_place(self, keys: str, reason: str) -> None:
        assert reason in self.checked(NOW + 90 * DAY, keys)

    def test_a_credential_that_check_may_not_read_is_taken_as_present(self) -> None:
        file = "/run/credentials/genbridge.service/me.key"
        document = text(f"tls: {{ca: {file}}}").encode()
        unseen = environment(files={})
        loaded = load(document, "c", environment=unseen, catalog=Catalog(), check=True)
        assert "webhooks.h.tls.ca: taken as present" in "\n".join(loaded.warnings)
        seen = replace(unseen, credentials=Path("/run/credentials/genbridge.service"))
        with pytest.raises(Wrong, match="the file cannot be read"):
            load(document, "c", environment=seen, catalog=Catalog(), check=True)
        loaded = load(document, "c", environment=unseen, catalog=Catalog())
        assert "deliveries will fail" in "\n".join(loaded.warnings)

    def test_no_file_at_all_is_a_mistake(self) -> None:
        assert "webhooks.h.tls: names no file" in said(text("tls: {}"))[0]

    def test_a_wrong_file_is_a_warning_to_the_daemon_that_must_not_stop(self) -> None:
        said_ = "\n".join(settings(text("tls: {ca: /absent}")).warnings)
        assert "its deliveries will fail until it is mended" in said_

    def test_a_url_without_tls_uses_none(self) -> None:
        cert, _ = self.pem(NOW + 90 * DAY)
        there = environment(files={"/a": cert})
        loaded = settings(text("tls: {ca: /a}", url="http://example.com/"), there)
        assert "the files are not used" in "\n".join(loaded.warnings)


class TestAdvice:
    def test_a_format_that_has_advice_on_its_url_is_heard(self) -> None:
        class Advising(Format):
            def advice(self, url: str) -> tuple[str, ...]:
                return (f"not a URL of ours, {len(url)} long",)

        class Advised(Catalog):
            plugins: Mapping[str, Mapping[str, type]] = {
                **Catalog.plugins,
                "format": {**Catalog.plugins["format"], "standard": Advising},
            }

        loaded = load(
            text("").encode(), "config.yaml", environment=environment(), catalog=Advised()
        )
        (line,) = loaded.warnings
        assert line.startswith("config.yaml:")
        assert line.endswith("webhooks.h.format: not a URL of ours, 21 long")


class TestManyWebhooks:
    def loaded(self, count: int, descriptors: int | None) -> tuple[str, ...]:
        lines = "".join(
            f"  h{n}: {{url: 'https://example.com/', format: chat}}\n" for n in range(count)
        )
        there = environment(descriptors=descriptors)
        return settings(f"{SOURCE}webhooks:\n{lines}", there).warnings

    def test_more_than_half_of_the_slots_are_warned_of(self) -> None:
        assert self.loaded(16, 64) == ()
        (line,) = self.loaded(17, 64)
        assert "17 webhooks are more than half of the 32 attempts" in line
        assert self.loaded(17, None) == ()
