"""References ${…} are expanded once, after parsing, and a missing one is named at its place."""

import os
from pathlib import Path

import pytest

from bridge.config import Environment
from bridge.config.environment import small_file
from bridge.core.settings import Settings
from tests.config.given import (
    GOOD,
    SECRET,
    Provider,
    environment,
    said,
    settings,
    wrong,
)


def key_of(loaded: Settings) -> str:
    provider = loaded.sources["s"].provider
    assert isinstance(provider, Provider)
    return provider.api_key


def with_key(reference: str) -> str:
    return GOOD.replace("api_key: k", f"api_key: '{reference}'")


@pytest.mark.parametrize(
    ("reference", "meant"),
    [
        ("${KEY}", "from-variable"),
        ("a${KEY}b${KEY}c", "afrom-variablebfrom-variablec"),
        ("${NONE:-default}", "default"),
        ("${EMPTY:-default}", "default"),
        ("${KEY:-default}", "from-variable"),
        ("${NONE:-a:-b}", "a:-b"),
        ("${file:/run/key}", "from-file"),
        ("${credential:key}", "from-credential"),
        ("$${KEY}", "${KEY}"),
        ("${NESTED}", "${KEY}"),
        ("$KEY", "$KEY"),
    ],
)
def test_a_reference_is_replaced_once(reference: str, meant: str) -> None:
    there = environment(
        {"KEY": "from-variable", "EMPTY": "", "NESTED": "${KEY}"},
        files={"/run/key": b"from-file\n", "/credentials/key": b"from-credential\r\n"},
        credentials="/credentials",
    )
    assert key_of(settings(with_key(reference), there)) == meant


def test_references_work_in_every_string() -> None:
    text = (
        "database: ${V}.db\n"
        "server: {listen: '${LISTEN}'}\n"
        "sources:\n  s: {provider: '${P}', api_key: k, looks: '${N}', eager: '${T}'}\n"
        "webhooks:\n  h: {url: '${URL}', secret: ['${S}'], states: ['${STATE}']}\n"
        "watches:\n  - {source: s, ids: ['${V}', b], metadata: {a: ['${N}']}}\n"
    )
    loaded = settings(
        text,
        environment(
            {
                "V": "v",
                "LISTEN": "off",
                "P": "plain",
                "N": "7",
                "T": "true",
                "URL": "https://example.com",
                "S": SECRET,
                "STATE": "failed",
            }
        ),
    )
    assert loaded.database == "v.db"
    assert loaded.server.host is None
    assert loaded.sources["s"].looks == 7
    assert loaded.webhooks["h"].keys[0].text == SECRET
    assert [watch.id for watch in loaded.watches] == ["v", "b"]
    assert loaded.watches[0].metadata == {"a": ["7"]}


def test_what_comes_from_outside_is_never_read_as_yaml() -> None:
    there = environment({"X": "{a: 1}", "N": "1042"})
    text = GOOD.replace("id: a", "id: a, metadata: {x: '${X}', n: '${N}'}")
    loaded = settings(text, there)
    assert loaded.watches[0].metadata == {"x": "{a: 1}", "n": "1042"}
    block = GOOD + "    metadata:\n      n: ${N}\n"
    block = block.replace("- {source: s, id: a}", "- source: s\n    id: a")
    assert settings(block, there).watches[0].metadata == {"n": "1042"}


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("${NONE}", "the environment variable NONE is not set"),
        ("x${NONE", "this ${ is never closed"),
        ("${}", "expected ${NAME}"),
        ("${1X}", "expected ${NAME}"),
        ("${NONE:+x}", "expected ${NAME}"),
        ("${file:/none}", "the file /none cannot be read: No such file"),
        ("${file:/latin}", "the file /latin is not UTF-8"),
        ("${credential:none}", "the credential none cannot be read: No such file"),
        ("${credential:../key}", "a credential's name is that of a file"),
        ("${credential:}", "a credential's name is that of a file"),
        ("${BYTES}", "the environment variable BYTES is not UTF-8"),
    ],
)
def test_a_reference_to_nothing_is_one_mistake_at_its_place(
    reference: str, message: str
) -> None:
    there = environment(
        {"BYTES": "\udcff"}, files={"/latin": b"\xff"}, credentials="/credentials"
    )
    (line,) = said(with_key(f"ab{reference}"), there)
    at = with_key("ab").split("\n")[1].index("'ab") + 4
    at += reference.index("$")
    assert line.startswith(f"config.yaml:2:{at}: sources.s.api_key: {message}")


