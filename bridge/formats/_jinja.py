"""Jinja, held in bounds: what a template may say, and where it is stopped.

A template sees the names that it is given and nothing else, calls no methods but those of
mappings and loops, and is stopped where it would run too long or grow too large. The only file
with jinja2, beside the plugin that uses it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.filters import FILTERS
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import SandboxedEnvironment
from jinja2.visitor import NodeTransformer

from bridge.core.text import cutting, escaping
from bridge.core.text.jsontext import encode

_RANGE = 1_000
_STEPS = 2_000_000
"""Steps and characters of one rendering: far from any body, and over in half a second."""


def made(source: str, seen: Mapping[str, Any], most: int) -> bytes:
    """Return what a template makes of the names it sees, at most so many bytes.

    Raises TooMuch where it grows too large or runs too long, and what Jinja raises for a template
    that is wrong or names what is not there.
    """
    return b"".join(_pieces(_compiled(source), seen, most))


def said(error: Exception) -> str:
    """Return a sentence about what `made` has raised, with the line where it is known."""
    if isinstance(error, jinja2.TemplateSyntaxError):
        return f"line {error.lineno}: {error.message}"
    line, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == _FILE:
            line = trace.tb_lineno
        trace = trace.tb_next
    return f"{error}" if line is None else f"line {line}: {error}"


_FILE = "<template>"


# How it is rendered


class TooMuch(ValueError):
    """A template that runs too long, or whose texts grow too large."""


class _Work:
    """What a rendering has left of its steps and characters."""

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        self.left = left

    def spend(self, cost: int) -> None:
        self.left -= cost
        if self.left < 0:
            raise TooMuch("it runs too long, or its texts grow too large")


_WORK = "work of this rendering"
"""The name that holds the rest of the work: no template can write a name with spaces."""


def _pieces(
    template: jinja2.Template, seen: Mapping[str, Any], most: int
) -> Iterator[bytes]:
    """Yield the body piece by piece, and stop where it becomes too large."""
    room = most
    for text in template.generate({**seen, _WORK: _Work(_STEPS)}):
        piece = text.encode("utf-8", "replace")
        room -= len(piece)
        if room < 0:
            raise TooMuch(f"the body is larger than {most >> 10} KiB")
        yield piece


# What a template may do


def _text(value: object) -> str:
    """Return a value as it is printed: a text as it is, anything else as JSON, null as nothing."""
    if isinstance(value, str):
        return value
    if isinstance(value, jinja2.Undefined):
        return str(value)  # raises: an unknown name
    return "" if value is None else encode(_solid(value)).decode()


def _solid(value: object) -> object:
    """Return a value that JSON knows; an iterator becomes a list."""
    if value is None or isinstance(value, str | int | float | dict | list | tuple):
        return value
    if isinstance(value, Iterable):
        return list(value)
    raise TooMuch("only texts, numbers, lists and mappings can be shown")


def _work(context: Context) -> _Work:
    found = context.parent[_WORK]
    assert isinstance(found, _Work)  # noqa: S101  (`_pieces` put it there)
    return found


def _weight(value: object, work: _Work) -> None:
    """Spend what a value weighs: one for each part and each character."""
    work.spend(1 + (len(value) if isinstance(value, str) else 0))
    if isinstance(value, Mapping):
        value = [*value.keys(), *value.values()]
    for part in value if isinstance(value, list | tuple) else ():
        _weight(part, work)


@jinja2.pass_context
def _weighed(context: Context, value: Any) -> Any:  # noqa: ANN401
    _weight(value, _work(context))
    return value


@jinja2.pass_context
def _counted(context: Context, values: Iterable[Any], cost: int) -> Iterator[Any]:
    """Yield what a loop goes over, and count what its turns cost."""
    work = _work(context)
    for value in values:
        work.spend(cost)
        yield value


@jinja2.pass_environment
def _method(environment: jinja2.Environment, value: Any, name: str) -> Any:  # noqa: ANN401
    """Return what is called: a mapping's own method, though it may have such a key as well."""
    if isinstance(value, dict):
        return getattr(value, name)
    return environment.getattr(value, name)


@jinja2.pass_context
def _join(context: Context, values: Iterable[Any], between: str = "") -> str:
    texts = [_text(value) for value in values]
    _work(context).spend(sum(map(len, texts)) + len(between) * len(texts))
    return between.join(texts)


@jinja2.pass_context
def _replace(context: Context, value: Any, old: str, new: str) -> str:  # noqa: ANN401
    text = _text(value)
    _work(context).spend(len(text) + text.count(old) * len(new))
    return text.replace(old, new)


@jinja2.pass_context
def _json(context: Context, value: Any) -> str:  # noqa: ANN401
    if isinstance(value, jinja2.Undefined):
        str(value)  # raises: an unknown name
    value = _solid(value)
    _weight(value, _work(context))
    return encode(value).decode()


def _cut(value: Any, limit: int) -> str:  # noqa: ANN401
    return cutting.cut(_text(value), limit)


