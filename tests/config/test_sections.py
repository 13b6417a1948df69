"""What each section takes, what it makes of it, and what it refuses with the reason."""

from datetime import timedelta
from ipaddress import IPv4Network

import pytest

from bridge.core.hints import hint_token
from bridge.core.ladder import State
from bridge.core.settings import Order, Rate, Retention, Server
from tests.config.given import (
    GOOD,
    OTHER_SECRET,
    SECRET,
    SOURCE,
    WATCH,
    WEBHOOK,
    Chat,
    Format,
    Provider,
    said,
    settings,
    wrong,
)


def webhook(keys: str, url: str = "https://example.com/h") -> str:
    return f"{SOURCE}webhooks:\n  h: {{url: '{url}', {keys}}}\n"


def source(keys: str) -> str:
    return f"sources:\n  s: {{provider: plain, api_key: k, {keys}}}\n"


def watch(keys: str) -> str:
    return f"{SOURCE}{WEBHOOK}watches:\n  - {{source: s, {keys}}}\n"


class TestDefaults:
    def test_the_shortest_file_has_the_defaults_of_the_core(self) -> None:
        loaded = settings(GOOD)
        assert (loaded.database, loaded.allow) == ("genbridge.db", ())
        assert (loaded.server, loaded.retention) == (Server(), Retention())
        one = loaded.sources["s"]
        assert (one.looks, one.interval) == (24, timedelta(minutes=15))
        assert (one.max_connections, one.rate) == (200, Rate(per_second=5.0))

    def test_a_webhook_has_the_defaults_of_the_core(self) -> None:
        one = settings(GOOD).webhooks["h"]
        assert (one.timeout, one.concurrency) == (timedelta(seconds=15), 8)
        assert (one.order, one.disable_after) == (Order.STRICT, timedelta(days=5))
        assert (one.states, one.rate, one.alerts) == (frozenset(State), None, None)
        total = sum(one.retry.schedule, timedelta())
        assert total == timedelta(hours=75, minutes=35, seconds=5)

    def test_a_watch_tells_every_webhook_of_the_end_within_a_day(self) -> None:
        two = WEBHOOK + "  i: {url: 'https://example.com/i'}\n"
        (one,) = settings(SOURCE + two + WATCH).watches
        assert (one.webhooks, one.until) == (("h", "i"), State.COMPLETED)
        assert (one.deadline, one.metadata) == (timedelta(hours=24), {})

    def test_a_file_without_sources_is_answered_with_a_warning(self) -> None:
        assert any("no source" in text for text in settings(WEBHOOK).warnings)


class TestServer:
    def test_a_token_may_be_absent_only_on_a_loopback_address(self) -> None:
        for listen in ("127.0.0.1:1", "[::1]:1", "localhost:1", "off"):
            assert settings(f"{GOOD}server: {{listen: '{listen}'}}\n").server.token is None
        (line,) = said(f"{GOOD}server: {{listen: '0.0.0.0:1'}}\n")
        assert line.startswith("config.yaml:7:1: server.token: missing")

    def test_the_token_is_shown_nowhere(self) -> None:
        loaded = settings(
            GOOD + "server: {listen: '[::]:1', token: canary-canary-canary}\n"
        )
        assert loaded.server.token == "canary-canary-canary"
        assert "canary" not in repr(loaded)

    def test_a_short_token_is_worth_a_warning(self) -> None:
        assert "guessed" in settings(GOOD + "server: {token: abc}\n").warnings[0]


class TestDatabase:
    def test_a_relative_path_stays_relative(self) -> None:
        assert settings(GOOD + "database: a/b.db\n").database == "a/b.db"
        assert settings(GOOD + "database: postgresql.db\n").database == "postgresql.db"

    @pytest.mark.parametrize(
        "url", ["postgresql://u@h", "postgresql+asyncpg://h/d", "PostgreSQL://h/d"]
    )
    def test_a_url_of_postgresql_needs_a_database(self, url: str) -> None:
        assert "database" in said(GOOD + f"database: {url}\n")[0]

    def test_replicas_share_a_url_of_postgresql(self) -> None:
        for url in ("postgresql://u:p@h:5432/d", "postgres:///d?host=/run/postgresql"):
            assert settings(GOOD + f"database: {url}\n").database == url

    def test_a_session_goes_past_the_pooler_of_postgresql_only(self) -> None:
        both = GOOD + "database: postgresql://pool/d\nsession_url: postgresql://h/d\n"
        assert settings(both).session_url == "postgresql://h/d"
        (line,) = said(GOOD + "session_url: postgresql://h/d\n")
        assert "only for a `database` of PostgreSQL" in line

    @pytest.mark.parametrize("url", ["sqlite:///x", "mysql://h/d", "':memory:'", "file:x"])
    def test_what_would_keep_nothing_is_no_database(self, url: str) -> None:
        assert "expected the path of a file" in said(GOOD + f"database: {url}\n")[0]


