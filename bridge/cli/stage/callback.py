"""A callback as the audience sees it."""

from dataclasses import dataclass

from bridge.simulator.receiver import Received
from bridge.simulator.seal import Seal

TERMINAL = ("completed", "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """One POST: to which webhook, of which event, and what the receiver made of it."""

    webhook: str
    format: str
    id: str
    attempt: str
    type: str
    state: str
    subject: str
    sequence: int | None
    verified: bool
    status: int

    @property
    def accepted(self) -> bool:
        """Whether it counts as delivered."""
        return 200 <= self.status < 300

    @property
    def terminal(self) -> bool:
        """Whether nothing follows it about its generation."""
        return self.state in TERMINAL


def callback(webhook: str, format_: str, received: Received) -> Callback:
    """Return what was received as a callback in its format."""
    document = received.document or {}
    read = {"standard": _standard, "flat": _flat, "slack": _slack}[format_]
    type_, state, subject, sequence = read(document)
    return Callback(
        webhook=webhook,
        format=format_,
        id=received.headers.get("webhook-id", ""),
        attempt=received.headers.get("webhook-attempt", "?"),
        type=type_,
        state=state,
        subject=subject,
        sequence=sequence,
        verified=received.seal is Seal.VERIFIED,
        status=received.status,
    )


def _standard(document: dict[str, object]) -> tuple[str, str, str, int | None]:
    data = document.get("data")
    data = data if isinstance(data, dict) else {}
    subject = f"{data.get('source')} {data.get('generation_id')}"
    return str(document.get("type")), str(data.get("state")), subject, _number(data)


def _flat(document: dict[str, object]) -> tuple[str, str, str, int | None]:
    subject = f"{document.get('source')} {document.get('generation_id')}"
    return (
        str(document.get("event")),
        str(document.get("state")),
        subject,
        _number(document),
    )


def _slack(document: dict[str, object]) -> tuple[str, str, str, int | None]:
    # A message for people: its first word is the state, then it tells of which generation.
    word, _, rest = str(document.get("text", "")).partition(":")
    state = word.strip().lower()
    subject = " ".join(rest.replace(",", " ").split()[:2])
    return f"generation.{state}", state, subject, None


def _number(document: dict[str, object]) -> int | None:
    sequence = document.get("sequence")
    return sequence if isinstance(sequence, int) else None
