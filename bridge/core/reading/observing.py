"""One observation out of what an API says of one generation."""

from datetime import datetime

from bridge.core.ladder import State
from bridge.core.looking import Observation
from bridge.core.reading.dialect import Dialect
from bridge.core.reading.failing import failure
from bridge.core.reading.instant import instant
from bridge.core.reading.outputs import outputs
from bridge.core.reading.places import present
from bridge.core.reading.progress import progress


def observation(
    value: object,
    one: str,
    dialect: Dialect,
    observed_at: datetime,
    text: bytes | None = None,
) -> Observation | None:
    """Return what a document says of the generation `one`; None: it has no state word.

    `text` is the document's own text where it is all about this one.
    """
    spoken = dialect.words.read(dialect.state(value))
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
        raw=value,
        raw_text=text,
    )


def _share(value: object, dialect: Dialect, state: State | None) -> float | None:
    if state is not None and state.terminal:
        return 1.0 if state is State.COMPLETED else None
    share = dialect.progress(value)
    return None if share is None else progress(share, dialect.full(value))
