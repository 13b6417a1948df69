"""Serving: the one section that commands need which call the daemon.

The rest of the file is not looked at: whoever asks for the state of a watch need not have the
keys and secrets of the daemon.
"""

from pathlib import Path

from bridge.config.environment import Environment
from bridge.config.excerpts import wrong
from bridge.config.expansion import expand
from bridge.config.loading import content_of
from bridge.config.mistakes import Findings
from bridge.config.reading import Reader
from bridge.config.records import ServerRecord
from bridge.config.references import Known
from bridge.config.tree import Document, MapNode, read
from bridge.core.settings import Server


def server_of(
    source: Path | bytes, name: str, *, environment: Environment, token: str | None = None
) -> Server:
    """Return what the file says about the API; `token`, where it is given, stands for its own.

    Raises Wrong with every mistake of this section, and of YAML itself.
    """
    content = source if isinstance(source, bytes) else content_of(source, name)
    findings = Findings()
    document = read(content, findings)
    server = _server(document, findings, environment, token)
    if server is None or findings:
        raise wrong(name, document, findings)
    return server


def _server(
    document: Document, findings: Findings, environment: Environment, token: str | None
) -> Server | None:
    root = document.root
    if root is None or not document.whole:
        return None
    _blank(root, token)
    expanded = expand(document, environment, findings, lenient=False)
    reader = Reader(document, root, findings, elsewhere=expanded.places)
    node = root.items.get("server", "")
    record = reader.record(
        ServerRecord, ("server",), MapNode(0) if node == "" else node, Known()
    )
    if record is None:
        return None
    host, port = record.listen
    return Server(host=host, port=port, token=record.token)


def _blank(root: MapNode, token: str | None) -> None:
    """Take away what is not to be looked at; the places of the rest stay as they are."""
    for key in root.items:
        if key != "server":
            root.items[key] = ""
    server = root.items.get("server")
    if token is not None and isinstance(server, MapNode) and "token" in server.items:
        server.items["token"] = token
