"""Which deliveries are told in the message that is edited, and which receipts count."""

from dataclasses import replace
from uuid import UUID

import pytest

from bridge.core.delivering.delivery import Delivery
from bridge.core.delivering.receipt import Receipt
from bridge.core.examples import GENERATIONS, NOTICES
from bridge.core.live import Progress, is_progress, place
from bridge.core.message import Message
from bridge.core.settings import Webhook
from bridge.formats.discord import Format as Discord
from bridge.formats.slack import Format as Slack
from bridge.formats.telegram import Format as Telegram

KNOWN = Receipt(place="here", text="1001")


def delivery(message: Message, *, manual: bool = False, watch: int | None = 1) -> Delivery:
    return Delivery(
        id=1,
        fence=0,
        webhook=1,
        watch=watch,
        seq=0,
        attempt=1,
        tries=0,
        manual=manual,
        message=message,
    )


@pytest.mark.parametrize("kind", [*GENERATIONS, *NOTICES])
def test_only_what_nobody_needs_to_notice_is_told_by_an_edit(kind: str) -> None:
    silent = is_progress(delivery({**GENERATIONS, **NOTICES}[kind]))
    assert silent == (kind in ("generation.queued", "generation.dreaming"))


def test_a_replay_is_no_progress_and_neither_is_what_has_no_generation() -> None:
    message = GENERATIONS["generation.dreaming"]
    assert not is_progress(delivery(message, manual=True))
    assert not is_progress(delivery(message, watch=None))


@pytest.mark.parametrize("body", [b"", b"[]", b'{"type":1}', b"[" * 100_000])
def test_a_body_that_nobody_knows_is_no_progress(body: bytes) -> None:
    assert not is_progress(delivery(Message(id=UUID(int=1), body=body)))


CHAT = Webhook(
    name="chat",
    url="https://api.telegram.org/bot1:CANARY",
    format=Telegram(chat_id="-1001", live=True),
    format_name="telegram",
)


@pytest.mark.parametrize("form", [Discord(), Telegram(chat_id="1"), Slack()])
def test_nothing_is_edited_unless_it_is_asked_for(form: Discord | Telegram | Slack) -> None:
    assert place(replace(CHAT, format=form)) is None


def test_a_place_is_another_one_where_the_same_number_names_another_message() -> None:
    others = [
        replace(CHAT, format=Telegram(chat_id="-1002", live=True)),
        replace(CHAT, url="https://api.telegram.org/bot2:CANARY"),
        replace(CHAT, format=Discord(live=True), format_name="discord"),
    ]
    assert len({place(one) for one in (CHAT, *others)}) == 4


def test_a_place_is_the_same_whatever_else_a_reload_changes() -> None:
    assert place(replace(CHAT, concurrency=1, name="talk")) == place(CHAT)


def test_a_place_tells_nothing_of_the_url() -> None:
    known = place(CHAT)
    assert known is not None
    assert len(known) == 16
    assert int(known, 16) >= 0


def test_a_receipt_counts_only_where_it_was_given() -> None:
    assert Progress.begun("here", KNOWN).receipt == "1001"
    assert Progress.begun("there", KNOWN).receipt is None
    assert Progress.begun("here", None).receipt is None


def test_a_receipt_is_kept_where_it_is_a_new_one() -> None:
    begun = Progress.begun("here", KNOWN)
    assert begun.kept("1002") == Receipt(place="here", text="1002")
    assert begun.kept("1001") is None
    assert begun.kept(None) is None
    assert Progress.begun("there", KNOWN).kept("1001") == Receipt(
        place="there", text="1001"
    )
