"""Reading: a node held against a record, and what is wrong with it in our words."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast, get_args

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from bridge.config.access import TAGGED
from bridge.config.mistakes import Finding, Findings, Path
from bridge.config.near import near
from bridge.config.openness import Openness, openness
from bridge.config.record import Record
from bridge.config.references import Known
from bridge.config.scalars import Unfit
from bridge.config.tree import Document, ListNode, MapNode, Node
from bridge.core.misfit import Misfit, told

R = TypeVar("R", bound=Record)

_KEY = "[key]"
"""How pydantic marks a mistake in a key."""

_MOST_COMPARED = 20
"""Unknown keys of one record that are compared with its missing ones."""

_LONGEST_QUOTED = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A value in its branch."""

    branch: MapNode | ListNode
    number: int
    value: Node

    @property
    def index(self) -> int:
        """Where a mistake in the value is shown; that in a branch at its key."""
        if isinstance(self.value, str):
            return self.branch.place(self.number)
        return self.branch.key_place(self.number)


class Reader:
    """Reads records out of a document and adds what is wrong to the findings.

    `elsewhere` are places of values that came from outside the file: they are never quoted.
    """

    def __init__(
        self,
        document: Document,
        root: MapNode,
        findings: Findings,
        *,
        elsewhere: Collection[int] = (),
    ) -> None:
        self.document = document
        self.root = root
        self.findings = findings
        self._elsewhere = elsewhere

    def spot(self, path: Path) -> Spot | None:
        """Return the value at a path, or at the longest beginning of it that is there."""
        found, value = None, None
        branch: Node = self.root
        for step in path:
            if isinstance(branch, str) or (number := branch.number(step)) is None:
                break
            value = _at(branch, step)
            found, branch = (branch, number), value
        if found is None or value is None:
            return None
        return Spot(branch=found[0], number=found[1], value=value)

    def index(self, path: Path) -> int:
        """Return the place of the value at a path, or of what comes nearest to it."""
        found = self.spot(path)
        return self.root.start if found is None else found.index

    def complain(
        self, path: Path, message: str, *, hint: str = "", key: bool = False
    ) -> None:
        """Add a finding at the value of a path, or at its key."""
        found = self.spot(path)
        index = self.index(path)
        if found is not None and key:
            index = found.branch.key_place(found.number)
        if index not in self.document.refused:
            self.findings.add(Finding(index=index, path=path, message=message, hint=hint))

    def refuse(self, path: Path, misfit: Misfit) -> None:
        """Add what an option says of itself, at the very character where that can be told."""
        whole = (*path, *misfit.path)
        spot, index = self.spot(whole), self.index(whole)
        if spot is not None and misfit.key:
            index = spot.branch.key_place(spot.number)
        elif spot is not None and isinstance(spot.value, str):
            index += self._offset(spot, misfit.at)
        if index not in self.document.refused:
            self.findings.add(
                Finding(
                    index=index,
                    path=whole,
                    message=str(misfit),
                    hint=misfit.hint,
                    word=misfit.word,
                    words=misfit.words,
                )
            )

    def _offset(self, spot: Spot, at: int) -> int:
        """Return how far into the text of the file a character of a value stands."""
        begin, end = spot.branch.place(spot.number), spot.branch.end(spot.number)
        written, value = self.document.text[begin:end], str(spot.value)
        quote = int(written[:1] in {'"', "'"})
        # What was escaped, folded or came from elsewhere stands at its beginning.
        same = written[quote : quote + len(value)] == value
        return quote + at if same else 0

    def record(self, kind: type[R], path: Path, value: Node, known: Known) -> R | None:
        """Return a value as a record; None: it is wrong, and the findings say why."""
        try:
            return kind.model_validate(value, context=known)
        except ValidationError as error:
            details = error.errors(include_url=False, include_input=False)
            self._explain(
                kind, path, [cast("Mapping[str, Any]", detail) for detail in details]
            )
        return None

    def _explain(
        self, kind: type[Record], path: Path, details: Sequence[Mapping[str, Any]]
    ) -> None:
        strangers = [_steps(d["loc"]) for d in details if d["type"] == "extra_forbidden"]
        for detail in details:
            inner = _steps(detail["loc"])
            if detail["type"] == "extra_forbidden":
                self._unknown_key(keys_of(kind, detail["loc"][:-1]), path, inner)
            elif detail["type"] == "missing":
                if not _was_misspelt(inner, strangers):
                    self._missing(path, inner, _about(kind, detail["loc"]))
            else:
                self._unfit((*path, *inner), detail)

    def _missing(self, path: Path, inner: Path, hint: str) -> None:
        """Add that a key is missing, or that it is there in other letters.

        A record that takes no notice of strangers, for its kind is not known, names none.
        """
        step, branch = str(inner[-1]), self._value((*path, *inner[:-1]))
        beside = list(branch.items)[:_MOST_COMPARED] if isinstance(branch, MapNode) else ()
        meant = next((word for word in beside if near(str(word), [step])), None)
        if meant is None:
            self.complain((*path, *inner), "missing", hint=hint)
        else:
            self._unknown_key([step], path, (*inner[:-1], meant))

    def _unknown_key(self, words: Sequence[str], path: Path, inner: Path) -> None:
        step = str(inner[-1])
        whole = (*path, *inner)
        spot = self.spot(whole)
        if spot is None:
            return
        index = spot.branch.key_place(spot.number)
        if index in self.document.refused:
            return
        self.findings.add(
            Finding(
                index=index,
                path=whole,
                message="unknown key",
                word=step,
                words=words,
            )
        )

    def _unfit(self, path: Path, detail: Mapping[str, Any]) -> None:
        key = path[-1:] == (_KEY,)
        if key:
            path = path[:-1]
        if path and isinstance(path[-1], int) and isinstance(self._value(path[:-1]), str):
            path = path[:-1]  # one value where several might stand
        why = detail.get("ctx", {}).get("error")
        misfits = told(why) if isinstance(why, ValueError) else ()
        for misfit in misfits:
            self.refuse(path, misfit)
        if misfits:
            return
        if not isinstance(why, Unfit):
            message = str(why) if isinstance(why, ValueError) else "not a value that fits"
            self.complain(path, message, key=key)
            return
        spot = self.spot(path)
        index = self.index(path)
        if spot is not None and key:
            index = spot.branch.key_place(spot.number)
        if index in self.document.refused:
            return
        quoted = "" if key else self._quoted(path, spot)
        self.findings.add(
            Finding(
                index=index,
                path=path,
                message=f"{why}{why.got.format(repr(quoted))}" if quoted else str(why),
                hint=why.hint,
                word=quoted,
                words=why.words,
            )
        )

    def _value(self, path: Path) -> Node | None:
        spot = self.spot(path)
        return None if spot is None else spot.value

    def _quoted(self, path: Path, spot: Spot | None) -> str:
        """Return the value if it may be repeated: short, from this file, no secret."""
        if spot is None or not isinstance(spot.value, str) or self._foreign(spot):
            return ""
        short = len(spot.value) <= _LONGEST_QUOTED and spot.value.isprintable()
        text = self.document.text[
            spot.branch.place(spot.number) : spot.branch.end(spot.number)
        ]
        if not short or "\n" in text or openness(path) is not Openness.OPEN:
            return ""
        return spot.value

    def _foreign(self, spot: Spot) -> bool:
        return spot.branch.place(spot.number) in self._elsewhere


