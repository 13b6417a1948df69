"""Any bytes at all end as settings or as mistakes with a place, within limits."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bridge.config import Wrong
from tests.config.given import GOOD, SOURCE, WATCH, WEBHOOK, environment, settings, wrong

UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
LAUGH = "".join(
    f"x{i}: &x{i} [{', '.join(['lol' if i == 0 else f'*x{i - 1}'] * 9)}]\n"
    for i in range(10)
)
MERGE = (
    "a: &a {"
    + ", ".join(f"k{i}: 1" for i in range(1000))
    + "}\n"
    + "".join(f"b{i}: {{<<: [*a, *a, *a, *a, *a]}}\n" for i in range(200))
)
ATTACKS: list[tuple[str, str | bytes, int | None]] = [
    ("duplicate key", GOOD + "sources: {}\n", 7),
    ("duplicate inside", GOOD.replace("id: a", "id: a, id: b"), 6),
    ("billion laughs", LAUGH + GOOD, 1),
    ("self reference", "a: &a\n  b: *a\n" + GOOD, 1),
    ("anchor alone", GOOD.replace("id: a", "id: &x a"), 6),
    ("merge key", SOURCE + WEBHOOK + "watches:\n  - <<: {source: s}\n    id: a\n", 6),
    ("quadratic merge", MERGE + GOOD, 1),
    ("python tag", GOOD + "x: !!python/object/apply:os.system [id]\n", 7),
    ("plain tag", GOOD.replace("id: a", "id: !!str a"), 6),
    ("deep brackets", "a: " + "[" * 200_000 + "]" * 200_000, 1),
    ("deep and open", "[" * 200_000, 1),
    ("deep 33", GOOD + "x: " + "[" * 33 + "]" * 33 + "\n", 7),
    ("deep braces", "a: " + "{a: " * 200_000, 1),
    ("nul", GOOD + 'x: "\x00"\n', 7),
    ("tab", SOURCE + WEBHOOK + "watches:\n\t- {source: s, id: a}\n", 6),
    ("empty", "", 1),
    ("a comment", "# nothing\n", 1),
    ("a list", "- a\n- b\n", 1),
    ("a text", "hello", 1),
    ("not utf-8", GOOD.encode() + b"x: \xff\n", 7),
    ("utf-16", GOOD.encode("utf-16"), 1),
    ("list as key", GOOD + "? [a]\n: 1\n", 7),
    ("bidi override", GOOD + 'x: "\u202eabc"\n', 7),
    ("lone carriage return", GOOD + "x: a\rb\n", 7),
    ("line separator in a comment", GOOD + "# a\u2028b\n", 7),
    ("huge integer", GOOD.replace("api_key: k", f"api_key: k, looks: {'9' * 5000}"), 2),
    ("not finite", GOOD.replace("api_key: k", "api_key: k, rate_limit: .inf"), 2),
    ("wrong type", SOURCE + "webhooks: [1, 2]\n" + WATCH, 3),
    ("ten thousand unknown", GOOD + "".join(f"k{i}: 1\n" for i in range(10_000)), 7),
    ("long scalar", GOOD + 'x: "' + "a" * 5_000_000 + '"\n', 7),
    ("too large", GOOD + "#" * (16 << 20), 1),
    ("too many values", GOOD + "x: [" + "a," * 1_000_001 + "]\n", 7),
    (
        "half a million headers",
        GOOD.replace("secret:", f"headers: {{{'a: b, ' * 9}}}, secret:"),
        4,
    ),
    ("many bad ids", GOOD.replace("id: a", "ids: [" + '"\\0",' * 100_000 + "]"), 6),
    ("many bad watches", SOURCE + "watches: [" + "a, " * 100_000 + "]\n", 3),
]


@pytest.mark.parametrize(
    ("text", "line"), [a[1:] for a in ATTACKS], ids=[a[0] for a in ATTACKS]
)
def test_an_attack_is_answered_with_its_place(text: str | bytes, line: int | None) -> None:
    error = wrong(text, environment())
    assert line in {mistake.line for mistake in error.mistakes}
    assert len(str(error).encode()) <= 65536
    assert not UNSEEN.search(str(error))


@pytest.mark.parametrize("text", [GOOD, GOOD.replace("\n", "\r\n"), "\ufeff" + GOOD])
def test_what_is_odd_but_honest_is_accepted(text: str) -> None:
    assert settings(text).watches[0].id == "a"


def test_thirty_two_levels_are_not_too_deep() -> None:
    deep = "{x: " * 28 + "1" + "}" * 28
    assert len(settings(GOOD.replace("id: a", f"id: a, metadata: {deep}")).watches) == 1


@given(st.binary(max_size=200))
@example(b"\xef\xbb\xbf")
@example(b"? ")
@example(b"&")
@example(b"a: |2\n")
@example(b"!<!> x")
def test_any_bytes_are_settings_or_mistakes(content: bytes) -> None:
    judge(content)


@given(
    st.lists(
        st.sampled_from([*"{}[]:,#&*!|>'\"%@`\\ \n-?$ab0~\t", "${A}", "<<", GOOD, ": "])
    )
)
def test_any_yaml_is_settings_or_mistakes(parts: list[str]) -> None:
    judge("".join(parts).encode())


VALUES = [
    "",
    "a",
    "1",
    "true",
    "[]",
    "{}",
    "[a]",
    "{a: b}",
    "'${A}'",
    "5s",
    "-1",
    '"\\0"',
    "~",
]
KEYS = ["provider", "api_key", "url", "secret", "headers", "retry", "id", "ids", "webhooks"]
KEYS += [
    "states",
    "until",
    "deadline",
    "metadata",
    "source",
    "format",
    "alerts",
    "tls",
    "x",
]


@given(
    st.sampled_from(
        ["sources", "webhooks", "watches", "server", "network", "retention", "x"]
    ),
    st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(VALUES)), max_size=6),
    st.booleans(),
)
def test_any_shape_is_settings_or_mistakes(
    section: str, entries: list[tuple[str, str]], listed: bool
) -> None:
    inner = ", ".join(f"{key}: {value}" for key, value in entries)
    value = f"[{{{inner}}}]" if listed else f"{{n: {{{inner}}}, {inner}}}"
    judge(f"{section}: {value}\n".encode())


def judge(content: bytes) -> None:
    error = outcome(content)
    if error is None:
        return
    assert re.match(r"config\.yaml:\d+:\d+: ", str(error))
    assert not UNSEEN.search(str(error).replace("\n", ""))
    assert len(str(error).encode()) <= 65536
    assert 0 < len(error.mistakes) <= error.total


def outcome(content: bytes) -> Wrong | None:
    try:
        settings(content, environment({"A": "[x"}))
    except Wrong as error:
        return error
    return None
