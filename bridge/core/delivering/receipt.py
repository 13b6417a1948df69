"""A receipt: what a receiver calls a message that it has taken, by which it can be edited."""

from bridge.core.record import Record


class Receipt(Record, frozen=True, kw_only=True):
    """Names the one message that the progress of a generation is told in at a webhook.

    `place` tells where the message stands (`bridge/core/live.py`): elsewhere the same text would
    name another message. `text` is the receiver's own, as its format has read it.
    """

    place: str
    text: str
