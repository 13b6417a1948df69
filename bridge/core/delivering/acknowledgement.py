"""What a receiver's answer means, as the format that knows the receiver reads it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """Delivered. `receipt` is a message id where the receiver's messages can be edited.

    `pause`: the receiver has said that the next message to this webhook would be one too many
    before that has passed.
    """

    receipt: str | None = None
    pause: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttled:
    """The whole webhook waits at least `after`."""

    why: str
    after: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TooRich:
    """The receiver cannot take this form of the message: a poorer one goes out at once."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined:
    """This message will never be taken: failed, kept, replayable."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """The receiver is no more: the webhook is switched off, its deliveries are held."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unconfirmed:
    """A success in HTTP without the words that this receiver accepts with: try again."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unclear:
    """The format knows nothing special: the HTTP status decides. `hint` is for people."""

    hint: str | None = None


Acknowledgement: TypeAlias = (
    Accepted | Throttled | TooRich | Declined | Gone | Unconfirmed | Unclear
)
