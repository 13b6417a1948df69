import json
import os
import pty
import subprocess
from pathlib import Path

import pytest

from tests.cli.calling import GENBRIDGE, environment, genbridge

GOOD = """\
sources:
  luma: {provider: luma-agents, api_key: CANARY}
  aiml: {provider: aimlapi-luma, api_key: CANARY}
webhooks:
  studio: {url: https://example.com/CANARY, secret: SECRET}
watches:
  - {source: luma, id: one}
  - {source: aiml, ids: [two, three]}
""".replace("SECRET", "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
BAD = """\
sources:
  luma: {provider: luma-agent, api_key: CANARY}
webhoks:
  studio: {}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(GOOD)
    return path


def test_a_good_file_is_ok_with_its_counts(config: Path) -> None:
    done = genbridge("check", folder=config.parent)
    assert done.returncode == 0
    assert done.stdout == "config.yaml: ok, 2 sources, 1 webhook, 3 watches\n"
    assert done.stderr == ""


def test_another_file_can_be_named(config: Path) -> None:
    done = genbridge("check", "-c", config)
    assert done.stdout.startswith(f"{config}: ok")


def test_warnings_are_told_and_are_no_mistakes(config: Path) -> None:
    config.write_text(
        "sources: {luma: {provider: luma-agents, api_key: k}}\n"
        "webhooks: {studio: {url: 'https://example.com/'}}\n"
    )
    done = genbridge("check", folder=config.parent)
    assert done.returncode == 0
    assert done.stdout == "config.yaml: ok, 1 source, 1 webhook, 0 watches\n"
    assert "warning: config.yaml:2:" in done.stderr
    assert "secret" in done.stderr
    [entry] = json.loads(genbridge("check", "--json", folder=config.parent).stdout)
    assert entry["severity"] == "warning"
    assert "without a secret" in entry["message"]


def test_all_mistakes_are_named_at_once_with_place_line_and_caret(config: Path) -> None:
    config.write_text(BAD)
    done = genbridge("check", folder=config.parent)
    assert done.returncode == 2
    assert done.stdout == ""
    unknown = "sources.luma.provider: unknown provider 'luma-agent'"
    assert done.stderr.splitlines() == [
        f"config.yaml:2:20: {unknown}; did you mean luma-agents?",
        "      luma: {provider: luma-agent, api_key: ******}",
        " " * 23 + "^",
        "config.yaml:3:1: webhoks: unknown key; did you mean webhooks?",
        "    webhoks:",
        "    ^",
        "2 mistakes",
    ]


def test_more_mistakes_than_anybody_reads_are_counted(config: Path) -> None:
    config.write_text(GOOD + "".join(f"key{n}: 1\n" for n in range(200)))
    done = genbridge("check", folder=config.parent)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "200 mistakes, of which 150 are not shown"


def test_programs_get_a_list_of_mistakes(config: Path) -> None:
    config.write_text(BAD)
    done = genbridge("check", "--json", folder=config.parent)
    first, second = json.loads(done.stdout)
    assert done.returncode == 2
    assert done.stderr == ""
    assert first["severity"] == "error"
    assert (first["file"], first["line"], first["column"]) == ("config.yaml", 2, 20)
    assert (second["path"], second["hint"]) == ("webhoks", "did you mean webhooks?")


def test_programs_get_an_empty_list_for_a_good_file(config: Path) -> None:
    done = genbridge("check", "--json", folder=config.parent)
    assert (done.returncode, json.loads(done.stdout)) == (0, [])


def test_a_file_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    done = genbridge("check", folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("config.yaml:1:1: cannot be read: No such file")


@pytest.mark.parametrize(
    "content", [GOOD, BAD, GOOD + "x: [", GOOD.replace("https", "htps")]
)
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_no_secret_of_the_file_is_ever_shown(
    config: Path, content: str, form: list[str]
) -> None:
    config.write_text(content)
    done = genbridge("check", *form, folder=config.parent)
    assert "CANARY" not in done.stdout + done.stderr


def on_a_terminal(config: Path, **env: str) -> str:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*GENBRIDGE, "check", "-c", config],
        stdout=theirs,
        stderr=theirs,
        env=environment(**env),
    ) as process:
        os.close(theirs)
        text = b""
        while True:
            try:
                text += os.read(ours, 4096)
            except OSError:  # Linux's way of saying that the other end is closed
                break
        process.wait()
    os.close(ours)
    return text.decode().replace("\r\n", "\n")


def test_a_terminal_gets_colours(config: Path) -> None:
    config.write_text(BAD)
    text = on_a_terminal(config)
    assert "\x1b[31m\x1b[1m" + " " * 23 + "^\x1b[0m" in text
    assert "\x1b[36m\x1b[1mdid you mean webhooks?\x1b[0m" in text


def test_no_color_takes_them_away_and_nothing_else(config: Path) -> None:
    config.write_text(BAD)
    assert on_a_terminal(config, NO_COLOR="1") == genbridge("check", "-c", config).stderr