class TestSources:
    def test_who_has_a_list_can_be_discovered_from(self) -> None:
        assert not settings(source("discover: false")).sources["s"].discover
        assert settings(source("eager: true, discover: true")).sources["s"].discover
        assert "plain has no list" in said(source("discover: true"))[0]

    def test_the_further_keys_are_the_fields_of_the_provider(self) -> None:
        provider = (
            settings(
                source(
                    "base_url: 'HTTPS://Example.com/x', tier: paid, pages: 5, share: 0.25, "
                    "eager: true, pause: 2m, hosts: [a, b], query: {x: y}, buffer: 64KiB"
                )
            )
            .sources["s"]
            .provider
        )
        assert provider == Provider(
            api_key="k",
            base_url="https://example.com/x",
            tier="paid",
            pages=5,
            share=0.25,
            eager=True,
            pause=timedelta(minutes=2),
            hosts=("a", "b"),
            query={"x": "y"},
            buffer=65536,
        )

    @pytest.mark.parametrize(
        "option",
        [
            "base_url: ftp://x",
            "tier: gold",
            "pages: x",
            "eager: yes",
            "hosts: a",
            "query: [a]",
        ],
    )
    def test_an_option_of_the_wrong_type_is_named(self, option: str) -> None:
        (line,) = said(source(option))
        assert f"sources.s.{option.partition(':')[0]}: " in line

    def test_an_option_that_is_needed_is_asked_for(self) -> None:
        (line,) = said("sources:\n  s: {provider: plain}\n")
        assert line == "config.yaml:2:3: sources.s.api_key: missing"

    def test_what_the_plugin_refuses_is_told_without_the_secret(self) -> None:
        text = "sources:\n  s: {provider: plain, api_key: refused-canary}\n"
        (line,) = said(text)
        assert line == "config.yaml:2:3: sources.s: the options do not fit together"

    def test_an_unknown_provider_is_answered_with_those_there_are(self) -> None:
        assert "did you mean plain?" in said(SOURCE.replace("plain", "plane"))[0]
        assert "there is other or plain" in said(SOURCE.replace("plain", "veo-99"))[0]

    def test_keys_are_checked_even_where_the_provider_is_unknown(self) -> None:
        found = said("sources:\n  s: {provider: plane, api_kye: k, loks: 3}\n")
        assert [line.rpartition("; ")[2] for line in found] == [
            "did you mean plain?",
            "did you mean api_key?",
            "did you mean looks?",
        ]

    def test_the_limits_of_numbers_are_named(self) -> None:
        for keys in (
            "looks: 0",
            "max_connections: 20000",
            "interval: 10ms",
            "rate_limit: 0/s",
        ):
            assert (
                "expected" in said(source(keys))[0] or "above zero" in said(source(keys))[0]
            )

    def test_the_pace_of_looks_is_what_the_file_says(self) -> None:
        one = settings(source("looks: 6, interval: 1h") + WEBHOOK).sources["s"]
        assert (one.looks, one.interval) == (6, timedelta(hours=1))
        (line,) = said(source("interval: 2d"))
        assert "a pause from 1s to 1d" in line
        (line,) = said(source("looks: 1001"))
        assert "a number from 1 to 1000" in line

    def test_the_address_for_hints_hangs_on_the_name_and_the_key_alone(self) -> None:
        one = settings(GOOD).sources["s"]
        again = settings(source("looks: 6") + WEBHOOK).sources["s"]
        assert one.hint_token == again.hint_token == hint_token("s", "k")
        other = settings(GOOD.replace("api_key: k", "api_key: k2")).sources["s"]
        assert other.hint_token not in (None, one.hint_token)
        assert str(one.hint_token) not in repr(one)

    @pytest.mark.parametrize("name", ["a/b", "' a'", "'..'", "x" * 65])
    def test_a_name_that_no_path_could_hold_is_refused(self, name: str) -> None:
        (line,) = said(f"sources:\n  {name}: {{provider: plain, api_key: k}}\n")
        assert line.startswith("config.yaml:2:3: ")


