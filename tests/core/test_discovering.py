"""What is new in a source's list: each new generation once, whatever was there before never."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bridge.core.discovering import MARKS, SLACK, Round
from bridge.core.discovery import Discovery
from bridge.core.ladder import State
from bridge.core.looking import Observation

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def shown(
    id_: str, state: State | None = State.COMPLETED, made: datetime | None = None
) -> Observation:
    return Observation(
        id=id_, native_state="word", state=state, observed_at=NOON, created_at=made
    )


def after(*marks: str, at: datetime = NOON) -> Round:
    before = Discovery(source="s", since=NOON - 9 * HOUR, anchor=marks, updated_at=at)
    return Round(before=before)


def test_the_first_round_takes_what_still_runs_and_nothing_that_is_over() -> None:
    turn = Round(before=None)
    page = [
        shown("a", State.QUEUED),
        shown("b"),
        shown("c", None),
        shown("d", State.FAILED),
    ]
    assert turn.page(page) == ["a", "c"]
    assert turn.left("s", NOON).anchor == ("a", "b", "c", "d")


def test_a_round_ends_with_the_page_that_shows_something_known() -> None:
    turn = after("k")
    assert turn.page([shown("a"), shown("b")]) == ["a", "b"]
    assert not turn.over
    assert turn.page([shown("c"), shown("k"), shown("old")]) == ["c"]
    assert turn.over


def test_what_comes_up_because_newer_ones_were_deleted_is_not_new() -> None:
    turn = after("deleted")
    old = [shown(f"old-{n}", made=NOON - HOUR) for n in range(3)]
    assert turn.page(old) == []
    assert turn.over


def test_what_a_list_shows_late_is_new_all_the_same() -> None:
    turn = after("k")
    late = shown("late", made=NOON - SLACK / 2)
    assert turn.page([shown("k"), late, shown("old", made=NOON - HOUR)]) == ["late"]


def test_what_is_made_in_the_second_of_the_first_round_is_new_in_the_next() -> None:
    first = NOON + timedelta(seconds=0.9)
    before = Discovery(source="s", since=first, anchor=("k",), updated_at=first)
    turn = Round(before=before)
    # An API that tells whole seconds: it was made half a second later.
    assert turn.page([shown("new", made=NOON), shown("k")]) == ["new"]


def test_the_marks_do_not_grow_for_ever() -> None:
    before = Discovery(source="s", since=NOON, anchor=tuple(f"k{n}" for n in range(MARKS)))
    turn = Round(before=before)
    turn.page([shown("a", State.QUEUED), shown("k0")])
    left = turn.left("s", NOON)
    assert (len(left.anchor), left.anchor[:2], left.since) == (MARKS, ("a", "k0"), NOON)


class Account(RuleBasedStateMachine):
    """An account that fills up while rounds go on, some of them broken off."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.generations: list[Observation] = []
        self.before: Discovery | None = None
        self.there_before: set[str] = set()
        self.ordered: list[str] = []
        self.wanted: set[str] = set()
        self.made = 0

    @rule(count=st.integers(1, 7), state=st.sampled_from([*State, None]))
    def make(self, count: int, state: State | None) -> None:
        for _ in range(count):
            self.now += timedelta(seconds=20)
            self.made += 1
            one = shown(f"g{self.made}", state, made=self.now)
            self.generations.insert(0, one)
            running = state is None or not state.terminal
            if running or self.before is not None:
                self.wanted.add(one.id)
            else:
                self.there_before.add(one.id)

    @rule()
    def finish(self) -> None:
        """Everything that was ordered ends; what nobody has seen yet goes on."""
        watched = set(self.ordered)
        self.generations = [
            replace(g, state=State.COMPLETED) if g.id in watched else g
            for g in self.generations
        ]

    @rule(count=st.integers(1, 30))
    def delete(self, count: int) -> None:
        """The newest vanish, as far as we know them."""
        watched = set(self.ordered) | self.there_before
        gone = {g.id for g in self.generations[:count] if g.id in watched}
        self.generations = [g for g in self.generations if g.id not in gone]
        self.wanted -= gone

    @rule(hours=st.integers(1, 100))
    def wait(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(size=st.integers(1, 5), breaks_after=st.none() | st.integers(0, 3))
    def go_round(self, size: int, breaks_after: int | None) -> None:
        turn, at, pages = Round(before=self.before), 0, 0
        while not turn.over and at < len(self.generations):
            if pages == breaks_after:
                return
            found = turn.page(self.generations[at : at + size])
            self.ordered += [one for one in found if one not in set(self.ordered)]
            at, pages = at + size, pages + 1
        self.before = replace(turn.left("s", self.now), updated_at=self.now)
        missed = self.wanted - set(self.ordered)
        # In the very first round, what still runs far behind what is over is not looked for.
        assert not missed or not self._rounds
        self.wanted -= missed
        self._rounds += 1

    _rounds = 0

    @invariant()
    def nothing_that_was_over_before_us_is_ever_ordered(self) -> None:
        assert not self.there_before & set(self.ordered)


TestAccount = Account.TestCase