def test_all_missing_references_are_named() -> None:
    text = GOOD.replace("api_key: k", "api_key: '${A}${B}'").replace(SECRET, "'${C}'")
    found = [line.partition("variable ")[2][0] for line in said(text)]
    assert found == ["A", "B", "C"]


def test_expansions_cannot_fill_the_memory() -> None:
    there = environment({"BIG": "x" * (1 << 20)})
    ids = ", ".join("'${BIG}'" for _ in range(20))
    error = wrong(GOOD.replace("id: a", f"ids: [{ids}]"), there)
    assert "together exceed 16 MiB" in str(error)


class TestWithoutTheFolderOfCredentials:
    text = GOOD.replace("api_key: k", "api_key: '${credential:key}'")

    def test_run_refuses(self) -> None:
        (line,) = said(self.text)
        assert "the folder of credentials cannot be read" in line

    def test_check_takes_a_credential_as_present_and_warns(self) -> None:
        loaded = settings(self.text, check=True)
        (warning,) = loaded.warnings
        assert warning.startswith("config.yaml:2:33: sources.s.api_key: the credential key")

    def test_check_takes_it_as_a_secret_a_url_or_a_header(self) -> None:
        text = self.text.replace(
            SECRET, "'${credential:a}', headers: {X: '${credential:b}'}"
        )
        text = text.replace("'https://example.com/h'", "'${credential:c}'")
        assert len(settings(text, check=True).warnings) == 4

    def test_check_still_refuses_a_name_that_a_readable_folder_lacks(self) -> None:
        error = wrong(self.text, environment(credentials="/credentials"), check=True)
        assert "the credential key cannot be read" in str(error)


class TestFilesOfThisMachine:
    def test_a_small_regular_file_is_read(self, tmp_path: Path) -> None:
        (tmp_path / "key").write_bytes(b"x" * 65536)
        assert len(small_file(tmp_path / "key")) == 65536

    def test_a_large_file_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "key").write_bytes(b"x" * 65537)
        with pytest.raises(ValueError, match="larger than 64 KiB"):
            small_file(tmp_path / "key")

    def test_a_pipe_that_nobody_writes_to_does_not_hold_it_up(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(ValueError, match="not a regular file"):
            small_file(tmp_path / "pipe")

    @pytest.mark.parametrize("path", ["/dev/zero", "/dev/null"])
    def test_devices_are_refused(self, path: str) -> None:
        with pytest.raises(ValueError, match="not a regular file"):
            small_file(Path(path))

    def test_folders_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises((OSError, ValueError)):
            small_file(tmp_path)

    def test_the_folder_of_credentials_counts_only_if_it_can_be_read(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
        assert Environment.real().credentials == tmp_path
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "none"))
        assert Environment.real().credentials is None
        monkeypatch.delenv("CREDENTIALS_DIRECTORY")
        assert Environment.real().credentials is None

    def test_the_environment_shows_no_variable(self) -> None:
        assert "canary" not in repr(environment({"X": "canary"}))


def test_two_absent_credentials_are_two_different_secrets() -> None:
    text = GOOD.replace(SECRET, "['${credential:a}', '${credential:b}']")
    keys = settings(text, check=True).webhooks["h"].keys
    assert len(keys) == 2
