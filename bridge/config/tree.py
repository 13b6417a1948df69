"""YAML as a bounded tree of text with places: nothing is resolved, nothing repeated.

The tree is built from the events of libyaml's parser, so there is no recursion to overflow
and no constructor to surprise (it is the C *composer* that crashes on 200,000 brackets).
Scalars stay text as they are written: `no`, `0123`, `1e3` and `12:30:45` are never turned
into something else; the field says what it takes. This is the only file that imports yaml.
"""

import gc
import re
from array import array
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeAlias

import yaml

from bridge.config.mistakes import Enough, Finding, Findings, Path

MOST_BYTES = 16 << 20
MOST_VALUES = 1_000_000
DEEPEST = 32

_PARSER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

CONTROLS = (
    r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
    r"\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff\ufffe\uffff"
)
"""What may stand nowhere, as a class of a regular expression: it can change how a text is
read.
"""

_UNWANTED = re.compile(rf"[{CONTROLS}]|\r(?!\n)")


class _Branch:
    """What holds other values; `start` is its place in the text, counted in characters.

    A span is four numbers: where the key begins and ends (in a list: nowhere), where the
    value begins, and twice where it ends, plus one if it is a scalar without quotes. Plain
    numbers in an array, because a million places as objects would not fit into the memory
    allowed.
    """

    __slots__ = ("spans", "start")

    def __init__(self, start: int) -> None:
        self.start = start
        self.spans = array("I")

    def place(self, number: int) -> int:
        """Return where the value with this number begins."""
        return self.spans[4 * number + 2]

    def end(self, number: int) -> int:
        """Return where the value with this number ends; of a branch, where it begins."""
        return self.spans[4 * number + 3] >> 1

    def plain(self, number: int) -> bool:
        """Whether the value with this number is a scalar written without quotes."""
        return bool(self.spans[4 * number + 3] & 1)

    def key_place(self, number: int) -> int:
        """Return where the key begins, in a list where the value does."""
        return self.spans[4 * number]

    def key_end(self, number: int) -> int:
        """Return where the key ends."""
        return self.spans[4 * number + 1]

    def quote(self, number: int) -> None:
        """Treat the value with this number as if it had been written in quotes."""
        self.spans[4 * number + 3] &= ~1


class ListNode(_Branch):
    """A list."""

    __slots__ = ("items",)

    def __init__(self, start: int) -> None:
        self.start = start
        self.spans = array("I")
        self.items: list[Node] = []

    def values(self) -> Iterator[tuple[int, int, "Node"]]:
        """Yield number, step and value of all that it holds."""
        return ((number, number, value) for number, value in enumerate(self.items))

    def number(self, step: str | int) -> int | None:
        """Return the number of the value at a step; None: there is none."""
        return step if isinstance(step, int) and 0 <= step < len(self.items) else None

    def put(self, step: str | int, value: str) -> None:
        """Replace the value at a step."""
        if isinstance(step, int):
            self.items[step] = value


_FEW = 30
"""Keys of a mapping that are counted again sooner than their numbers are kept."""

_NO_NUMBERS: dict[str, int] = {}


class MapNode(_Branch):
    """A mapping."""

    __slots__ = ("_numbers", "items")

    def __init__(self, start: int) -> None:
        self.start = start
        self.spans = array("I")
        self.items: dict[str, Node] = {}
        self._numbers: dict[str, int] = _NO_NUMBERS

    def values(self) -> Iterator[tuple[int, str, "Node"]]:
        """Yield number, step and value of all that it holds."""
        return ((n, key, value) for n, (key, value) in enumerate(self.items.items()))

    def number(self, step: str | int) -> int | None:
        """Return the number of the value at a step; None: there is none."""
        if not isinstance(step, str) or step not in self.items:
            return None
        if len(self.items) <= _FEW:
            return list(self.items).index(step)
        if len(self._numbers) != len(self.items):
            self._numbers = {key: number for number, key in enumerate(self.items)}
        return self._numbers[step]

    def put(self, step: str | int, value: str) -> None:
        """Replace the value at a step."""
        if isinstance(step, str):
            self.items[step] = value


Node: TypeAlias = str | MapNode | ListNode


