"""Records are cheap to make, and otherwise as frozen dataclasses are."""

from dataclasses import fields, replace
from typing import ClassVar

import pytest

from bridge.core.record import Record


class Letter(Record, frozen=True, kw_only=True):
    """A record as others are."""

    unshown: ClassVar[frozenset[str]] = frozenset({"text"})

    to: str
    text: str = ""
    stamps: tuple[int, ...] = ()


class Parcel(Letter, frozen=True, kw_only=True):
    """One that adds to another."""

    weight: int


def test_what_may_not_be_shown_is_in_no_repr() -> None:
    assert repr(Letter(to="ana", text="canary")) == "Letter(to='ana', stamps=())"
    assert "canary" not in repr(Parcel(to="ana", text="canary", weight=1))


def test_a_copy_differs_in_what_was_named() -> None:
    letter = Letter(to="ana", text="one", stamps=(1,))
    assert replace(letter, text="two") == Letter(to="ana", text="two", stamps=(1,))
    assert replace(Parcel(to="ana", weight=1), to="bo") == Parcel(to="bo", weight=1)
    assert letter.text == "one"


def test_its_fields_are_told_in_their_order_and_no_more() -> None:
    assert [one.name for one in fields(Letter)] == ["to", "text", "stamps"]


def test_a_copy_has_no_field_that_the_record_lacks() -> None:
    with pytest.raises(TypeError, match="colour"):
        replace(Letter(to="ana"), colour="red")  # type: ignore[call-arg]  # what is refused


def test_nothing_of_it_can_be_set() -> None:
    with pytest.raises(AttributeError):
        Letter(to="ana").to = "bo"  # type: ignore[misc]  # what is refused


def test_its_fields_are_given_by_name() -> None:
    with pytest.raises(TypeError):
        Letter("ana")  # type: ignore[call-arg]  # what is refused


def test_equal_records_are_one_in_a_set() -> None:
    assert len({Letter(to="ana"), Letter(to="ana"), Letter(to="bo")}) == 2
