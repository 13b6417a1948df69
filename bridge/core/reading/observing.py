"""One observation out of what an API says of one generation."""

from datetime import datetime

from bridge.core.ladder import State
from bridge.core.looking import Observation
from bridge.core.reading.dialect import Dialect
from bridge.core.reading.failing import failure
from bridge.core.reading.instant import instant
from bridge.core.reading.outputs import outputs
from bridge.core.reading.places import as_text, nothing, present
from bridge.core.reading.progress import progress
from bridge.core.reading.wordform import Spoken, folded
from bridge.core.text.cleantext import clean


def observation(
    value: object,
    one: str,
    dialect: Dialect,
    observed_at: datetime,
    text: bytes | None = None,
    *,
    spoken: Spoken | None = None,
) -> Observation | None:
    """Return what a document says of the generation `one`; None: it has no state word.

    `text` is the document's own text where it is all about this one, `spoken` its state
    where that does not stand in the document.
    """
    spoken = spoken or _spoken(value, dialect)
    if spoken is None:
        return None
    state = spoken.state
    if state is not None and present(dialect.failed_if(value)):
        state = State.FAILED
    return Observation(
        id=one,
        native_state=spoken.native,
        state=state,
        observed_at=observed_at,
        outputs=outputs(
            dialect.outputs(value),
            observed_at=observed_at,
            life=dialect.life,
            needs_key=dialect.needs_key,
        )
        if state is State.COMPLETED
        else (),
        failure=failure(spoken, dialect.code(value), dialect.reason(value))
        if state is State.FAILED
        else None,
        progress=_share(value, dialect, state),
        created_at=instant(dialect.created_at(value)),
        model=clean(as_text(dialect.model(value)) or ""),
        raw=value,
        raw_text=text,
    )


def rank(value: object, dialect: Dialect) -> int | None:
    """Return the rank that an `observation` would have; None: none, or no state word."""
    word = dialect.state(value)
    # Nearly always it is a word of the table, for each of a hundred in a batch.
    spoken = dialect.words.known.get(word) if isinstance(word, str) else None
    state = dialect.words.rung(word) if spoken is None else spoken.state
    if state is None or dialect.failed_if is nothing:
        return state
    return State.FAILED if present(dialect.failed_if(value)) else state


def _spoken(value: object, dialect: Dialect) -> Spoken | None:
    spoken = dialect.words.read(dialect.state(value))
    if spoken is None or spoken.state is not None:
        return spoken
    # `Task not found` may stand where other answers have the state: it is none.
    complaints, word = dialect.complaints, folded(spoken.native)
    if word not in complaints.missing | complaints.busy | complaints.refused:
        return spoken
    code = as_text(complaints.code(value))
    return None if code is not None and folded(code) == word else spoken


def _share(value: object, dialect: Dialect, state: State | None) -> float | None:
    if state is not None and state.terminal:
        return 1.0 if state is State.COMPLETED else None
    share = dialect.progress(value)
    return None if share is None else progress(share, dialect.full(value))
