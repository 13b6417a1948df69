"""What a provider knows of an id before anybody asks: whether it can be asked about at all."""

import pytest
from hypothesis import given

from bridge.core.askable import never
from bridge.core.looking import Get, Rejected
from bridge.core.ports import Selective
from tests.providers.describing import described
from tests.providers.talking import KEY, NAMES, answer, house, provider, talk
from tests.providers.test_ids_in_questions import any_id

JOBS = {
    "base_url": "https://api.acme.example",
    "read": {"state": "status", "states": {"completed": ["done"]}},
}


@pytest.mark.parametrize("name", NAMES)
@given(one=any_id)
def test_what_does_not_fit_is_what_is_never_asked(name: str, one: str) -> None:
    known = provider(name)

    asked = talk(known, Get(id=one), answer({}))

    why = known.fits(one)
    if why is None:
        assert asked.requests
    elif "FAMILY/TASK" not in why:
        assert asked.reading == Rejected(why=why)


@pytest.mark.parametrize("name", ["fal", "kling", "stability", "veo"])
@pytest.mark.parametrize("one", ["a//b", "/a/b", "a/b/", "a/./b", "a/../b"])
def test_a_path_with_a_hole_in_it_does_not_fit(name: str, one: str) -> None:
    why = provider(name).fits(one)

    assert why is not None
    assert "path segment" in why


@pytest.mark.parametrize("name", NAMES)
def test_a_whole_url_of_another_house_does_not_fit_and_is_not_quoted(name: str) -> None:
    why = provider(name).fits("https://evil.example/token-canary?sig=canary")

    assert why is not None
    assert "canary" not in why
    assert KEY not in why


@pytest.mark.parametrize("name", ["flux", "fal", "heygen"])
def test_a_whole_url_of_the_api_itself_fits(name: str) -> None:
    assert provider(name).fits(f"https://{house(name)}/v2/7") is None


@pytest.mark.parametrize(
    ("one", "fits"),
    [
        ("text2video/866168216002236456", True),
        ("images/generations/866168216002236457", True),
        ("https://api.klingai.com/v1/videos/text2video/7", True),
        ("866168216002236456", False),
        ("images/866168216002236457", False),
    ],
)
def test_a_task_of_kling_is_found_only_below_its_family(one: str, fits: bool) -> None:
    why = provider("kling").fits(one)

    assert (why is None) == fits
    assert fits or "FAMILY/TASK" in str(why)


def test_a_task_without_a_family_that_is_watched_already_is_asked_about_as_before() -> None:
    assert talk(provider("kling"), Get(id="866168216002236456"), answer({})).requests


@pytest.mark.parametrize(("hole", "fits"), [("{id}", True), ("{+id}", False)])
def test_how_an_api_is_described_says_what_fits(hole: str, fits: bool) -> None:
    known = described({**JOBS, "get": {"url": f"/jobs/{hole}"}})

    assert (known.fits("a//b") is None) == fits


def test_a_provider_that_says_nothing_of_ids_takes_any() -> None:
    class Silent:
        """A provider of somebody's own, without `fits`."""

    assert not isinstance(Silent(), Selective)
    assert never(Silent())("a//b") is None
