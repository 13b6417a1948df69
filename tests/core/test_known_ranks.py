"""A batch of which some ranks are known: less is said of them, and of the others the same."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.ladder import State
from bridge.core.looking import Reading, Seen
from bridge.core.network.exchange import Response
from bridge.core.reading.dialect import Dialect
from bridge.core.reading.places import at, first
from bridge.core.reading.reading import read_many
from bridge.core.reading.wordform import Words

ASKED = ("a", "b", "c")
DIALECT = Dialect(
    words=Words.of(
        {
            State.QUEUED: ["queued", None],
            State.DREAMING: ["running", "in progress"],
            State.COMPLETED: ["done", True],
            State.FAILED: ["failed"],
        }
    ),
    id=first("id", "data.id"),
    state=first("state", "data.state", that=lambda value: value is not None),
    failed_if=at("error"),
    outputs=at("url"),
)

words: st.SearchStrategy[Any] = st.sampled_from(
    [
        "queued",
        "running",
        "In-Progress",
        "done",
        "failed",
        "strange",
        "",
        None,
        True,
        7,
        [],
        {},
    ]
)
entries = st.fixed_dictionaries(
    {},
    optional={
        "id": st.sampled_from([*ASKED, "d", 7, None, ""]),
        "state": words,
        "error": st.sampled_from([None, "", "it broke", 0]),
        "data": st.fixed_dictionaries(
            {"id": st.sampled_from(ASKED)}, optional={"state": words}
        ),
        "url": st.just("https://cdn.example/v.mp4"),
    },
)
lists = st.lists(entries | st.none() | st.lists(entries, max_size=2), max_size=6)
documents = (
    lists
    | entries
    | st.fixed_dictionaries({"data": lists})
    | st.dictionaries(st.sampled_from(ASKED), entries, max_size=3)
)
ranks = st.dictionaries(st.sampled_from(ASKED), st.sampled_from([0, 1]))


def read(document: Any, known: dict[str, int]) -> Reading:
    response = Response(
        status=200,
        body=json.dumps(document).encode(),
        received_at=datetime(2026, 11, 21, tzinfo=UTC),
    )
    return read_many(response, ASKED, DIALECT, known=known)


@given(documents, ranks)
def test_an_id_is_still_as_known_exactly_where_its_observation_would_say_so(
    document: Any, known: dict[str, int]
) -> None:
    whole, short = read(document, {}), read(document, known)
    if not isinstance(whole, Seen):
        assert short == whole
        return
    assert isinstance(short, Seen)
    assert not whole.still
    still = {
        one.id
        for one in whole.observations
        if one.state is not None and known.get(one.id) == one.state
    }
    assert set(short.still) == still
    assert short.observations == tuple(o for o in whole.observations if o.id not in still)
    assert short.unseen == whole.unseen


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_entries_about_one_id_the_higher_rank_counts(order: int) -> None:
    entries = [{"id": "a", "state": "running"}, {"id": "a", "state": "done"}][::order]
    reading = read(entries, {"a": State.DREAMING})
    assert isinstance(reading, Seen)
    assert not reading.still
    assert [one.state for one in reading.observations] == [State.COMPLETED]
