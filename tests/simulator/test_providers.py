"""genbridge's own providers read every simulated API that they know, on virtual time."""

from typing import Any

import anyio
import pytest
import trio.testing

from bridge.core.ladder import State
from bridge.core.looking import (
    Batch,
    Busy,
    Get,
    Hold,
    Listing,
    Refused,
    Seen,
    Trouble,
)
from bridge.simulator.apis import APIS
from bridge.simulator.switches import Fault
from tests.simulator.meeting import PLUGINS, Meeting, able

pytestmark = pytest.mark.anyio

NAMES = [name for name in APIS if name in PLUGINS.names("provider")]
WORDLESS = ("veo", "stability")
"""Their state is no word, so there cannot be an odd one."""
BY_STATUS = ("stability",)
"""Its state is the HTTP status, whatever the body is."""
WALK = (("queued", 10.0), ("dreaming", 10.0), ("completed", None))


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


def told(name: str, state: State) -> State:
    """The rung that a look can tell: an API without a word for it shows the next one."""
    return next(
        rung for rung in State if rung >= state and APIS[name].words.rungs.get(rung)
    )


@pytest.mark.parametrize("name", NAMES)
async def test_a_generation_is_followed_from_the_queue_to_its_outputs(name: str) -> None:
    meeting = Meeting(name)
    id_ = meeting.add(WALK)
    seen = []
    for _ in range(3):
        seen.append(await meeting.seen(id_))
        await anyio.sleep(10.5)
    ladder = (State.QUEUED, State.DREAMING, State.COMPLETED)
    assert [one.state for one in seen] == [told(name, state) for state in ladder]
    assert [bool(one.outputs) for one in seen] == [False, False, True]
    assert not any(one.failure for one in seen)
    assert {one.id for one in seen} == {id_}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("end", ["failed", "cancelled", "expired", "moderated"])
async def test_a_generation_that_ends_badly_has_failed(name: str, end: str) -> None:
    meeting = Meeting(name)
    seen = await meeting.seen(meeting.add([(end, None)]))
    assert seen.state is State.FAILED
    assert seen.failure is not None
    assert not seen.outputs


@pytest.mark.parametrize("name", NAMES)
async def test_an_unknown_generation_is_never_seen(name: str) -> None:
    meeting = Meeting(name)
    id_ = meeting.add(WALK)
    meeting.upstream.apis.accounts[name].jobs.clear()
    look = Get(id=id_, at=meeting.now)
    assert not isinstance(await meeting.look(look), Seen)


@pytest.mark.parametrize("name", NAMES)
async def test_a_word_that_nobody_knows_is_no_end(name: str) -> None:
    meeting = Meeting(name)
    meeting.upstream.switch(odd_word="upscaling")
    script = (("queued", 1.0), ("dreaming", 10.0), ("completed", None))
    seen = await meeting.seen(meeting.add(script, age=9.0))
    if name in WORDLESS:
        assert seen.state is State.DREAMING
    else:
        assert (seen.native_state, seen.state) == ("upscaling", None)


@pytest.mark.parametrize("name", NAMES)
async def test_a_word_that_stands_for_ever_never_becomes_an_end(name: str) -> None:
    meeting = Meeting(name)
    meeting.upstream.switch(stuck_word="MODAL")
    seen = await meeting.seen(meeting.add(WALK, age=86_400.0))
    assert seen.state in (None, State.DREAMING)
    if name == "relay-midjourney":
        assert (seen.native_state, seen.state) == ("MODAL", State.DREAMING)


@pytest.mark.parametrize("name", [name for name in NAMES if able(name).batch])
async def test_a_batch_tells_where_each_generation_is(name: str) -> None:
    meeting = Meeting(name)
    ids = tuple(meeting.add(WALK, age=age) for age in (1.0, 11.0, 21.0))
    reading = await meeting.look(Batch(ids=(*ids, "nobody"), at=meeting.now))
    assert isinstance(reading, Seen), reading
    rungs = {one.id: one.state for one in reading.observations}
    wanted = (State.QUEUED, State.DREAMING, State.COMPLETED)
    assert rungs == dict(zip(ids, wanted, strict=True))
    assert reading.unseen == ("nobody",)


@pytest.mark.parametrize("name", [name for name in NAMES if able(name).listing])
async def test_a_list_tells_every_generation_page_by_page(name: str) -> None:
    meeting = Meeting(name)
    ids = {meeting.add(WALK, age=21.0) for _ in range(3)}
    reading = await meeting.look(Listing(at=meeting.now))
    assert isinstance(reading, Seen), reading
    assert {one.state for one in reading.observations} == {State.COMPLETED}
    # Kling lists bare task ids, without the family.
    assert {one.id for one in reading.observations} <= ids | {tail(id_) for id_ in ids}
    assert len(reading.observations) == len(ids)


def tail(id_: str) -> str:
    return id_.rpartition("/")[2]


@pytest.mark.parametrize("name", [name for name in NAMES if able(name).hold])
async def test_a_hold_wakes_at_the_transition(name: str) -> None:
    meeting = Meeting(name)
    id_ = meeting.add(WALK)
    reading = await meeting.look(Hold(id=id_, until=State.DREAMING, at=meeting.now))
    assert isinstance(reading, Seen), reading
    assert [one.state for one in reading.observations] == [State.DREAMING]
    assert anyio.current_time() == 10.0


@pytest.mark.parametrize("name", NAMES)
async def test_a_wrong_key_is_refused_and_haste_is_told(name: str) -> None:
    meeting = Meeting(name)
    look = Get(id=meeting.add(WALK), at=meeting.now)
    meeting.upstream.switch(key="other:pair")
    assert isinstance(await meeting.look(look), Refused)
    meeting.upstream.switch(key=None, limit=0)
    assert isinstance(await meeting.look(look), Busy)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "fault", [Fault.ERROR_500, Fault.ERROR_503, Fault.HTML, Fault.CUT_JSON]
)
async def test_a_fault_teaches_nothing(name: str, fault: Fault) -> None:
    meeting = Meeting(name)
    id_ = meeting.add(WALK, age=11.0)
    meeting.upstream.switch(fault=fault)
    if name not in BY_STATUS or fault in (Fault.ERROR_500, Fault.ERROR_503):
        assert isinstance(await meeting.look(Get(id=id_, at=meeting.now)), Trouble)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("fault", [Fault.SURROGATES, Fault.NUMBERS_IN_STRINGS])
async def test_an_odd_document_is_read_all_the_same(name: str, fault: Fault) -> None:
    meeting = Meeting(name)
    meeting.upstream.switch(fault=fault)
    assert (await meeting.seen(meeting.add(WALK, age=21.0))).state is State.COMPLETED
