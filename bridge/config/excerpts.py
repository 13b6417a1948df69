"""Excerpts: the quoted line under a mistake, with a caret and without secrets.

Only what is known to be harmless is shown; all else becomes stars, so that columns stay
where they are. What belongs to no value that was read (after an error of YAML itself) shows
its punctuation.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from bridge.config.mistakes import Finding, Findings, Mistake, Path, Wrong
from bridge.config.near import near
from bridge.config.openness import KEYWORDS, Openness, keys_open, openness, stray
from bridge.config.tree import CONTROLS, Document, ListNode, MapNode, Node

_BEFORE, _AFTER = 120, 80
"""Characters that are quoted before and after the place of a mistake."""

_LONGEST_SENTENCE = 400
_MOST_BYTES = 60 << 10

INVISIBLE = re.compile(rf"[{CONTROLS}\t\n\r\u00ad\u200b-\u200f\u2060-\u2065]")
_PUNCTUATION = re.compile(r"[][{}(),:\"'&*!|>%@`#]|(?<!\S)[-?](?!\S)|<<|[-.]{3}$")
_KEYWORD = re.compile(rf"(?<![\w-])({'|'.join(sorted(KEYWORDS))})(?=[\"']?\s*:)")
_REFERENCE = re.compile(
    r"\$\{[A-Za-z_][A-Za-z0-9_]*(:-|\})|\$\{(file|credential):[^}\s]*\}"
)
_HOLE = re.compile(r"\{\+?(id|ids|key|until|seen|page|last|next|base_url|asked)\}")
"""Placeholders of a provider's templates: what stands around them may be secret."""

_HOST = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(?=[/?\s]|$)")
_STEP = re.compile(r"(?!whsec_|whsk_|whpk_)[\w .:@+-]{1,64}")


def wrong(name: str, document: Document, findings: Findings) -> Wrong:
    """Return the error that shows the first findings in order of place and counts the rest."""
    shown, left, mistakes = [], _MOST_BYTES, []
    for finding in findings.first():
        mistake = _mistake(name, document, finding)
        left -= len(str(mistake).encode()) + 1
        if left < 0:
            break
        mistakes.append(mistake)
        shown.append(str(mistake))
    more = findings.total - len(shown)
    if more:
        shown.append(f"{name}: and {more:,} more")
    return Wrong("\n".join(shown), mistakes, findings.total)


def placed(name: str, document: Document, index: int, path: Path, message: str) -> str:
    """Return a sentence with its place, such as a warning."""
    place = f"{document.line(index)}:{document.column(index)}"
    return f"{readable(name)}:{place}: {dotted(document, path)}: {readable(message)}"


def dotted(document: Document, path: Path) -> str:
    """Return a path as `watches[0].ids[2]`; a step that might be a secret is left out."""
    text = ""
    for number, step in enumerate(path):
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            word = readable(step) if _key_seen(document, path[: number + 1]) else "…"
            text += f".{word}" if text else word
    return text


def readable(text: str) -> str:
    """Return a text that is safe in a log: nothing in it is invisible or endless."""
    text = INVISIBLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
    return text if len(text) <= _LONGEST_SENTENCE else text[:_LONGEST_SENTENCE] + "…"


def _mistake(name: str, document: Document, finding: Finding) -> Mistake:
    return Mistake(
        file=readable(name),
        line=document.line(finding.index),
        column=document.column(finding.index),
        path=dotted(document, finding.path),
        message=readable(finding.message),
        hint=readable(_hint(finding)),
        excerpt=_excerpt(document, finding.index),
    )


def _hint(finding: Finding) -> str:
    meant = near(finding.word, finding.words) if finding.word else None
    return finding.hint if meant is None else f"did you mean {meant}?"


def _excerpt(document: Document, index: int) -> tuple[str, ...]:
    text = document.text
    start = max(text.rfind("\n", 0, index) + 1, index - _BEFORE)
    end = text.find("\n", index)
    end = min(len(text) if end < 0 else end, index + _AFTER)
    line = masked(document, start, end)
    if not line.strip():
        return ()
    return line, " " * (index - start) + "^"


def masked(document: Document, start: int, end: int) -> str:
    """Return a piece of a line, stars for what may not be seen, cut before a comment."""
    line = document.text[start:end]
    taken, seen = bytearray(len(line)), bytearray(len(line))
    root = document.root
    for begin, stop, path, is_key in () if root is None else _scalars(root, start, end):
        _mark(taken, begin - start, stop - start)
        for a, b in _visible(document, begin, stop, path, is_key=is_key):
            _mark(seen, a - start, b - start)
    for pattern in (_PUNCTUATION, _KEYWORD):
        for match in pattern.finditer(line):
            if not any(taken[match.start() : match.end()]):
                _mark(seen, match.start(), match.end())
    for match in _REFERENCE.finditer(line):
        _mark(seen, match.start(), match.end())
    return _drawn(
        line[: _comment(line, taken, at_start=_begins(document.text, start))], seen
    )


