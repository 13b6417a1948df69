"""The libraries that exist for Node alone read what is sent.

They are looked for where `NODE_PATH` leads: `npm install @discordjs/builders cloudevents` into any
folder, then `NODE_PATH=FOLDER/node_modules`. Not needed in CI.
"""

import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.core.examples import GENERATIONS, NOTICES
from bridge.core.ports import Form, Rendered
from bridge.formats import cloudevents, discord
from tests.formats.events import COMPLETED, NASTY_TEXTS, message

EVENTS = {**GENERATIONS, **NOTICES}

DISCORD = """
const { EmbedBuilder } = require("@discordjs/builders");
for (const { body } of JSON.parse(require("node:fs").readFileSync(0))) {
  for (const e of JSON.parse(body).embeds ?? []) {
    const built = new EmbedBuilder().setTitle(e.title).setColor(e.color).setFooter(e.footer);
    built.addFields(...e.fields).setDescription(e.description ?? null);
    built.setTimestamp(e.timestamp ? new Date(e.timestamp) : null).setImage(e.image?.url ?? null);
    built.toJSON();
  }
}
"""

CLOUDEVENTS = """
const { HTTP } = require("cloudevents");
for (const { headers, body } of JSON.parse(require("node:fs").readFileSync(0))) {
  const event = HTTP.toEvent({ headers, body });
  event.validate();
  if (!event.id || !event.data) throw new Error("empty");
}
"""


def node(library: str, script: str, rendered: list[Rendered]) -> None:
    """Run a script over what was rendered; it ends with an error where it is refused."""
    folders = os.environ.get("NODE_PATH", "").split(os.pathsep)
    if not any((Path(folder) / library).is_dir() for folder in folders if folder):
        pytest.skip(f"{library} is not at hand: NODE_PATH leads to no folder with it")
    program = shutil.which("node")
    if program is None:
        pytest.skip("node is not at hand")
    sent = [{"headers": dict(r.headers), "body": r.body.decode()} for r in rendered]
    done = subprocess.run(
        [program, "-e", script],
        input=json.dumps(sent),
        capture_output=True,
        text=True,
        check=False,
        timeout=15,
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_discords_builders_take_every_embed() -> None:
    made = discord.Format()
    node(
        "@discordjs/builders",
        DISCORD,
        [made.render(event, form) for event in EVENTS.values() for form in Form],
    )


@pytest.mark.parametrize("mode", ["structured", "binary"])
def test_the_javascript_sdk_reads_every_cloudevent(mode: str) -> None:
    made = cloudevents.Format(mode="binary" if mode == "binary" else "structured")
    node(
        "cloudevents",
        CLOUDEVENTS,
        [made.render(event, form) for event in EVENTS.values() for form in Form],
    )


def test_discords_builders_take_nasty_texts() -> None:
    made = discord.Format()
    events = [
        replace(COMPLETED, source=text, generation_id=text, metadata={text[:90]: text})
        for text in NASTY_TEXTS
    ]
    node("@discordjs/builders", DISCORD, [made.render(message(e)) for e in events])