@dataclass(slots=True, kw_only=True)
class Document:
    """What was read: `root` holds what could be read even where `whole` is false.

    `refused` has the places of values that were found wrong already: whatever else may be
    said of them is no news.
    """

    text: str
    root: MapNode | None = None
    whole: bool = False
    refused: set[int] = field(default_factory=set)

    def line(self, index: int) -> int:
        """Return the line of a place, counted from 1."""
        return self.text.count("\n", 0, index) + 1

    def column(self, index: int) -> int:
        """Return the column of a place, counted from 1, in characters."""
        return index - self.text.rfind("\n", 0, index)


def read(data: bytes, findings: Findings) -> Document:
    """Return the document in `data`; mistakes of YAML itself are added to `findings`."""
    if len(data) > MOST_BYTES:
        findings.add(_finding(0, f"larger than {MOST_BYTES >> 20} MiB"))
        return Document(text="")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig", "replace")
        findings.add(_finding(len(before), "not UTF-8"))
        return Document(text=before)
    unwanted = _UNWANTED.search(text)
    if unwanted is not None:
        _name_unwanted(text, findings)
        return Document(text=text)
    return _parsed(text, findings)


def _name_unwanted(text: str, findings: Findings) -> None:
    with suppress(Enough):
        for match in _UNWANTED.finditer(text):
            what = f"character U+{ord(match[0]):04X} is not allowed"
            findings.add(_finding(match.start(), what))


def _parsed(text: str, findings: Findings) -> Document:
    builder = _Builder(Document(text=text), findings)
    parser = _PARSER(text)
    take = builder.take
    try:
        with _uncollected():
            # `yaml.parse` is a generator that asks twice for every event.
            for event in iter(parser.get_event, None):
                take(event)
    except (_Stop, Enough):
        pass
    except yaml.MarkedYAMLError as error:
        findings.add(_explained(error, text))
    except yaml.YAMLError:
        findings.add(_finding(0, "this cannot be read as YAML"))
    else:
        builder.finish()
    finally:
        parser.dispose()
    return builder.document


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the collector from counting a tree that only grows, again and again.

    A quarter of the time of a large file; nothing here is garbage before the end.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _finding(index: int, message: str, *, path: Path = (), hint: str = "") -> Finding:
    return Finding(index=index, path=path, message=message, hint=hint)


class _Stop(Exception):
    """What follows cannot be told apart, or is too much."""


class _Frame:
    """A branch that is being filled; in a mapping `key` is what waits for its value."""

    __slots__ = ("key", "key_span", "node")

    def __init__(self, node: MapNode | ListNode) -> None:
        self.node = node
        self.key: str | None = None
        self.key_span = (0, 0)


_DROPPED = "\0dropped"
"""Stands for the key of a value that is kept nowhere; told apart by identity."""


_Event: TypeAlias = Any
"""An event of yaml's: the marks of each kind are typed as if they might be missing."""


