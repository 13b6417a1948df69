"""Edits: within the limits of posts, of the message that the receipt names, and of no other."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.core.delivering.acknowledgement import (
    Accepted,
    Acknowledgement,
    TooRich,
    Uneditable,
)
from bridge.core.examples import GENERATIONS, RECEIPT
from bridge.core.looking import Output
from bridge.core.message import Message
from bridge.core.network.exchange import Response
from bridge.core.ports import Editor, Form, Format, Rendered
from bridge.core.text.cutting import utf16
from bridge.formats.discord import Format as Discord
from bridge.formats.telegram import Format as Telegram
from tests.formats import rules
from tests.formats.built import NAMES, built
from tests.formats.events import COMPLETED, MESSAGES, NOW, message
from tests.formats.longest import FILLERS, longest

DREAMING = GENERATIONS["generation.dreaming"]
DISCORD = Discord(live=True)
CHAT = Telegram(chat_id="4711", message_thread_id=7, live=True)
EDITORS: tuple[Any, ...] = (DISCORD, CHAT)
FORMS = st.sampled_from(Form)
untimed = settings(deadline=None)
both = pytest.mark.parametrize("made", EDITORS, ids=["discord", "telegram"])


def edited(
    made: Editor, sent: Message, form: Form = Form.FULL, receipt: str = RECEIPT
) -> tuple[Rendered, dict[str, Any]]:
    done = made.edit(sent, receipt, form)
    assert done is not None
    document: dict[str, Any] = json.loads(done.body)
    return done, document


def test_two_formats_can_edit_and_each_is_told_to() -> None:
    editors = [name for name in NAMES if isinstance(built(name), Editor)]
    assert editors == ["discord", "telegram"]
    for name in editors:
        plain: Any = built(name)
        assert plain.live is False


@untimed
@given(MESSAGES, FORMS, st.sampled_from(EDITORS))
def test_what_is_posted_is_the_same_byte_for_byte_with_and_without_edits(
    sent: Message, form: Form, made: Any
) -> None:
    assert replace(made, live=False).render(sent, form) == made.render(sent, form)


# Discord


def test_an_edit_of_discord_names_the_message_and_nobody_else() -> None:
    done, document = edited(DISCORD, DREAMING)
    assert (done.method, done.path, done.query) == ("PATCH", "/messages/1001", "")
    posted = json.loads(DISCORD.render(DREAMING).body)
    assert posted.pop("flags") == 4096
    assert document == {"content": None, **posted}
    assert document["allowed_mentions"] == {"parse": []}


def test_an_edit_of_discord_leaves_nothing_of_the_richer_form() -> None:
    assert edited(DISCORD, DREAMING, Form.TEXT)[1] == {
        "content": "Dreaming: luma 182bd5e5, 42%",
        "embeds": [],
        "allowed_mentions": {"parse": []},
    }


@untimed
@given(MESSAGES, FORMS)
def test_any_edit_of_discord_is_within_the_limits_of_a_post(
    sent: Message, form: Form
) -> None:
    done, document = edited(DISCORD, sent, form)
    assert "flags" not in document
    assert {"content", "embeds"} <= document.keys()
    there = {name: value for name, value in document.items() if value}
    rules.discord(Rendered(body=json.dumps(there).encode(), query="wait=true"))
    assert done.body.isascii()


# Telegram

TEXT, FILE = "1001", "1001:file"
NAMED = {"chat_id": "4711", "message_id": 1001}
PICTURE = replace(
    COMPLETED,
    tag="dreaming",
    outputs=(Output(type="image", url="https://cdn.example/p.png", role="preview"),),
)
VIDEO = GENERATIONS["generation.completed"]


@pytest.mark.parametrize(
    ("receipt", "sent", "form", "call"),
    [
        (TEXT, DREAMING, Form.FULL, "editMessageText"),
        (TEXT, DREAMING, Form.TEXT, "editMessageText"),
        (TEXT, message(PICTURE), Form.COMPACT, "editMessageText"),
        (TEXT, message(PICTURE), Form.FULL, "editMessageMedia"),
        (FILE, message(PICTURE), Form.FULL, "editMessageMedia"),
        (FILE, VIDEO, Form.FULL, "editMessageMedia"),
        (FILE, DREAMING, Form.FULL, "editMessageCaption"),
        (FILE, message(PICTURE), Form.COMPACT, "editMessageCaption"),
        (FILE, message(PICTURE), Form.TEXT, "editMessageCaption"),
    ],
)
def test_telegram_is_asked_for_the_edit_that_fits_what_was_posted(
    receipt: str, sent: Message, form: Form, call: str
) -> None:
    done, document = edited(CHAT, sent, form, receipt)
    assert (done.method, done.path, done.query) == ("POST", f"/{call}", "")
    assert {name: document.pop(name) for name in NAMED} == NAMED
    words = {
        "editMessageText": {"text", "entities", "link_preview_options"},
        "editMessageCaption": {"caption", "caption_entities"},
        "editMessageMedia": {"media"},
    }
    assert document.keys() == words[call]


def test_a_file_is_put_into_a_message_with_its_caption() -> None:
    posted = json.loads(CHAT.render(VIDEO).body)
    assert edited(CHAT, VIDEO, receipt=TEXT)[1]["media"] == {
        "type": "video",
        "media": posted["video"],
        "caption": posted["caption"],
        "caption_entities": posted["caption_entities"],
    }


def check_edit_of_telegram_is_within_its_limits(
    sent: Message, form: Form, receipt: str
) -> None:
    done, document = edited(CHAT, sent, form, receipt)
    shown = document.get("media", document)
    room = 4096 if done.path == "/editMessageText" else 1024
    assert 1 <= utf16(shown.get("text", shown.get("caption"))) <= room
    entities = shown.get("entities", shown.get("caption_entities", []))
    assert len(entities) <= 100
    assert done.path == "/editMessageMedia" or "media" not in document
    assert (done.path == "/editMessageText") == ("text" in document)
    assert done.path != "/editMessageText" or receipt == TEXT


@untimed
@given(MESSAGES, FORMS, st.sampled_from([TEXT, FILE]))
def test_any_edit_of_telegram_is_within_the_limits_of_its_call(
    sent: Message, form: Form, receipt: str
) -> None:
    check_edit_of_telegram_is_within_its_limits(sent, form, receipt)


@pytest.mark.parametrize("receipt", [TEXT, FILE])
@pytest.mark.parametrize("filler", FILLERS)
def test_the_longest_edits_of_telegram_are_within_the_limits(
    filler: str, receipt: str
) -> None:
    for sent in longest(filler):
        for form in Form:
            check_edit_of_telegram_is_within_its_limits(sent, form, receipt)


# Receipts

HOSTILE = [
    "",
    "../../2/T",
    "1?x=1",
    "1#",
    "1/2",
    "-1",
    "x",
    "\N{FULLWIDTH DIGIT ONE}",
    "1\n",
    "9" * 30,
    "1:file:file",
]


@both
@pytest.mark.parametrize("receipt", HOSTILE)
def test_a_receipt_that_names_no_message_edits_none(made: Editor, receipt: str) -> None:
    assert made.edit(DREAMING, receipt) is None


@both
@untimed
@given(receipt=st.text(max_size=30))
def test_no_receipt_leads_out_of_the_webhook(made: Editor, receipt: str) -> None:
    done = made.edit(DREAMING, receipt)
    assert done is None or done.path.rpartition("/")[0] in ("", "/messages")


def answer(status: int, document: object) -> Response:
    return Response(status=status, body=json.dumps(document).encode(), received_at=NOW)


@pytest.mark.parametrize("id_", [receipt for receipt in HOSTILE if receipt])
def test_an_id_of_discord_that_is_none_is_no_receipt(id_: str) -> None:
    assert DISCORD.read(answer(200, {"id": id_})) == Accepted()


@pytest.mark.parametrize(
    ("result", "receipt"),
    [
        ({"message_id": 42, "text": "a"}, "42"),
        ({"message_id": 42, "photo": [], "caption": "a"}, "42:file"),
        ({"message_id": 42, "video": {}}, "42:file"),
        ({"message_id": 42, "animation": {}, "document": {}}, "42:file"),
        ({"message_id": -1}, None),
        ({"message_id": 10**30}, None),
        ({"message_id": True}, None),
        ({"message_id": "42"}, None),
        (True, None),
    ],
)
def test_a_receipt_of_telegram_tells_whether_there_is_a_file(
    result: object, receipt: str | None
) -> None:
    assert CHAT.read(answer(200, {"ok": True, "result": result})) == Accepted(
        receipt=receipt
    )


@both
@untimed
@given(data=st.data())
def test_a_receipt_that_was_given_can_be_edited(made: Any, data: st.DataObject) -> None:
    number = data.draw(st.integers(0, 10**18 - 1))
    given_ = {"id": str(number), "ok": True, "result": {"message_id": number}}
    reading = made.read(answer(200, given_))
    assert isinstance(reading, Accepted)
    assert reading.receipt is not None
    assert made.edit(DREAMING, reading.receipt) is not None


# Answers to edits


def discord(status: int, code: int) -> Response:
    return answer(status, {"code": code, "message": "canary", "retry_after": 9})


def telegram(why: str) -> Response:
    said = {"ok": False, "error_code": 400, "description": f"Bad Request: {why}"}
    return answer(400, said)


UNCHANGED = (
    "message is not modified: specified new message content and reply markup are exactly "
    "the same as a current content and reply markup of the message"
)


@pytest.mark.parametrize(
    ("made", "response", "kind"),
    [
        (DISCORD, discord(404, 10008), Uneditable),
        (DISCORD, discord(429, 30046), Uneditable),
        (DISCORD, discord(403, 50005), Uneditable),
        (DISCORD, discord(400, 50083), Uneditable),
        (DISCORD, discord(400, 50035), TooRich),
        (CHAT, telegram("message to edit not found"), Uneditable),
        (CHAT, telegram("message can't be edited"), Uneditable),
        (CHAT, telegram("MESSAGE_ID_INVALID"), Uneditable),
        (CHAT, telegram("there is no text in the message to edit"), Uneditable),
        (CHAT, telegram("there is no caption in the message to edit"), Uneditable),
        (CHAT, telegram(UNCHANGED), Accepted),
        (CHAT, telegram("message caption is too long"), TooRich),
    ],
)
def test_every_answer_to_an_edit_is_read(
    made: Format, response: Response, kind: type[Acknowledgement]
) -> None:
    assert type(made.read(response)) is kind


def test_the_reason_names_the_code_and_not_what_was_said() -> None:
    found = DISCORD.read(discord(429, 30046))
    assert isinstance(found, Uneditable)
    assert found.why.startswith("429 30046: ")
    assert "canary" not in found.why