def _at(branch: MapNode | ListNode, step: str | int) -> Node:
    return branch.items[step]  # type: ignore[index]  # the branch said it is there


def _steps(inner: Path) -> Path:
    """Return a path of pydantic's without the steps that stand for a kind of record."""
    return tuple(step for step in inner if step not in TAGGED)


def keys_of(kind: type[Record], inner: Path) -> Sequence[str]:
    """Return the keys of the record that stands at a path (of pydantic's) within a record."""
    found = _within(kind, inner)
    if found is None:
        return ()
    return [field.alias or name for name, field in found.model_fields.items()]


def _within(kind: type[Record], inner: Path) -> type[Record] | None:
    found: type[Record] | None = kind
    for step in inner:
        if step in TAGGED:
            found = TAGGED[str(step)]
        elif found is not None:
            field = _field(found, step)
            found = None if field is None else _record(field.annotation)
    return found


def _field(record: type[Record], step: str | int) -> FieldInfo | None:
    """Return the field with this key: options have another name in the record."""
    known = record.model_fields
    found = known.get(str(step))
    return found or next((one for one in known.values() if one.alias == step), None)


def _record(annotation: Any) -> type[Record] | None:  # noqa: ANN401  (pydantic's own)
    """Return the record that a field holds, if it holds one."""
    if isinstance(annotation, type):
        return annotation if issubclass(annotation, Record) else None
    within = (_record(one) for one in get_args(annotation))
    return next((one for one in within if one is not None), None)


def _about(kind: type[Record], inner: Path) -> str:
    record = _within(kind, inner[:-1])
    field = None if record is None else _field(record, inner[-1])
    about = None if field is None else field.description
    return "" if not about else f"{about[0].lower()}{about[1:].rstrip('.')}"


def _was_misspelt(inner: Path, strangers: Sequence[Path]) -> bool:
    """Whether a missing key is there in other letters: one mistake needs one sentence."""
    beside = [other[-1] for other in strangers if other[:-1] == inner[:-1]]
    return any(near(str(w), [str(inner[-1])]) for w in beside[:_MOST_COMPARED])