class TestNetwork:
    def test_a_forbidden_address_is_a_mistake_at_its_place(self) -> None:
        for url in (
            "http://127.0.0.1/x",
            "http://10.0.0.1/",
            "http://[::1]/",
            "http://localhost/",
        ):
            (line,) = said(webhook(f"secret: {SECRET}", url))
            assert "network.allow" in line
            assert line.startswith("config.yaml:4:12: webhooks.h.url: ")
        assert "network.allow" in said(source("base_url: 'http://192.168.1.1'"))[0]

    def test_what_is_listed_may_be_contacted(self) -> None:
        allow = "network: {allow: [127.0.0.0/8]}\n"
        loaded = settings(allow + webhook(f"secret: {SECRET}", "http://127.0.0.1:1/"))
        assert loaded.allow == (IPv4Network("127.0.0.0/8"),)

    def test_http_to_a_public_host_is_worth_a_warning(self) -> None:
        (warning,) = settings(webhook(f"secret: {SECRET}", "http://example.com")).warnings
        assert warning.startswith("config.yaml:4:12: webhooks.h.url: http:// sends")


class TestWebhooks:
    def test_all_keys_are_taken(self) -> None:
        one = settings(
            webhook(
                f"secret: [{SECRET}, {OTHER_SECRET}], headers: {{X-Team: a b}}, timeout: 2s, "
                "concurrency: 3, rate_limit: 60/m, order: latest, disable_after: 2d, "
                "retry: {schedule: [1s, 2s], jitter: 0}, states: [processing, failed], raw: false"
            )
        ).webhooks["h"]
        assert [key.text for key in one.keys] == [SECRET, OTHER_SECRET]
        assert one.headers == (("X-Team", "a b"),)
        assert (one.timeout, one.concurrency) == (timedelta(seconds=2), 3)
        assert (one.rate, one.order) == (Rate(per_second=1.0), Order.LATEST)
        assert one.retry.schedule == (timedelta(seconds=1), timedelta(seconds=2))
        assert one.states == {State.DREAMING, State.FAILED}
        assert isinstance(one.format, Format)
        assert not one.format.raw

    def test_a_format_has_its_own_keys_and_its_own_rate(self) -> None:
        one = settings(webhook("format: chat, mood: loud")).webhooks["h"]
        assert isinstance(one.format, Chat)
        assert one.format.mood == "loud"
        assert (one.format_name, one.rate) == ("chat", Rate(per_second=1.0))
        assert "unknown key" in said(webhook("mood: loud"))[0]

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("Host", "x"),
            ("content-type", "x"),
            ("Content-Length", "1"),
            ("Transfer-Encoding", "x"),
            ("CONNECTION", "x"),
            ("te", "x"),
            ("Upgrade", "x"),
            ("expect", "x"),
            ("Webhook-Id", "x"),
            ("User-Agent", "x"),
            ("a b", "x"),
            ("X-A:", "x"),
            ("X", "ż"),
            ("X", '"a\\nb"'),
            ("X", "' a'"),
            ("X", "[a]"),
        ],
    )
    def test_headers_of_ours_and_what_is_not_visible_are_refused(
        self, name: str, value: str
    ) -> None:
        assert len(said(webhook(f"secret: {SECRET}, headers: {{'{name}': {value}}}"))) == 1

    def test_a_header_is_given_once_whatever_its_case(self) -> None:
        assert "twice" in said(webhook("headers: {X-A: a, x-a: b}"))[0]

    def test_a_webhook_has_at_most_five_secrets(self) -> None:
        six = ", ".join([SECRET] * 6)
        assert "at most 5 secrets" in said(webhook(f"secret: [{six}]"))[0]

    def test_a_bad_secret_is_refused_with_the_reason(self) -> None:
        (line,) = said(webhook("secret: hunter2"))
        assert line.startswith("config.yaml:4:45: webhooks.h.secret: a secret starts with")

    def test_alerts_go_to_another_webhook(self) -> None:
        assert "own troubles" in said(webhook("alerts: h"))[0]
        assert "unknown webhook" in said(webhook("alerts: x"))[0]

    def test_an_unsigned_webhook_is_a_warning_where_its_format_could_verify(self) -> None:
        (warning,) = settings(webhook("order: strict")).warnings
        assert warning.startswith("config.yaml:4:3: webhooks.h: without a secret")
        assert settings(webhook("format: chat")).warnings == ()

    def test_a_shared_secret_is_a_warning(self) -> None:
        text = GOOD.replace(
            "watches:", f"  i: {{url: 'https://x.example', secret: {SECRET}}}\nwatches:"
        )
        (warning,) = settings(text).warnings
        assert "webhooks.i.secret: the same secret as webhook h's" in warning

    def test_the_same_secret_twice_signs_once(self) -> None:
        loaded = settings(webhook(f"secret: [{SECRET}, {SECRET}]"))
        assert len(loaded.webhooks["h"].keys) == 1
        assert "the same secret twice" in loaded.warnings[0]


