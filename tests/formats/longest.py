"""Messages in which everything is as long as it may be: limits that add up are seen here."""

from collections.abc import Iterator
from dataclasses import replace

from bridge.core.looking import Failure, Output
from bridge.core.message import Message
from tests.formats.events import COMPLETED, message

FILLERS = ("x", "🎬", "<", "@", "\n.", '\\"', "://")
"""Each grows in another way when it is made harmless."""

_TEXTS = (30, 200, 5000)
_URLS = (100, 350, 780, 1700, 3000, 8000)


def longest(filler: str) -> Iterator[Message]:
    """Yield events that have all there is, of texts of one kind."""
    for size in _TEXTS:
        text = filler * size
        failure = Failure(code=text, reason=text)
        for length in _URLS:
            for sign in "x&":
                event = replace(
                    COMPLETED,
                    tag="failed",
                    source=text,
                    generation_id=text,
                    metadata={f"{text}{number}": text for number in range(7)},
                    outputs=tuple(_outputs(sign * length)),
                )
                yield message(replace(event, failure=failure))
                yield message(replace(event, tag="completed"))


def _outputs(end: str) -> Iterator[Output]:
    for number in range(7):
        kind, suffix = ("video", "mp4") if number == 3 else ("image", "png")
        yield Output(type=kind, url=f"https://cdn.example/{number}{end}.{suffix}")
