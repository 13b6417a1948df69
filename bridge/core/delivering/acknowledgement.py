"""What a receiver's answer means, as the format that knows the receiver reads it."""

from datetime import timedelta
from typing import TypeAlias

from bridge.core.record import Record


class Accepted(Record, frozen=True, kw_only=True):
    """Delivered. `receipt` is a message id where the receiver's messages can be edited.

    `pause`: the receiver has said that the next message to this webhook would be one too many
    before that has passed. `edited`: an earlier message tells it now, as the courier knows.
    """

    receipt: str | None = None
    pause: timedelta | None = None
    edited: bool = False


class Throttled(Record, frozen=True, kw_only=True):
    """The whole webhook waits at least `after`."""

    why: str
    after: timedelta | None = None


class TooRich(Record, frozen=True, kw_only=True):
    """The receiver cannot take this form of the message: a poorer one goes out at once."""

    why: str


class Uneditable(Record, frozen=True, kw_only=True):
    """The message that was to be edited is gone, or takes no edit: it is posted anew at once."""

    why: str


class Declined(Record, frozen=True, kw_only=True):
    """This message will never be taken: failed, kept, replayable."""

    why: str


class Gone(Record, frozen=True, kw_only=True):
    """The receiver is no more: the webhook is switched off, its deliveries are held."""

    why: str


class Unconfirmed(Record, frozen=True, kw_only=True):
    """A success in HTTP without the words that this receiver accepts with: try again."""

    why: str


class Unclear(Record, frozen=True, kw_only=True):
    """The format knows nothing special: the HTTP status decides. `hint` is for people."""

    hint: str | None = None


Acknowledgement: TypeAlias = (
    Accepted | Throttled | TooRich | Uneditable | Declined | Gone | Unconfirmed | Unclear
)
