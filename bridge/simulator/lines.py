"""What happened at a simulator, as one line of plain text each."""

from typing import Any

from bridge.simulator.exchange import Call, Document, Reply, read_object

_WIDEST = 300


def asked_line(call: Call, reply: Reply, took: float) -> str:
    """Return a line about a call to a simulated API; `took` is in simulated seconds."""
    query = "&".join(f"{name}={value}" for name, value in call.query)
    target = f"/{call.provider}{call.path}" + (f"?{query}" if query else "")
    state = state_of(read_object(reply.body) or {})
    said = f" {state}" if state else ""
    held = f" after {took:.1f} s" if took >= 0.1 else ""
    return plain(f"{call.method} {target} → {reply.status}{said}{held}")


def state_of(document: Document) -> str | None:
    """Return the state word of a vendor's document, None where there is none to be seen."""
    for place in (document, document.get("data"), document.get("task")):
        if isinstance(place, dict):
            words = (place.get(name) for name in ("state", "status", "task_status"))
            word = next((word for word in words if isinstance(word, str)), None)
            if word:
                return word
    return None


def event_line(document: dict[str, Any] | None) -> str:
    """Return what a webhook's body tells: the event, the source, the generation, the sequence."""
    data = (document or {}).get("data")
    if document is None or not isinstance(data, dict):
        return "a body that is no event"
    return plain(
        f"{document.get('type')} {data.get('source')} {data.get('generation_id')}"
        f" #{data.get('sequence')}"
    )


def plain(text: str) -> str:
    """Return text that does nothing to a terminal, cut to 300 characters."""
    shown = "".join(c if c.isprintable() else "\ufffd" for c in text)
    return shown if len(shown) <= _WIDEST else f"{shown[: _WIDEST - 1]}…"
