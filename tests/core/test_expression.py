"""JMESPath that holds for any document, ends soon, and whose mistakes have a place."""

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bridge.core.misfit import Misfit
from bridge.core.reading.declared.evaluation import STEPS, TooMuchError, size
from bridge.core.reading.declared.expression import Expression, Full, Links

MISTAKES = [
    ("", 0, "nothing is given", ""),
    ("  ", 0, "nothing is given", ""),
    ("a.", 2, "not expected here", ""),
    ("a ==", 4, "ends too early", "never closed"),
    ("(a", 2, "ends too early", "never closed"),
    ("a)", 1, "not expected here", ""),
    ("'a", 0, "quote is never closed", ""),
    ("x || `a", 5, "quote is never closed", ""),
    ("code == 0", 8, "not expected here", "between backquotes"),
    ("status = 'x'", 7, "cannot be read", "two equals signs"),
    ("$.status", 0, "cannot be read", "the document itself is @"),
    ("created-at", 7, "cannot be read", '"created-at"'),
    ("data['status']", 5, "not expected here", "a member .name"),
    ("files.0", 6, "not expected here", "a place in a list is [0]"),
    ("a and b", 2, "not expected here", "&&"),
    ('status == "done"', 10, "double quotes hold a key", "single quotes"),
    ('"Not Found" == status', 0, "double quotes hold a key", "single quotes"),
    ("a == `done`", 5, "between backquotes stands JSON", "'written so'"),
    ("lenght(a)", 0, "no function of this name", ""),
    ("a.length(b, c)", 2, "length() takes 1, not 2", ""),
    ("not_null()", 0, "takes at least 1, not 0", ""),
    ("[?a & b]", 4, "not expected here", ""),
    ("&a", 0, "& stands only in", "&&"),
    ("[&a]", 1, "& stands only in", "&&"),
    ("a[::0]", 0, "by 0", ""),
    ("a" * 2_001, 0, "at most 2,000 characters", ""),
    ("[" * 900, 0, "nested deeper", ""),
    ("!" * 100 + "a", 0, "nested deeper", ""),
    ("a || " * 50 + "a", 0, "nested deeper", ""),
]


@pytest.mark.parametrize(("text", "at", "said", "hint"), MISTAKES)
def test_a_mistake_is_told_in_plain_words_with_its_place(
    text: str, at: int, said: str, hint: str
) -> None:
    with pytest.raises(Misfit) as caught:
        Expression.from_option(text)

    assert said in str(caught.value)
    assert hint in caught.value.hint
    assert caught.value.at == at


@pytest.mark.parametrize("value", [None, 3, [], {}, True])
def test_what_is_no_text_is_no_expression(value: object) -> None:
    with pytest.raises(Misfit):
        Expression.from_option(value)


@given(st.text("ab.[]{}()|&!=<>`'\"@*?:,-0 $#", max_size=30))
@example("a(")
@example("[0:1:2:3]")
@example("a.*.[")
def test_any_text_is_an_expression_or_a_mistake_within_it(text: str) -> None:
    assert 0 <= _mistaken(text) <= len(text)


def _mistaken(text: str) -> int:
    try:
        Expression.from_option(text).find({"a": [{"b": 1}]})
    except Misfit as wrong:
        return wrong.at
    return 0


