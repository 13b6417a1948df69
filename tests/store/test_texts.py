"""Whatever a provider or a receiver writes can be kept (STORE, section 8)."""

import json
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.change import Change
from bridge.core.ladder import State
from bridge.core.message import Message
from bridge.core.ports import Store
from bridge.core.text.jsontext import encode
from bridge.store.texts import metadata_of, metadata_text, micros, plain, span
from tests.store.world import World, announced, claimed, settled, to, watching

pytestmark = pytest.mark.anyio

ODD = [
    '"\\u0000"',
    '"\\ud800"',
    str(2**63),
    "-9223372036854775809",
    "1e400",
    "NaN",
    "'",
    "%s ? :now /*rows*/3?",
    "{}",
    '"' + "x" * 300_000 + '"',
]


@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
async def test_a_message_comes_out_as_it_went_in(store: Store, text: str) -> None:
    watch = await watching(store)
    message = Message(id=UUID(int=7), body=text.encode(), raw=text.encode())
    change = Change(
        watch=watch,
        rank=0,
        native_state=None,
        ended=None,
        tag="queued",
        message=message,
        recipients=(to(room=False),),
    )
    await store.write([change], [])
    (delivery,) = await claimed(store)
    assert delivery.message == message


async def test_a_message_without_a_document_has_none(store: Store) -> None:
    watch = await watching(store)
    message = Message(id=UUID(int=7), body=b"{}")
    change = Change(
        watch=watch,
        rank=0,
        native_state=None,
        ended=None,
        tag="queued",
        message=message,
        recipients=(to(room=False),),
    )
    await store.write([change], [])
    (delivery,) = await claimed(store)
    assert delivery.message.raw is None


@pytest.mark.parametrize("word", ["\0nul", "a\ud800b", "é", "w" * 5000])
async def test_a_providers_word_is_kept_as_far_as_it_can_be(
    store: Store, word: str
) -> None:
    watch = await watching(store)
    change = Change(
        watch=watch,
        rank=0,
        native_state=word,
        ended=None,
        tag="queued",
        message=Message(id=UUID(int=7), body=b"{}"),
    )
    await store.write([change], [])
    seen = await store.watch(watch.generation)
    assert seen is not None
    assert seen.native_state == plain(word)
    assert len(seen.native_state or "") <= 2000


async def test_any_reason_and_any_answer_can_be_kept(world: World) -> None:
    watch = await watching(world.store, "g2")
    await announced(world.store, watch, State.QUEUED)
    (delivery,) = await claimed(world.store)
    every_byte = bytes(range(256))
    await world.store.write([], [settled(delivery, why="\0x\udfff", answer=every_byte)])
    (logged,) = await world.attempts()
    assert (logged.why, logged.answer) == ("x\ufffd", every_byte)


@given(st.text())
def test_a_plain_text_has_nothing_that_a_database_refuses(text: str) -> None:
    kept = plain(text)
    assert kept is not None
    assert "\0" not in kept
    kept.encode()
    assert plain(kept) == kept


@given(
    st.dictionaries(
        st.text(st.characters(codec="ascii")),
        st.one_of(
            st.integers(), st.text(), st.booleans(), st.none(), st.floats(allow_nan=False)
        ),
    )
)
def test_metadata_comes_out_as_json_says_it(metadata: dict[str, object]) -> None:
    text = metadata_text(metadata)
    assert metadata_of(text) == (json.loads(encode(metadata)) if metadata else {})
    assert text is None or text.isascii()


@given(st.timedeltas())
def test_a_span_is_kept_to_the_microsecond(length: timedelta) -> None:
    assert span(micros(length)) == length
