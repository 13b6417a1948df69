"""A source that describes its API: each mistake in it with its place, and no secret told."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from bridge.config import Environment, json_schema, load
from bridge.config.mistakes import Wrong
from bridge.core.looking import Get
from bridge.core.settings import Settings
from bridge.plugins import Plugins
from tests.providers.describing import MAPPING, PLAIN, written

ROOT = Path(__file__).parents[2]
HEAD = """\
sources:
  acme:
    provider: http
    base_url: https://api.acme.example
    api_key: key-4711
"""
GET = '    get: {url: "/jobs/{id}"}\n'
READ = "    read: {state: status, states: {completed: [done]}}\n"


def read(text: str, **variables: str) -> Settings:
    environment = Environment(variables=variables, read_file=lambda _: b"")
    return load(text.encode(), "c.yaml", environment=environment, catalog=Plugins())


def said(text: str, **variables: str) -> str:
    with pytest.raises(Wrong) as caught:
        read(text, **variables)
    return str(caught.value)


MISTAKES = [
    ("get: {}\n", READ, "6:5: sources.acme.get.url: missing; a path after base_url"),
    ("", READ, "2:3: sources.acme.get: missing; what is asked about one generation"),
    (GET, "", "2:3: sources.acme.read: missing; where an answer holds what"),
    ("get: {ur: /x}\n", READ, "6:11: sources.acme.get.ur: unknown key; did you mean url?"),
    ("get: {url: 'jobs/{id}'}\n", READ, "6:17: sources.acme.get.url: expected a path"),
    ("get: {url: '/x'}\n", READ, "6:17: sources.acme.get.url: {id} stands nowhere"),
    (
        "get: {url: '/jobs/{idd}/{id}'}\n",
        READ,
        (
            "6:23: sources.acme.get.url: unknown placeholder; here are known {id}, {key}, "
            "{base_url}; did you mean {id}?"
        ),
    ),
    (
        "get: {url: '/{id}', method: PATCH}\n",
        READ,
        "6:33: sources.acme.get.method: expected GET",
    ),
    (
        "get: {url: '/{id}', json: {a: b}}\n",
        READ,
        "6:25: sources.acme.get.json: a GET has no body",
    ),
    (
        "get: {url: /x, method: POST, json: {a: [{b: 'x {id} {no}'}]}}\n",
        READ,
        "6:57: sources.acme.get.json.…[0].…: unknown placeholder",
    ),
    (GET, "read: {state: status}\n", "7:5: sources.acme.read.states: missing; what the"),
    (GET, "read: {states: {completed: [a]}}\n", "7:5: sources.acme.read.state: missing"),
    (GET, "read: {id: x}\n", "7:5: sources.acme.read.state: missing"),
    (
        GET,
        "read: {state: s, states: {failed: [a]}}\n",
        "7:22: sources.acme.read.states: no word for completed: no watch would ever end",
    ),
    (
        GET,
        "read: {state: s, states: {completed: [a, In-Progress], failed: [in progress]}}\n",
        (
            "7:69: sources.acme.read.states.failed[0]: this word is listed twice, first under "
            "completed"
        ),
    ),
    (
        GET,
        "read: {state: s, states: {done: [a]}}\n",
        "7:31: sources.acme.read.states.done: unkn",
    ),
    (
        GET,
        "read: {state: s, states: {completed: a}}\n",
        "7:42: sources.acme.read.states.comple",
    ),
    (
        GET,
        "read: {state: s, states: {completed: [1]}}\n",
        "7:43: sources.acme.read.states.completed[0]: a number is no state word",
    ),
    (
        GET,
        "read: {by_status: {200: complete}}\n",
        (
            "7:29: sources.acme.read.by_status.200: expected one of queued, dreaming, completed, "
            "failed; did you mean completed?"
        ),
    ),
    (
        GET,
        "read: {by_status: {2xx: failed}}\n",
        "7:24: sources.acme.read.by_status.2xx: exp",
    ),
    (
        GET,
        "read: {state: 'a..b', states: {completed: [a]}}\n",
        "7:22: sources.acme.read.state: not expected here",
    ),
    (GET + READ, "hold: {limit: 30s}\n", "8:5: sources.acme.hold: a hold adds something"),
    (
        GET + READ,
        "hold: {query: {w: '{util}'}}\n",
        "8:24: sources.acme.hold.query.w: unknown placeholder; here are known {id}, {until}",
    ),
    (
        GET + READ,
        "hold: {query: {w: 1}, limit: 1h}\n",
        "8:34: sources.acme.hold.limit: expect",
    ),
    (
        GET + READ,
        "hold: {query: {w: 1}, limit: 9}\n",
        "8:34: sources.acme.hold.limit: expected",
    ),
    (
        GET + READ,
        "batch: {url: /b}\n",
        "8:18: sources.acme.batch.url: {ids} stands neither",
    ),
    (
        GET + READ,
        "batch: {url: '/b/{ids}', query: {a: 'x,{ids}'}}\n",
        "8:44: sources.acme.batch.query.a: {ids} are many",
    ),
    (
        GET + READ,
        "batch: {url: /b, query: {a: '{ids}'}, limit: 0}\n",
        "8:50: sources.acme.batch.limit: expected a number from 1 to 1000",
    ),
    (
        GET + READ,
        "batch: {url: /b, query: {a: '{ids}', b: '{until}'}}\n",
        "8:22: sources.acme.batch.query: {until} needs a `hold`",
    ),
    (
        GET + READ,
        "list: {url: /b, query: {a: '{next}'}}\n",
        "8:5: sources.acme.list.next: missing; {next} is what it finds",
    ),
    (
        GET + READ,
        "trouble: {ok: 'a == 0'}\n",
        "8:25: sources.acme.trouble.ok: not expected",
    ),
    (
        GET + READ,
        "trouble: {busy: [[]]}\n",
        "8:22: sources.acme.trouble.busy[0]: expected a c",
    ),
    (GET + READ, "result: {url: /f}\n", "8:5: sources.acme.result.outputs: missing; links"),
    (
        GET + READ,
        "result: {url: '/f/{file}', outputs: url, with: {fiel: a}}\n",
        (
            "8:23: sources.acme.result.url: unknown placeholder; here are known {id}, {key}, "
            "{base_url}, {fiel}; did you mean {fiel}?"
        ),
    ),
    (
        GET + READ,
        "links: {live: 1}\n",
        "8:19: sources.acme.links.live: expected a duration",
    ),
    (
        GET + READ,
        "links: {template: '{base_url}/{id}?k={key}'}\n",
        "8:24: sources.acme.links.template: links go to receivers: the key must not",
    ),
    (
        "get: {url: '/{id}', query: {k: '{key}'}}\n" + READ,
        "links: {template: '{asked}/file'}\n",
        "8:24: sources.acme.links.template: {asked} holds the key here",
    ),
    (GET + READ, "links: {with: {a: b}}\n", "8:13: sources.acme.links.with: names without"),
    (GET + READ, "gone: lost\n", "8:11: sources.acme.gone: expected final"),
    (GET + READ, "floor: 5\n", "8:12: sources.acme.floor: expected a duration"),
    (GET + READ, "hint: 'x y'\n", "8:12: sources.acme.hint: expected the name of a header"),
    (GET + READ, "hosts: ['https://x']\n", "8:14: sources.acme.hosts[0]: expected a host"),
    (GET + READ, "headers: {Host: a}\n", "8:15: sources.acme.headers.Host: genbridge sets"),
    (
        GET + READ,
        "headers: {authorization: 'Bearer {kye}'}\n",
        (
            "8:38: sources.acme.headers.authorization: unknown placeholder; here are known {key}, "
            "{base_url}; did you mean {key}?"
        ),
    ),
]


@pytest.mark.parametrize(("one", "two", "expected"), MISTAKES)
def test_a_mistake_is_told_with_its_place(one: str, two: str, expected: str) -> None:
    lines = (one, two)
    text = HEAD + "".join(
        part if part.startswith(" ") or not part else f"    {part}" for part in lines
    )

    assert f"c.yaml:{expected}" in said(text)


def test_every_mistake_is_told_at_once() -> None:
    text = HEAD + (
        '    get: {url: "/jobs/{job}", query: {a: "{b}"}}\n'
        "    read: {state: a., states: {complete: [done]}}\n"
        "    trouble: {ok: ((, busy: 3}\n"
        "    links: {live: soon, renew: perhaps}\n"
    )

    assert said(text).count("c.yaml:") == 9


def test_the_caret_stands_below_the_character_that_is_wrong() -> None:
    text = HEAD + GET + "    read:\n      state: data.status == 0\n"

    line, caret = said(text).splitlines()[-2:]
    assert line[caret.index("^")] == "0"
    assert "data.status" in line


@pytest.mark.parametrize(
    "line",
    [
        "headers: {authorization: 'Bearer {canary}'}",
        "headers: {x-key: 'canary {no}'}",
        "headers: {x-key: 'canary ż'}",
        "hold: {query: {token: 'canary{until'}, limit: 1h}",
        "hold: {query: {token: 'canary{no}'}}",
        "get: {url: '/canary/{no}'}",
        "get: {url: 'canary'}",
        "get: {url: '/{id}', json: {canary: 'canary {no}'}}",
        "list: {url: '/l', query: {k: canary, a: '{no}'}}",
        "result: {url: '/canary/{no}', outputs: a}",
        "links: {template: 'canary'}",
        "read: {state: '${CANARY}'}",
        "trouble: {ok: '${CANARY}', busy: '${CANARY}', code: 'a ${CANARY}'}",
    ],
)
def test_no_mistake_tells_what_may_be_secret(line: str) -> None:
    others = "" if line.startswith(("get", "read")) else GET + READ
    others += GET if line.startswith("read") else READ if line.startswith("get") else ""

    assert "canary" not in said(f"{HEAD}{others}    {line}\n", CANARY="canary) (")


def test_a_key_is_needed_only_where_something_names_it() -> None:
    keyless = HEAD.replace("    api_key: key-4711\n", "") + GET + READ

    assert read(keyless).sources["acme"].hint_token is None
    text = said(f"{keyless}    headers: {{x: '{{key}}'}}\n")
    assert "sources.acme.api_key: missing; {key} is what it says" in text


def test_a_value_from_the_environment_is_an_expression_too() -> None:
    text = f"{HEAD}{GET}    read: {{state: '${{PLACE}}', states: {{completed: [done]}}}}\n"

    assert read(text, PLACE="data.status").sources["acme"].provider_name == "http"


# The schema

SCHEMA = Draft202012Validator(json_schema(Plugins()))


def _fits(text: str) -> bool:
    return SCHEMA.is_valid(yaml.safe_load(text))


@pytest.mark.parametrize("name", PLAIN)
def test_the_schema_knows_every_key_of_a_description(name: str) -> None:
    known = {
        k: v
        for k, v in MAPPING[name].items()
        if k not in ("tier", "env", "webhook", "notes")
    }
    entry: dict[str, Any] = {**known, "base_url": "https://relay.example.net"}

    assert _fits(written(entry))


def test_the_schema_refuses_what_the_loader_refuses() -> None:
    good = HEAD + GET + READ
    assert _fits(good)
    for one, other in (
        ("url:", "urll:"),
        ("completed:", "complet:"),
        ("state: status, ", ""),
        ("[done]", "[1]"),
        ("[done]", "done"),
    ):
        assert not _fits(good.replace(one, other))
        assert said(good.replace(one, other))


def test_the_description_in_the_example_is_a_good_one() -> None:
    text = (ROOT / "config.example.yaml").read_text()
    begin = text.index("  # acme:")
    lines = text[begin:].split("\n\n")[0].splitlines()
    body = "\n".join(f"  {line.removeprefix('  # ')}" for line in lines)
    described = f"sources:\n{body}\n"

    assert read(described, ACME_KEY="k").sources["acme"].provider.abilities.listing
    assert _fits(described)


# Whatever is written

_KEYS = (
    "get",
    "hold",
    "batch",
    "list",
    "read",
    "trouble",
    "result",
    "links",
    "states",
    "with",
)
_WORDS = (
    "url",
    "/x/{id}",
    "{ids}",
    "state",
    "a.b",
    "[",
    "every",
    "1",
    "~",
    "true",
    "completed",
)
nodes = st.recursive(
    st.sampled_from(_WORDS),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(_KEYS + _WORDS), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(options=st.dictionaries(st.sampled_from(_KEYS), nodes, max_size=6))
def test_any_shape_is_settings_or_mistakes(options: dict[str, Any]) -> None:
    keys = {"provider": "http", "api_key": "k", "base_url": "https://a.example", **options}
    text = yaml.safe_dump({"sources": {"acme": keys}})
    try:
        read(text)
    except Wrong as wrong:
        assert wrong.total  # noqa: PT017  (either is right)


def test_an_empty_body_of_a_get_is_none() -> None:
    source = read(
        HEAD + '    get: {url: "/jobs/{id}", method: GET, query: {}, json: {}}\n' + READ
    )
    request = next(source.sources["acme"].provider.ask(Get(id="a")))
    assert (request.method, request.body) == ("GET", b"")
