"""Where an id goes, and where the key never goes."""

from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bridge.core.ladder import State
from bridge.core.looking import Batch, Get, Hold, Look, Rejected
from tests.providers.talking import BY_SEGMENT, KEY, NAMES, answer, house, provider, talk

HOUSES = {name: house(name) for name in NAMES}
any_id = st.one_of(
    st.text(min_size=1, max_size=40),
    st.text("ab/.:%?#&=+@ ", min_size=1, max_size=20),
    st.text(min_size=1).map(lambda t: f"https://{t}"),
)


def _asks(name: str, url: str, one: str) -> bool:
    parts = urlsplit(url)
    if name in BY_SEGMENT:
        return f"/{one}/" in f"{unquote(parts.path)}/"
    segments = [unquote(part) for part in parts.path.split("/")]
    return one in segments or one in dict(parse_qsl(parts.query)).values()


@pytest.mark.parametrize("name", NAMES)
@given(one=any_id)
def test_an_id_comes_through_the_url_as_it_was_or_is_refused(name: str, one: str) -> None:
    assume(not one.lower().startswith(("https://", "http://")))

    asked = talk(provider(name), Get(id=one), answer({}))

    if asked.requests:
        url = asked.request.url
        assert _asks(name, url, one)
        assert url.isascii()
        assert urlsplit(url).hostname == HOUSES[name]
    else:
        assert isinstance(asked.reading, Rejected)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "one",
    [
        "755f9bbb-d99b-4880-992b-f05244ddba61",
        "1743326750223591",
        "Zm9v//8=",
        "9f0c2d1e:stable-audio",
        "models/veo/operations/op9k2",
        "a b",
        "żółć",
        "a?b=c&d#e%2F",
        "...",
    ],
)
def test_ids_that_occur_are_asked(name: str, one: str) -> None:
    asked = talk(provider(name), Get(id=one), answer({}))

    if name in BY_SEGMENT and "//" in one:
        assert isinstance(asked.reading, Rejected)
    else:
        assert _asks(name, asked.request.url, one)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "one",
    [
        "",
        ".",
        "..",
        "a/../b",
        "../x",
        "x/.",
        "a\nb",
        "a\r\nHost: x",
        "\0",
        "\x7f",
        "\x85",
        "\ud800",
    ],
)
@pytest.mark.parametrize("hold", [False, True])
def test_ids_that_would_leave_their_place_are_refused(
    name: str, one: str, hold: bool
) -> None:
    look: Look = Hold(id=one, until=State.DREAMING) if hold else Get(id=one)

    asked = talk(provider(name), look, answer({}))

    assert not asked.requests
    assert isinstance(asked.reading, Rejected)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "one",
    [
        "https://evil.example/x",
        "https://{house}@evil.example/x",
        "https://{house}.evil.example/x",
        "https://evil.example\\@{house}/x",
        "https://user@{house}/x",
        "https://{house}:8443/x",
        "http://{house}/x",
        "https://{house}/../x",
        "https://{house}/x#y",
        "https://{house} .evil.example/x",
        "HTTPS://EVIL.example/x",
        "https://",
    ],
)
def test_the_key_never_goes_to_another_house(name: str, one: str) -> None:
    asked = talk(provider(name), Get(id=one.replace("{house}", HOUSES[name])), answer({}))

    assert not asked.requests
    assert isinstance(asked.reading, Rejected)
    assert KEY not in asked.reading.why


@pytest.mark.parametrize("name", NAMES)
@given(one=any_id, until=st.sampled_from(State))
def test_whatever_the_id_only_the_own_host_is_asked(
    name: str, one: str, until: State
) -> None:
    for look in (Get(id=one), Hold(id=one, until=until), Batch(ids=(one, "g-1"))):
        for request in talk(provider(name), look, answer({})).requests:
            url = urlsplit(request.url)
            assert (url.scheme, url.netloc) == ("https", HOUSES[name])


@pytest.mark.parametrize("name", NAMES)
def test_a_link_of_the_providers_own_is_asked_as_it_is(name: str) -> None:
    link = f"https://{HOUSES[name]}/else/where?x=%2F"

    assert talk(provider(name), Get(id=link), answer({})).request.url == link


@pytest.mark.parametrize("name", NAMES)
def test_a_base_url_may_end_with_a_slash(name: str) -> None:
    plain = talk(provider(name, base_url="http://h:1/p"), Get(id="a"), answer({}))
    slashed = talk(provider(name, base_url="http://h:1/p/"), Get(id="a"), answer({}))

    assert slashed.request.url == plain.request.url
    assert plain.request.url.startswith("http://h:1/p/")


@pytest.mark.parametrize("name", NAMES)
def test_the_key_is_in_no_repr_and_no_reason(name: str) -> None:
    asking = provider(name)
    echo = answer({"message": f"Incorrect API key: {KEY}", "detail": [KEY]}, 401)

    asked = talk(asking, Get(id="a"), echo)

    assert KEY not in repr(asking)
    assert KEY not in repr(asked)
    assert "Incorrect API key" in asked.reading.why  # type: ignore[union-attr]  # not Seen