class _Builder:
    """Builds the tree event by event and says what of it is refused."""

    def __init__(self, document: Document, findings: Findings) -> None:
        self.document = document
        self._findings = findings
        self._stack: list[_Frame] = []
        self._values = 0
        self._documents = 0

    def take(self, event: _Event) -> None:
        """Take the next event; raises _Stop where reading on is no use."""
        # There are a million of these: types are compared in the order of their frequency.
        kind = type(event)
        if kind is yaml.ScalarEvent:
            self._count(event)
            if event.anchor is not None or event.tag is not None:
                self._refuse_marks(event)
            start, end = event.start_mark.index, event.end_mark.index
            self._place(event.value, start, end, plain=not event.style)
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            self._stack.pop()
        elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            self._count(event)
            if event.anchor is not None or event.tag is not None:
                self._refuse_marks(event)
            start = event.start_mark.index
            mapping = kind is yaml.MappingStartEvent
            self._place(MapNode(start) if mapping else ListNode(start), start, start)
        elif kind is yaml.AliasEvent:
            self._count(event)
            self._wrong(event.start_mark.index, "aliases are not allowed")
            start, end = event.start_mark.index, event.end_mark.index
            self._place("", start, end, plain=True)
        elif kind is yaml.DocumentStartEvent:
            self._begin(event)

    def _count(self, event: _Event) -> None:
        self._values += 1
        if self._values > MOST_VALUES or len(self._stack) > DEEPEST:
            self._too_much(event)

    def finish(self) -> None:
        """Say whether the stream held a mapping."""
        if self.document.root is not None:
            self.document.whole = True
        elif not self._findings:
            self._wrong(0, "the file is empty", hint="config.example.yaml shows every key")

    def _begin(self, event: _Event) -> None:
        self._documents += 1
        if self._documents > 1:
            self._wrong(event.start_mark.index, "only one document")
            raise _Stop
        if event.tags:
            self._wrong(event.start_mark.index, "directives with tags are not allowed")

    def _too_much(self, event: _Event) -> NoReturn:
        deep = len(self._stack) > DEEPEST
        many = f"more than {MOST_VALUES:,} values"
        what = f"nested deeper than {DEEPEST}" if deep else many
        self._wrong(event.start_mark.index, what)
        raise _Stop

    def _refuse_marks(self, event: _Event) -> None:
        what = "tags" if event.anchor is None else "anchors"
        self._wrong(event.start_mark.index, f"{what} are not allowed")

    def _place(self, value: Node, start: int, end: int, *, plain: bool = False) -> None:
        if not self._stack:
            self._place_root(value, start)
        else:
            frame = self._stack[-1]
            node = frame.node
            if isinstance(node, ListNode):
                node.items.append(value)
                node.spans.fromlist([start, start, start, 2 * end + plain])
            elif frame.key is None:
                self._place_key(frame, value, start, end, plain=plain)
                return
            else:
                if frame.key is not _DROPPED:
                    node.items[frame.key] = value
                    node.spans.fromlist([*frame.key_span, start, 2 * end + plain])
                frame.key = None
        if not isinstance(value, str):
            self._stack.append(_Frame(value))

    def _place_root(self, value: Node, start: int) -> None:
        if isinstance(value, MapNode):
            self.document.root = value
        elif value != "":
            self._wrong(start, "expected keys and values, such as `sources:`")

    def _place_key(
        self, frame: _Frame, value: Node, start: int, end: int, *, plain: bool
    ) -> None:
        frame.key, frame.key_span = _DROPPED, (start, end)
        if not isinstance(value, str):
            self._wrong(start, "a key must be a word")
            raise _Stop
        if plain and value == "":
            self._wrong(start, "a key must be a word")
        elif plain and value == "<<":
            self._wrong(start, "merge keys are not allowed")
        elif value in frame.node.items:
            self._wrong(start, "given twice", step=value)
        else:
            frame.key = value

    def _wrong(
        self, index: int, message: str, *, step: str | None = None, hint: str = ""
    ) -> None:
        self.document.refused.add(index)
        path = () if step is None else (*self._path(), step)
        self._findings.add(_finding(index, message, path=path, hint=hint))

    def _path(self) -> Path:
        steps = (_step(frame) for frame in self._stack[:-1])
        return tuple(step for step in steps if step is not None)


def _step(frame: _Frame) -> str | int | None:
    """Return where in its branch the value stands that was placed last."""
    if isinstance(frame.node, ListNode):
        return len(frame.node.items) - 1
    return next(reversed(frame.node.items), None)


_QUOTES = 'in quotes inside […] and {…}: "${NAME}"'


def _explained(error: yaml.MarkedYAMLError, text: str) -> Finding:
    """Return YAML's own complaint in plain words, at the place where the remedy belongs."""
    mark = error.problem_mark or error.context_mark
    index = 0 if mark is None else mark.index
    if text[max(0, index - 1) : index + 1] == "${":
        return _finding(
            index - 1, "YAML reads these braces itself", hint=f"put it {_QUOTES}"
        )
    problem = error.problem or "not YAML"
    if "unexpected end of stream" in problem and error.context_mark is not None:
        return _finding(error.context_mark.index, "this quote is never closed")
    if "cannot start any token" in problem:
        return _finding(index, _unstartable(text[index : index + 1]))
    if "mapping values are not allowed" in problem:
        hint = "is the indentation right? a value that holds ': ' needs quotes"
        return _finding(index, "a second colon, or a key that stands too deep", hint=hint)
    if error.context_mark is not None and index >= len(text.rstrip()):
        return _finding(error.context_mark.index, f"never closed: {problem}")
    return _finding(index, f"not valid YAML: {problem}", hint=_indented(problem))


def _unstartable(character: str) -> str:
    if character == "\t":
        return "a tab cannot indent, only spaces can"
    return f"a value that begins with {character} needs quotes"


def _indented(problem: str) -> str:
    expected = ("did not find expected key", "did not find expected '-' indicator")
    return "is the indentation right?" if problem in expected else ""
