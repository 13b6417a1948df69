"""Live: the progress of one generation is one message, which is edited (RECEIVERS, section 1.4).

An edit notifies nobody. So what somebody is to notice is a message of its own: the end of a
generation, and that it has stalled.
"""

from contextlib import suppress
from hashlib import sha256
from typing import Self

import msgspec

from bridge.core.delivering.delivery import Delivery
from bridge.core.delivering.receipt import Receipt
from bridge.core.event import PROGRESS
from bridge.core.ports import Editor
from bridge.core.record import Record
from bridge.core.settings import Webhook

PLACE = 16
"""Hexadecimal digits of a place: it is compared with one other, and tells nothing of the URL."""


def place(webhook: Webhook) -> str | None:
    """Return where a webhook's messages stand that are edited; None: none of them is.

    Another URL or another option of the format is another place. Telegram counts the messages of
    each chat from 1: a receipt of one chat would name somebody else's message in the next.
    """
    form = webhook.format
    if not (isinstance(form, Editor) and form.live):
        return None
    told = f"{webhook.url}\n{webhook.format_name}\n{form!r}"
    return sha256(told.encode()).hexdigest()[:PLACE]


def is_progress(delivery: Delivery) -> bool:
    """Whether a delivery is told in the message that is edited.

    A replay is not: it would put an old state in the place of a newer one, unnoticed.
    """
    if delivery.manual or delivery.watch is None:
        return False
    with suppress(ValueError, RecursionError):
        return _TYPE.decode(delivery.message.body).type in PROGRESS
    return False


class Progress(Record, frozen=True, kw_only=True):
    """That a delivery is told in the message that is edited; `known` names it so far."""

    place: str
    known: Receipt | None = None

    @classmethod
    def begun(cls, place: str, known: Receipt | None) -> Self:
        """Return it with what the store knows; what names a message elsewhere names none here."""
        here = known is not None and known.place == place
        return cls(place=place, known=known if here else None)

    @property
    def receipt(self) -> str | None:
        """What the message to edit is called, None: it is posted."""
        return None if self.known is None else self.known.text

    def kept(self, given: str | None) -> Receipt | None:
        """Return what names the message from now on, where an accepted attempt has changed it."""
        if given is None or given == self.receipt:
            return None
        return Receipt(place=self.place, text=given)


class _Type(msgspec.Struct):
    type: str


_TYPE = msgspec.json.Decoder(_Type)
