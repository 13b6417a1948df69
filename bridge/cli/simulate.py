"""Simulate the upstream APIs.

They answer on this machine only, and take any key. Every question and its answer is printed.
Ctrl-C ends it.
"""

from collections.abc import Collection, Mapping
from typing import Annotated

import typer

from bridge.cli.paint import say

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
    sources = "".join(
        f"\n  {name}: {{provider: {name}, api_key: any, base_url: {url}}}"
        for name, url in urls.items()
        if name in providers
    )
    others = "".join(f"\n{url}" for name, url in urls.items() if name not in providers)
    besides = f"\nServed besides, for `provider: http`:\n{others}\n" if others else ""
    return f"""\
Put this into config.yaml:

network: {{allow: [127.0.0.0/8]}}
sources:{sources}
{besides}
Begin a generation (one that fails: write `fail` in the prompt), and watch the id it answers with:

curl -H 'authorization: Bearer any' -d '{{"prompt": "a paper boat"}}' \
{urls["luma-agents"]}/generations
"""
