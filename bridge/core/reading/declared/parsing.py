"""JMESPath parsed, its mistakes told in plain words and with their place."""

import re
import warnings
from collections.abc import Iterator
from itertools import pairwise
from math import prod
from typing import Any, TypeAlias, cast

from jmespath.exceptions import (
    IncompleteExpressionError,
    JMESPathError,
    LexerError,
    ParseError,
)
from jmespath.functions import Functions
from jmespath.lexer import Lexer
from jmespath.parser import Parser

from bridge.core.misfit import Misfit

Tree: TypeAlias = dict[str, Any]
"""A node of jmespath's: `type`, `children`, perhaps `value`."""

LONGEST = 2_000
"""Characters of an expression."""

DEEPEST = 40
"""Levels of an expression: the interpreter takes several frames of the stack for each."""

MOST_FOLD = 64
"""How many times as large as the document may become what an expression makes of it.

A batch evaluates it for each of thousands of generations. `[@,@][] | [@,@][]` makes four times
as much; what reads an answer makes some ten times as much.
"""

_ONE_AFTER_ANOTHER = frozenset(
    {"pipe", "subexpression", "index_expression", "projection", "filter_projection"}
    | {"value_projection"}
)
_COMPARING = frozenset({"eq", "ne", "lt", "lte", "gt", "gte"})
_BY_EXPRESSION = frozenset({"map", "sort_by", "min_by", "max_by"})
_PLAIN = re.compile(r"[\w ]+")
_WORDS_OF_LOGIC = frozenset({"and", "or", "not", "AND", "OR", "NOT"})


def parsed(text: str) -> Tree:
    """Return the tree of an expression; raises Misfit with the place of what is wrong."""
    if not text.strip():
        raise Misfit("expected a JMESPath expression, but nothing is given")
    if len(text) > LONGEST:
        raise Misfit(f"an expression has at most {LONGEST:,} characters")
    tree = _tree(text)
    for node, depth in _walk(tree):
        if depth > DEEPEST:
            raise Misfit(f"nested deeper than {DEEPEST}")
        _check(node, text)
    if tree["type"] == "expref":
        raise _stray_reference(text)
    if _fold(tree) > MOST_FOLD:
        raise Misfit(f"this makes more than {MOST_FOLD} times as much of what it finds")
    return tree


def _fold(tree: Tree) -> int:
    """Return how many times as much as it reads an expression makes at most; long lists aside."""
    below = [_fold(child) for child in tree["children"] if isinstance(child, dict)]
    joined = prod(below) if tree["type"] in _ONE_AFTER_ANOTHER else sum(below)
    return max(1, min(joined, MOST_FOLD + 1))


def _tree(text: str) -> Tree:
    try:
        # A text between backquotes is a mistake that jmespath only warns of.
        with warnings.catch_warnings():
            warnings.simplefilter("error", PendingDeprecationWarning)
            tokens: list[Any] = list(Lexer().tokenize(text))
            _check_tokens(tokens)
            tree: Any = Parser().parse(text).parsed
    except PendingDeprecationWarning:
        raise Misfit(
            "between backquotes stands JSON",
            at=text.find("`"),
            hint="a text is 'written so'",
        ) from None
    except LexerError as error:
        raise _unreadable(error, text) from None
    except IncompleteExpressionError:
        raise Misfit(
            "it ends too early", at=len(text), hint="is a bracket never closed?"
        ) from None
    except ParseError as error:
        raise _unexpected(error, text) from None
    except RecursionError:
        raise Misfit(f"nested deeper than {DEEPEST}") from None
    except (JMESPathError, ValueError, LookupError, TypeError) as error:
        if isinstance(error, Misfit):
            raise
        raise Misfit("not a JMESPath expression") from None
    return cast("Tree", tree)


def _walk(tree: Tree) -> Iterator[tuple[Tree, int]]:
    waiting = [(tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        below = (child for child in node["children"] if isinstance(child, dict))
        waiting.extend((child, depth + 1) for child in below)


# What jmespath finds


def _unreadable(error: LexerError, text: str) -> Misfit:
    at = error.lexer_position
    if "delimiter" in error.message:
        return Misfit("this quote is never closed", at=at)
    character = text[at : at + 1]
    hints = {
        "$": "the document itself is @, and a path needs nothing before it",
        "-": 'a key with a hyphen stands in double quotes, such as "created-at"',
        "=": "two equals signs compare",
        "`": "between backquotes stands JSON, such as `0`",
    }
    return Misfit("this cannot be read as JMESPath", at=at, hint=hints.get(character, ""))


def _unexpected(error: ParseError, text: str) -> Misfit:
    at, kind, hint = error.lex_position, error.token_type.lower(), ""
    if kind == "number" and text[max(0, at - 1)] not in ".[":
        hint = "a number is written between backquotes, such as `0`"
    elif kind == "number" or text[max(0, at - 1) : at] == "[":
        hint = "a place in a list is [0], a member .name"
    elif _word_at(text, at) in _WORDS_OF_LOGIC:
        hint = "and, or, not are written &&, ||, !"
    elif "Quoted identifier" in error.msg:
        at, hint = text.find('"'), "a function's name has no quotes"
    return Misfit("not expected here", at=at, hint=hint)


def _word_at(text: str, at: int) -> str:
    match = re.compile(r"\w*").match(text, at)
    return match[0] if match else ""


# What jmespath leaves to be found when it is too late


def _check_tokens(tokens: list[Any]) -> None:
    """Raise Misfit for a text in double quotes: it would be a key, and compare with nothing."""
    for one, other in pairwise(tokens):
        for name, sign in ((one, other), (other, one)):
            quoted = name["type"] == "quoted_identifier" and sign["type"] in _COMPARING
            if quoted and _PLAIN.fullmatch(name["value"]):
                raise Misfit(
                    "in JMESPath double quotes hold a key",
                    at=name["start"],
                    hint="a text stands in single quotes, 'so'",
                )


def _check(node: Tree, text: str) -> None:
    kind, children = node["type"], node["children"]
    if kind == "function_expression":
        _check_call(node, text)
    elif kind == "slice" and children[2] == 0:
        raise Misfit("a slice cannot go on by 0")
    by = kind == "function_expression" and node["value"] in _BY_EXPRESSION
    if not by and any(isinstance(c, dict) and c["type"] == "expref" for c in children):
        raise _stray_reference(text)


def _stray_reference(text: str) -> Misfit:
    several = ", ".join(sorted(_BY_EXPRESSION))
    return Misfit(
        f"& stands only in {several}", at=max(0, text.find("&")), hint="and is written &&"
    )


def _check_call(node: Tree, text: str) -> None:
    name, known = node["value"], Functions.FUNCTION_TABLE
    place = re.search(rf"\b{re.escape(name)}\s*\(", text)
    at = place.start() if place else 0
    if name not in known:
        raise Misfit("there is no function of this name", at=at, word=name, words=known)
    signature = known[name]["signature"]
    count, given = len(signature), len(node["children"])
    more = bool(signature) and bool(signature[-1].get("variadic"))
    if given < count or (given > count and not more):
        least = "at least " if more else ""
        raise Misfit(f"{name}() takes {least}{count}, not {given}", at=at)