def _mark(seen: bytearray, low: int, high: int) -> None:
    low, high = max(0, low), min(len(seen), high)
    if low < high:
        seen[low:high] = b"\1" * (high - low)


def _begins(text: str, index: int) -> bool:
    return index == 0 or text[index - 1].isspace()


def _comment(line: str, taken: Sequence[int], *, at_start: bool) -> int:
    """Return where a comment begins: it is not shown, it may hold an old secret."""
    for at, character in enumerate(line):
        alone = line[at - 1].isspace() if at else at_start
        if character == "#" and alone and not taken[at]:
            return at
    return len(line)


def _drawn(line: str, seen: Sequence[int]) -> str:
    return "".join(
        " " if character.isspace() else _plain(character) if visible else "*"
        for character, visible in zip(line, seen, strict=False)
    ).rstrip()


def _plain(character: str) -> str:
    return "?" if INVISIBLE.match(character) else character


def _visible(
    document: Document, begin: int, stop: int, path: Path, *, is_key: bool
) -> Iterator[tuple[int, int]]:
    """Yield the parts of a scalar that may be seen."""
    text = document.text
    if is_key:
        if _key_seen(document, path):
            yield begin, stop
        return
    how = openness(path)
    # A value of several lines has most likely swallowed what follows it.
    if how is Openness.OPEN and "\n" not in text[begin:stop]:
        yield begin, stop
        return
    yield from _quotes(text, begin, stop)
    inside = text[begin : min(stop, begin + 4096)]
    for pattern in (_REFERENCE, _HOLE):
        for match in pattern.finditer(inside):
            yield begin + match.start(), begin + match.end()
    if how is Openness.HOST:
        yield from _harmless_part(text, begin, stop, path)


def _key_seen(document: Document, path: Path) -> bool:
    """Whether the last step of a path may be seen: a key that is missing is a word of ours."""
    branch: Node | None = document.root
    for step in path[:-1]:
        branch = _below(branch, step)
    word = path[-1]
    number = None if branch is None or isinstance(branch, str) else branch.number(word)
    if isinstance(word, int) or number is None or branch is None or isinstance(branch, str):
        return True
    if stray(branch, number, word):
        return False
    # After an error of YAML any text may have become a key.
    honest = document.whole and keys_open(path[:-1])
    return word in KEYWORDS or (honest and _STEP.fullmatch(word) is not None)


def _below(branch: Node | None, step: str | int) -> Node | None:
    if isinstance(branch, MapNode):
        return branch.items.get(str(step))
    return (
        branch.items[step]
        if isinstance(branch, ListNode) and isinstance(step, int)
        else None
    )


def _quotes(text: str, begin: int, stop: int) -> Iterator[tuple[int, int]]:
    if text[begin : begin + 1] in {'"', "'"}:
        yield begin, begin + 1
        yield stop - 1, stop


def _harmless_part(
    text: str, begin: int, stop: int, path: Path
) -> Iterator[tuple[int, int]]:
    inside = text[begin : min(stop, begin + 4096)]
    match = _HOST.search(inside)
    if match is not None and match.start() <= 1:
        yield begin + match.start(), begin + match.end()
    elif path == ("database",) and "://" not in inside:
        yield begin, stop


def _scalars(
    branch: MapNode | ListNode, start: int, end: int, path: Path = ()
) -> Iterator[tuple[int, int, Path, bool]]:
    """Yield the keys and scalars that reach into a span: begin, end, path, is it a key."""
    count = len(branch.items)
    first = bisect_left(range(count), start, key=branch.key_place)
    last = bisect_left(range(count), end, key=branch.key_place)
    steps = list(branch.items) if isinstance(branch, MapNode) else range(count)
    for number in range(max(0, first - 1), last):
        step = steps[number]
        value = branch.items[step]  # type: ignore[index]  # a step of this very branch
        below = (*path, step)
        if branch.key_end(number) > branch.key_place(number):
            yield branch.key_place(number), branch.key_end(number), below, True
        if isinstance(value, str):
            yield branch.place(number), branch.end(number), below, False
        else:
            yield from _scalars(value, start, end, below)
