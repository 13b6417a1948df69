"""Print the JSON Schema of the configuration.

Editors complete and check the file with it: `genbridge schema > genbridge.schema.json`, and on top
of config.yaml `# yaml-language-server: $schema=genbridge.schema.json`.
"""

import json

import typer

app = typer.Typer(add_completion=False)


@app.command(help=__doc__)
def schema() -> None:
    """Print the schema, with the options of every provider and format."""
    from bridge.config import json_schema
    from bridge.plugins import Plugins

    typer.echo(json.dumps(json_schema(Plugins()), indent=2))
