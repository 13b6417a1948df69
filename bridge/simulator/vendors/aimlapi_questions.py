"""What a query to aimlapi-luma asks for, as the switches make the server read it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, assert_never

from bridge.core.ladder import State
from bridge.simulator.exchange import Call
from bridge.simulator.switches import IdForm, Names, OddWait, Switches

WAITABLE = {state.word: state for state in State if state is not State.FAILED}
"""The words that may be waited for: `failed` is none of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Ids, and the state that the answer is to wait for; None: it is not to wait."""

    ids: tuple[str, ...]
    until: State | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """What is wrong with the query."""

    message: str


Read: TypeAlias = Question | Complaint


def about_one(call: Call, switches: Switches) -> Read:
    """Return what the single path is asked."""
    id = call.value("generation_id")  # noqa: A001  (the domain's word)
    if not id:
        return Complaint(message="generation_id must be a string")
    return _question((id,), call, "state", switches)


def about_many(call: Call, switches: Switches) -> Read:
    """Return what the batch path is asked."""
    ids = tuple(dict.fromkeys(one for one in _ids(call, switches.id_form) if one))
    if not ids:
        return Complaint(message="generation_ids must contain at least 1 element")
    if len(ids) > switches.most_ids:
        return Complaint(message=f"at most {switches.most_ids} generation_ids")
    return _question(ids, call, "status", switches)


def _question(ids: tuple[str, ...], call: Call, name: str, switches: Switches) -> Read:
    names = (name,) if switches.names is Names.STRICT else ("state", "status")
    until = _awaited([word for n in names for word in call.values(n)[:1]], switches)
    return until if isinstance(until, Complaint) else Question(ids=ids, until=until)


def _awaited(words: Sequence[str], switches: Switches) -> State | Complaint | None:
    for word in words:
        if word in WAITABLE:
            return WAITABLE[word]
        match switches.odd_wait:
            case OddWait.REFUSED:
                return Complaint(message=f"state {word!r} cannot be awaited")
            case OddWait.IMMEDIATE:
                return None
            case OddWait.IGNORED:
                continue
    return None


def _ids(call: Call, form: IdForm) -> Sequence[str]:
    bracketed, plain = call.values("generation_ids[]"), call.values("generation_ids")
    match form:
        case IdForm.ALL_THREE:
            return [*bracketed, *(one for ids in plain for one in ids.split(","))]
        case IdForm.BRACKETS:
            return bracketed
        case IdForm.REPEATED:
            return plain
        case IdForm.COMMAS:
            return plain[0].split(",") if plain else ()
        case never:
            assert_never(never)
