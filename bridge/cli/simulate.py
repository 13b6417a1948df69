"""Simulate the upstream APIs.

They answer on this machine only, and take any key. Every question and its answer is printed.
Ctrl-C ends it.
"""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.paint import say

_FIRST = "luma-agents"
"""The API whose creation is told first."""

if TYPE_CHECKING:
    from bridge.simulator.api import Creation

app = typer.Typer(add_completion=False)


@app.command(help=__doc__)
def simulate(
    *,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="0: any that is free.")
    ] = 8380,
    speed: Annotated[
        float, typer.Option(min=0.001, max=1000.0, help="How many times as fast time runs.")
    ] = 1.0,
) -> None:
    """Simulate until told to stop."""
    import anyio

    from bridge.cli.foreground import until_told
    from bridge.plugins import Plugins
    from bridge.simulator.apis import APIS
    from bridge.simulator.upstream import Upstream
    from bridge.telemetry.clock import SystemClock

    async def serve() -> None:
        upstream = Upstream(clock=SystemClock(), port=port, speed=speed, say=say)
        async with upstream:
            urls = {name: upstream.url(name) for name in APIS}
            say(introduction(urls, Plugins().names("provider")))
            await anyio.sleep_forever()

    until_told(serve)


def introduction(urls: Mapping[str, str], providers: Collection[str]) -> str:
    """Return what to put into a configuration, and how a generation is begun.

    `urls` are the base URLs of the simulated APIs by name; those without a provider of their own
    are named apart.
    """
    from bridge.simulator.apis import APIS

    sources = "".join(
        f"\n  {name}: {{provider: {name}, api_key: any, base_url: {url}}}"
        for name, url in urls.items()
        if name in providers
    )
    foreign = "".join(f"\n{url}" for name, url in urls.items() if name not in providers)
    besides = f"\nServed besides, for `provider: http`:\n{foreign}\n" if foreign else ""
    others = "\n".join(
        f"{_begun(url, APIS[name].creation)}  # {_its_id(APIS[name].creation)}"
        for name, url in urls.items()
        if name in APIS and name != _FIRST
    )
    return f"""\
Put this into config.yaml:

network: {{allow: [127.0.0.0/8]}}
sources:{sources}
{besides}
Begin a generation (one that fails: write `fail` in the prompt), and watch the id it answers with:

{_begun(urls[_FIRST], APIS[_FIRST].creation)}

At the others, each with where its answer has the id:

{others}
"""


def _begun(url: str, creation: "Creation") -> str:
    """Return the command that begins a generation."""
    prompt = '{"prompt": "a paper boat"}'
    return f"curl -H '{creation.header}' -d '{prompt}' {url}{creation.path}"


def _its_id(creation: "Creation") -> str:
    before = f", with {creation.before} before it" if creation.before else ""
    return f"{creation.id}{before}"
