"""The plugins that the README shows how to write work when they are dropped into the package."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.config.given import SECRET
from tests.docs.pages import README, ROOT, block, blocks

CONVERSATION = """
import json
from datetime import UTC, datetime
from uuid import UUID
from bridge.core.event import Event, envelope
from bridge.core.network.exchange import Response
from bridge.core.ladder import State
from bridge.core.looking import Get
from bridge.core.message import Message
from bridge.plugins import Plugins

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
provider = Plugins().load("provider", "paper-boats")(api_key="k")
asking = provider.ask(Get(id="boat-7"))
request = next(asking)
document = {"status": "Afloat", "result": {"images": ["https://boats.example/7.png"]}}
try:
    body = json.dumps(document).encode()
    asking.send(Response(status=200, body=body, received_at=NOW))
except StopIteration as end:
    (seen,) = end.value.observations

format = Plugins().load("format", "one-line")(key="message")
event = Event(tag="completed", occurred_at=NOW, source="boats", provider="paper-boats",
    generation_id="boat-7", state=seen.state, native_state=seen.native_state,
    previous_state=None, observed_at=NOW, outputs=seen.outputs, sequence=0)
rendered = format.render(Message(id=UUID(int=7), body=envelope(event)))
queued = format.read(Response(status=500, body=b"queued", received_at=NOW))
print(json.dumps([request.url, seen.state.word, seen.outputs[0].url,
    json.loads(rendered.body), type(queued).__name__]))
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package with the two files of the README."""
    folder = tmp_path_factory.mktemp("copy")
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "bridge", folder / "bridge", ignore=ignored)
    written = [b.text for b in blocks(README, "python") if b.text.startswith("# bridge/")]
    assert len(written) == 2
    for text in written:
        name = text.partition("\n")[0].removeprefix("# ")
        assert not (folder / name).exists()
        (folder / name).write_text(text)
    return folder


def _said(package: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=package,
        env={**os.environ, "PYTHONPATH": str(package), "STUDIO_SECRET": SECRET},
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_they_ask_read_and_render(package: Path) -> None:
    assert json.loads(_said(package, "-c", CONVERSATION)) == [
        "https://api.boats.example/v1/jobs/boat-7",
        "completed",
        "https://boats.example/7.png",
        {"message": "Completed: boats boat-7"},
        "Accepted",
    ]


def test_check_and_schema_know_them_and_their_options(package: Path) -> None:
    text = block(README, "yaml", "paper-boats")
    (package / "config.yaml").write_text(text)
    assert "1 source, 1 webhook, 1 watch" in _said(package, "-m", "bridge", "check")
    schema = _said(package, "-m", "bridge", "schema")
    for word in ("paper-boats", "one-line", *re.findall(r"\b(key): message", text)):
        assert f'"{word}"' in schema


def test_they_are_written_in_our_style(package: Path) -> None:
    files = [
        package / "bridge/providers/paper_boats.py",
        package / "bridge/formats/one_line.py",
    ]
    config = ["--config", str(ROOT / "pyproject.toml")]
    # ARG002: the parts of a Protocol that so small a plugin has no use for.
    command = ["-m", "ruff", "check", "--no-cache", *config, "--ignore", "ARG002"]
    assert "All checks passed" in _said(package, *command, *map(str, files))
