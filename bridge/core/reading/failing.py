"""Why a generation failed, from whatever an API says about it (PROVIDERS, rule 8)."""

from bridge.core.ladder import State
from bridge.core.looking import Failure
from bridge.core.reading.places import as_text
from bridge.core.reading.wordform import Spoken, snake
from bridge.core.text.cleantext import TEXT_LIMIT, clean
from bridge.core.text.jsontext import encode

_NO_CODES = frozenset({"", "0"})
_SAYING = ("message", "detail", "reason")


def failure(spoken: Spoken, code: object, reason: object) -> Failure:
    """Return the failure of a generation whose word was `spoken`.

    `code` is the API's as text (0 and empty are none), else the word in lower case with
    `_`, or `error` where that word means success.
    """
    return Failure(code=_code(code) or _word(spoken), reason=why(reason))


def why(reason: object) -> str | None:
    """Return a reason as text: of an object what it says, else its JSON; None: it is empty.

    At most `TEXT_LIMIT` characters.
    """
    if isinstance(reason, dict):
        said = (reason.get(key) for key in _SAYING)
        spoken = next(
            (text for text in said if isinstance(text, str) and text.strip()), None
        )
        if spoken is not None:
            reason = spoken
    if reason is None or isinstance(reason, bool) or reason in ("", [], {}):
        return None
    text = reason if isinstance(reason, str) else encode(reason).decode("ascii")
    return clean(text, TEXT_LIMIT).strip() or None


def _code(code: object) -> str | None:
    text = repr(code) if isinstance(code, float) and code else as_text(code)
    if text is None or text.strip() in _NO_CODES:
        return None
    return clean(text.strip())


def _word(spoken: Spoken) -> str:
    if spoken.state is State.COMPLETED:
        return "error"
    return snake(spoken.native) or "failed"
