"""A queue of keys by their due moment."""

from math import inf

from hypothesis import given
from hypothesis import strategies as st

from bridge.core.duequeue import DueQueue

keys = st.integers(0, 9)
moments = st.integers(-9, 50).map(lambda n: n / 8) | st.sampled_from([inf, 1e300])
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
    waiting = sum(map(len, queue._slots.values()))  # noqa: SLF001  (a promise about memory)
    assert waiting + len(queue._soon) < 100  # noqa: SLF001  (as above)
    assert queue.pop(9_999.0) == "one"


@given(st.lists(moments))
def test_of_one_moment_they_come_in_the_order_in_which_they_were_set(
    ats: list[float],
) -> None:
    queue: DueQueue[int] = DueQueue()
    for n, at in enumerate(ats):
        queue.set(n, at)
    assert queue.take(inf, len(ats) + 1) == sorted(enumerate(ats), key=lambda pair: pair[1])
    assert queue.next() is None


def test_no_more_are_taken_than_were_asked_for() -> None:
    queue: DueQueue[str] = DueQueue()
    queue.fill([("b", 2.0), ("a", 1.0), ("c", 3.0)])
    assert queue.take(inf, 2) == [("a", 1.0), ("b", 2.0)]
    assert queue.at("c") == 3.0
    assert queue.take(2.5, 2) == []
    assert "b" not in queue


def test_filling_leaves_those_alone_that_are_due() -> None:
    queue: DueQueue[str] = DueQueue()
    queue.set("a", 5.0)
    queue.fill([("a", 1.0), ("b", 2.0)])
    assert queue.take(inf, 9) == [("b", 2.0), ("a", 5.0)]
