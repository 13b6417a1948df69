"""How many watches a replica takes up and gives back."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bridge.core.sharing.share import Tally


def tally(**counts: int) -> Tally:
    nothing = {"living": 1, "owned": 0, "others": 0, "unowned": 0, "orphaned": 0}
    return Tally(**{**nothing, **counts})


def test_the_only_one_takes_everything() -> None:
    assert tally(unowned=7000, orphaned=500, owned=100).wanted == 7500


def test_one_of_three_takes_its_share_and_a_little() -> None:
    assert tally(living=3, unowned=9000).wanted == 3000 + 60
    assert tally(living=3, unowned=9).wanted == 9


def test_whoever_has_its_share_takes_no_more() -> None:
    assert tally(living=3, owned=3060, others=5900, unowned=40).wanted == 0


def test_a_small_imbalance_moves_nothing() -> None:
    assert tally(living=2, owned=1110, others=890).surplus == 0
    assert tally(living=2, owned=1200, others=800).surplus == 200
    assert tally(living=2, owned=60, others=0).surplus == 0


def test_a_newcomer_makes_the_others_give_back_down_to_their_share() -> None:
    assert tally(living=4, owned=3334, others=6666).surplus == 834


def test_the_only_one_owns_what_it_begins() -> None:
    assert tally(living=1, owned=5).may_own(10**6, 0)


def test_one_of_several_owns_what_it_begins_up_to_its_share() -> None:
    third = tally(living=3, owned=100, others=200)
    assert third.may_own(120, 0)
    assert not third.may_own(121, 0)
    assert third.may_own(150, 150)


counts = st.integers(0, 100_000)


@given(st.integers(1, 20), counts, counts, counts, counts)
def test_nobody_gives_back_what_it_would_take_again(
    living: int, owned: int, others: int, unowned: int, orphaned: int
) -> None:
    before = tally(
        living=living, owned=owned, others=others, unowned=unowned, orphaned=orphaned
    )
    if before.surplus:
        after = replace(
            before, owned=owned - before.surplus, unowned=unowned + before.surplus
        )
        assert after.surplus == 0
        assert after.owned == before.target
        assert after.wanted <= max(20, after.target // 50)
    if before.wanted:
        left = unowned + orphaned - before.wanted
        taken = replace(before, owned=owned + before.wanted, unowned=left, orphaned=0)
        assert taken.surplus == 0


@given(st.integers(1, 20), counts)
def test_together_the_living_may_take_everything(living: int, unowned: int) -> None:
    assert living * tally(living=living, unowned=unowned).wanted >= unowned
