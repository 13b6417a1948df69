"""The one section that commands need which call the daemon."""

from pathlib import Path

import pytest

from bridge.config import Environment, Wrong, server_of
from bridge.core.settings import Server


def read(text: str, *, token: str | None = None, **variables: str) -> Server:
    environment = Environment(variables=variables, read_file=Path.read_bytes)
    return server_of(text.encode(), "config.yaml", environment=environment, token=token)


def test_only_the_section_of_the_server_is_looked_at() -> None:
    server = read(
        "sources: {luma: {provider: nobody, api_key: '${NOT_HERE}'}}\n"
        "webhoks: wrong\n"
        "server: {listen: '[::1]:99', token: '${TOKEN}'}\n",
        TOKEN="a-token",
    )
    assert server == Server(host="::1", port=99, token="a-token")


@pytest.mark.parametrize("text", ["watches: []\n", "server:\n", "server: {}\n"])
def test_without_a_section_the_daemon_is_where_it_is_by_default(text: str) -> None:
    assert read(text) == Server(host="127.0.0.1", port=8383, token=None)


def test_a_daemon_may_listen_nowhere() -> None:
    assert read('server: {listen: "off"}\n').host is None


def test_a_token_that_is_given_stands_for_one_that_cannot_be_read() -> None:
    text = "server: {token: '${NOT_HERE}'}\n"
    assert read(text, token="given").token == "given"
    with pytest.raises(Wrong, match="NOT_HERE"):
        read(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("server: {lisen: x}\n", "config.yaml:1:10: server.lisen: unknown key"),
        ("server: {listen: 8383}\n", "server.listen: expected an address"),
        ("server: [1]\n", "server: expected keys and values"),
        ("server: {\n", "config.yaml:"),
    ],
)
def test_a_mistake_in_it_is_named_with_its_place(text: str, says: str) -> None:
    with pytest.raises(Wrong) as wrong:
        read(text)
    assert says in str(wrong.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    environment = Environment(variables={}, read_file=Path.read_bytes)
    with pytest.raises(Wrong, match="cannot be read"):
        server_of(tmp_path / "none.yaml", "none.yaml", environment=environment)
