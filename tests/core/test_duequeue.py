"""A queue of keys by their due moment."""

from hypothesis import given
from hypothesis import strategies as st

from bridge.core.duequeue import DueQueue

keys = st.integers(0, 9)
moments = st.integers(0, 50).map(float)
steps = st.lists(
    st.tuples(st.just("set"), keys, moments)
    | st.tuples(st.just("drop"), keys, st.just(0.0))
    | st.tuples(st.just("pop"), st.just(0), moments),
    max_size=300,
)


@given(steps)
def test_it_behaves_like_a_table_of_moments(steps: list[tuple[str, int, float]]) -> None:
    queue: DueQueue[int] = DueQueue()
    table: dict[int, float] = {}
    for step, key, at in steps:
        if step == "set":
            queue.set(key, at)
            table[key] = at
        elif step == "drop":
            queue.drop(key)
            table.pop(key, None)
        else:
            due = min(table.values(), default=None)
            popped = queue.pop(at)
            if due is None or due > at:
                assert popped is None
            else:
                assert popped is not None
                assert table.pop(popped) == due
        assert queue.next() == min(table.values(), default=None)
        assert len(queue) == len(table)
        assert all(key in queue for key in table)


def test_the_same_key_set_a_million_times_takes_no_more_room() -> None:
    queue: DueQueue[str] = DueQueue()
    for n in range(10_000):
        queue.set("one", float(n))
    assert len(queue._heap) < 100  # noqa: SLF001  (the promise is about memory)
    assert queue.pop(9_999.0) == "one"