def _slack(value: Any) -> str:  # noqa: ANN401
    return escaping.mrkdwn(_text(value))


def _markdown(value: Any) -> str:  # noqa: ANN401
    return escaping.markdown(_text(value))


def _range(*bounds: int) -> range:
    found = range(*bounds)
    if len(found) > _RANGE:
        raise TooMuch(f"range ends at {_RANGE:,}")
    return found


_KNOWN = (
    "abs capitalize count d default dictsort first float int items last length list lower map "
    "max min reject rejectattr reverse select selectattr sort title trim truncate unique "
    "upper urlencode wordcount"
)
_FILTERS: dict[str, Any] = {
    **{name: FILTERS[name] for name in _KNOWN.split()},
    "cut": _cut,
    "join": _join,
    "json": _json,
    "markdown": _markdown,
    "replace": _replace,
    "slack": _slack,
    "string": _text,
}
_OURS = {"counted by the loop": _counted, "weighed": _weighed, "method": _method}
_METHODS = ("get", "items", "keys", "values")


class _Sandbox(SandboxedEnvironment):
    """Knows texts, numbers, lists and mappings; a key goes before a method that is not called."""

    intercepted_binops = frozenset({"+", "*", "%", "**"})

    def getattr(self, obj: Any, attribute: str) -> Any:  # noqa: ANN401
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:  # noqa: ANN401
        if isinstance(obj, dict):
            return attr in _METHODS
        return isinstance(obj, LoopContext) and super().is_safe_attribute(obj, attr, value)

    def is_safe_callable(self, obj: Any) -> bool:  # noqa: ANN401
        if isinstance(obj, jinja2.Undefined):
            return True  # calling it says which name is unknown
        return obj is _range or isinstance(
            getattr(obj, "__self__", None), dict | LoopContext
        )

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:  # noqa: ANN401
        if operator == "**":
            raise TooMuch("** is not for bodies")
        if not _numbers(left, right):
            if operator != "+":
                raise TooMuch(f"{operator} is for numbers only")
            _work(context).spend(len(left) + len(right))
        found = super().call_binop(context, operator, left, right)
        if isinstance(found, int) and found.bit_length() > 128:
            raise TooMuch("a number grows too large")
        return found


def _numbers(*values: object) -> bool:
    return all(isinstance(value, int | float) for value in values)


# How it is compiled

_STATEMENTS = (nodes.Output, nodes.For, nodes.If, nodes.Assign, nodes.With)


class _Bounds(NodeTransformer):
    """Refuses what a body has no use for, and lets loops and growing texts be counted."""

    def generic_visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> nodes.Node:  # noqa: ANN401
        if isinstance(node, nodes.Stmt) and not isinstance(node, _STATEMENTS):
            word = type(node).__name__.lower()
            raise jinja2.TemplateSyntaxError(f"{word} is not for bodies", node.lineno)
        seen: nodes.Node = super().generic_visit(node, *args, **kwargs)
        return seen

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802  (the name is Jinja's)
        if node.recursive:
            raise jinja2.TemplateSyntaxError("recursive is not for bodies", node.lineno)
        cost = sum(1 for part in node.body for _ in part.find_all(nodes.Node))
        found = self.generic_visit(node)
        node.iter = _filter("counted by the loop", node.iter, [nodes.Const(1 + cost)])
        return found

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802
        found, called = self.generic_visit(node), node.node
        if isinstance(called, nodes.Getattr) and called.attr in _METHODS:
            node.node = _filter("method", called.node, [nodes.Const(called.attr)])
        return found

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _filter("join", nodes.List(node.nodes, lineno=node.lineno))

    def visit_Assign(self, node: nodes.Assign) -> nodes.Node:  # noqa: N802
        found = self.generic_visit(node)
        node.node = _filter("weighed", node.node)
        return found

    def visit_With(self, node: nodes.With) -> nodes.Node:  # noqa: N802
        found = self.generic_visit(node)
        node.values = [_filter("weighed", value) for value in node.values]
        return found


def _filter(
    name: str, value: nodes.Node, arguments: Sequence[nodes.Expr] = ()
) -> nodes.Filter:
    return nodes.Filter(value, name, list(arguments), [], None, None, lineno=value.lineno)


@lru_cache(maxsize=256)
def _compiled(source: str) -> jinja2.Template:
    """Return the compiled template; raises TemplateSyntaxError."""
    sandbox = _Sandbox(
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # a body is no HTML; the filters escape
        optimized=False,  # constants are not worked out before they are counted
        finalize=_text,
        keep_trailing_newline=False,
    )
    sandbox.filters = _FILTERS | _OURS
    sandbox.globals = {"range": _range}
    tree = _Bounds().visit(sandbox.parse(source))
    tree.set_environment(sandbox)
    code = sandbox.compile(tree, filename=_FILE)
    return jinja2.Template.from_code(sandbox, code, sandbox.globals)