class TestWatches:
    def test_all_keys_are_taken(self) -> None:
        one, two = settings(
            watch(
                "ids: [a, 'b c'], webhooks: [h], until: processing, deadline: 30m, metadata: {n: 1}"
            )
        ).watches
        assert (one.id, two.id) == ("a", "b c")
        assert one.until is State.DREAMING
        assert one.deadline == timedelta(minutes=30)
        assert one.metadata == {"n": 1}

    def test_one_cannot_wait_for_a_failure(self) -> None:
        (line,) = said(watch("id: a, until: failed"))
        assert "one cannot wait for a failure" in line

    @pytest.mark.parametrize(
        "id_", ["0123", "no", "1e3", "12:30:45", "2026-01-01", "null", "~"]
    )
    def test_an_id_stays_as_it_is_written(self, id_: str) -> None:
        assert settings(watch(f"id: {id_}")).watches[0].id == id_

    @pytest.mark.parametrize(
        "keys",
        [
            "until: completed",
            "id: a, ids: [b]",
            "ids: []",
            "ids: a",
            "id: [a]",
            "id: ''",
            "id: a, webhooks: []",
            "id: a, webhooks: [h, h]",
            "id: a, deadline: 400d",
            "ids: [[a]]",
        ],
    )
    def test_a_watch_without_a_clear_meaning_is_refused(self, keys: str) -> None:
        assert len(said(watch(keys))) == 1

    def test_a_generation_is_named_once(self) -> None:
        text = watch("id: a") + "  - {source: s, ids: [b, a]}\n"
        (line,) = said(text)
        assert line.startswith("config.yaml:7:26: watches[1].ids[1]: this generation")
        assert line.endswith("first in line 6")

    def test_the_same_id_at_two_sources_is_two_generations(self) -> None:
        text = SOURCE + "  t: {provider: plain, api_key: k}\n" + WEBHOOK + WATCH
        assert len(settings(text + "  - {source: t, id: a}\n").watches) == 2

    def test_a_hundred_thousand_ids_are_read(self) -> None:
        ids = "".join(f"    - 755f9bbb-d99b-4880-992b-{n:012d}\n" for n in range(100_000))
        text = f"{SOURCE}{WEBHOOK}watches:\n  - source: s\n    ids:\n{ids}"
        assert len(settings(text).watches) == 100_000


class TestDigest:
    def test_the_digest_changes_with_any_watch_and_with_nothing_else(self) -> None:
        digest = settings(GOOD).digest
        assert settings("# x\n" + GOOD + "database: y\n").digest == digest
        for keys in (
            "id: b",
            "id: a, until: queued",
            "id: a, deadline: 1h",
            "id: a, metadata: {x: 1}",
        ):
            assert settings(watch(keys)).digest != digest
        more = SOURCE + WEBHOOK + "  i: {url: 'https://x.example'}\n" + WATCH
        assert settings(more).digest != digest


class TestRetention:
    def test_spans_are_taken(self) -> None:
        text = GOOD + "retention: {attempts: 1d, bodies: 2d, deliveries: 3d}\n"
        assert settings(text).retention == Retention(
            attempts=timedelta(days=1),
            bodies=timedelta(days=2),
            deliveries=timedelta(days=3),
        )
        assert wrong(GOOD + "retention: 30d\n").total == 1