TEXTS = [
    *(
        "a",
        "a.b",
        "@",
        "*",
        "[]",
        "a[0]",
        "a[-1].b",
        "a[?b > `1`].c",
        "[?@ == 'x']",
        "a[1:]",
    ),
    *("sum(a)", "avg(@)", "join(a, b)", "sort_by(@, &a)", "max_by(a, &b)", "map(&a, @)"),
    *("to_number(a)", "to_string(@)", "length(@)", "keys(@)", "merge(a, b)", "ceil(a)"),
    *("contains(a, b)", "starts_with(a, b)", "reverse(@)", "sort(@)", "not_null(a, b)"),
    *(
        "a < b",
        "a == b",
        "a || b && !a",
        "{x: a, y: *}",
        "[a, b][]",
        "@ | [*].*",
        "to_array(a)",
    ),
]
leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4)
documents = st.recursive(
    leaves | st.sampled_from([10**400, "\ud800", "9" * 5_000, float("nan")]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=20,
)


@pytest.mark.parametrize("text", TEXTS)
@given(document=documents)
@settings(max_examples=40)
def test_no_document_raises(text: str, document: Any) -> None:
    found = Expression.from_option(text).find(document)

    assert isinstance(found, dict | list | str | int | float | None)


@pytest.mark.parametrize("text", ["a", "a.b", "a.b.c", '"x.y"', 'a."x.y"'])
@given(document=documents)
def test_a_path_finds_what_the_interpreter_finds(text: str, document: Any) -> None:
    # Paths take a short way; a projection that is none takes the long one.
    short = Expression.from_option(text).find(document)
    long = Expression.from_option(f"{text} | @").find(document)

    assert repr(short) == repr(long)


@pytest.mark.parametrize(
    "text",
    [
        " | ".join(["[@,@][]"] * 30),
        " | ".join(["[@,@]"] * 35),
        " | ".join(["{a:@,b:@}"] * 30) + " | to_string(@)",
        " | ".join(["join('', [@, @])"] * 35),
        "[@,@,@,@,@,@,@,@,@][].[@,@,@,@,@,@,@,@,@].[@,@,@,@,@,@,@,@,@]",
    ],
)
def test_an_expression_that_doubles_what_it_finds_again_and_again_is_refused(
    text: str,
) -> None:
    with pytest.raises(Misfit, match="64 times"):
        Expression.from_option(text)


HEAVY = [
    " | ".join(["[@,@][]"] * 6),
    " | ".join(["[@,@]"] * 6) + " | to_string(@)",
    "[@,@] | [{a:@}, {a:@}] | [0] == [1]",
    "contains([@, @], @)",
    "join(s, l)",
    " | ".join(["join('', [@, @])"] * 3),
    "l[*].[@,@,@,@]",
    "*.[*][].[*][]",
    "[?contains(@, @)]",
    "sort_by(l, &to_string(@))",
]


@pytest.mark.parametrize("text", HEAVY, ids=range(len(HEAVY)))
def test_what_takes_too_many_steps_finds_nothing(text: str) -> None:
    # `join(s, l)` alone would make 100 GB of this document.
    document = {"s": "x" * 1_000_000, "l": [""] * 100_000}
    for value in (document, [1] * 50_000, "x" * 100_000):
        found = Expression.from_option(text).find(value)
        size(found, 4 * STEPS)


def test_a_large_document_is_read_all_the_same() -> None:
    document = {"data": [{"id": str(n), "files": ["a", "b"]} for n in range(1_000)]}

    made = Expression.from_option("data[].{id: id, url: files[0]}").find(document)

    assert len(made) == 1_000
    assert Expression.from_option("length(data)").find(document) == 1_000
    assert Expression.from_option("data").find(document) is document["data"]


def test_what_is_held_twice_is_counted_twice() -> None:
    value: Any = []
    for _ in range(60):
        value = [value, value]

    with pytest.raises(TooMuchError):
        size(value, 1_000)


def test_links_are_an_expression_or_every_link_in_one() -> None:
    document = {"a": {"b": ["https://x.example/1", {"c": "https://x.example/2"}]}}

    assert Links.from_option("a.b[0]").find(document) == "https://x.example/1"
    every = Links.from_option({"every": "a"}).find(document)
    assert [link["url"] for link in every] == ["https://x.example/1", "https://x.example/2"]


@pytest.mark.parametrize(
    ("value", "path", "key"),
    [
        ({"evry": "a"}, ("evry",), True),
        ({"every": "a["}, ("every",), False),
        ({"every": "a", "b": "c"}, ("b",), True),
        ({}, (), False),
    ],
)
def test_a_mistake_in_links_has_its_place(
    value: object, path: tuple[str, ...], key: bool
) -> None:
    with pytest.raises(Misfit) as caught:
        Links.from_option(value)

    assert (caught.value.path, caught.value.key) == (path, key)


@pytest.mark.parametrize(
    ("value", "full"), [("100", 100), ("0.5", 0.5), ("total", 7), ("a.b", None)]
)
def test_full_progress_is_a_number_or_found(value: str, full: float | None) -> None:
    assert Full.from_option(value).find({"total": 7}) == full


@pytest.mark.parametrize("value", ["0", "0.0", "-1", "", "a["])
def test_full_progress_is_above_zero(value: str) -> None:
    with pytest.raises(Misfit):
        Full.from_option(value)
