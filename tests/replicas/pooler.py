"""PgBouncer in front of a server, in transaction mode, with fewer connections than are wanted."""

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from urllib.parse import urlsplit, urlunsplit

from tests.fakes.postgres import AS_NOBODY, Server, free_port

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
SIZE = 4
"""Connections to the server: every transaction may get another one."""


@contextmanager
def pooling(server: Server) -> Iterator[int]:
    """Run a pooler inside the block; return its port."""
    assert PROGRAM is not None
    port = free_port()
    with TemporaryDirectory() as place:
        folder = Path(place)
        configuration = folder / "pgbouncer.ini"
        configuration.write_text(
            "[databases]\n"
            f"* = host=127.0.0.1 port={urlsplit(server.url).port} user=postgres\n"
            "[pgbouncer]\n"
            f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
            f"auth_type = any\npool_mode = transaction\ndefault_pool_size = {SIZE}\n"
        )
        if AS_NOBODY:
            nobody = pwd.getpwnam("nobody")
            for path in (folder, configuration):
                os.chown(path, nobody.pw_uid, nobody.pw_gid)
        command = [*AS_NOBODY, PROGRAM, "-q", str(configuration)]
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            try:
                _wait(port)
                yield port
            finally:
                process.terminate()


def through(url: str, port: int) -> str:
    """Return a database's URL by way of the pooler."""
    parts = urlsplit(url)
    user = parts.netloc.rpartition("@")[0]
    return urlunsplit(parts._replace(netloc=f"{user}@127.0.0.1:{port}"))


def _wait(port: int) -> None:
    until = monotonic() + 10.0
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1.0).close()
        except ConnectionRefusedError:
            assert monotonic() < until, "the pooler does not begin"
            sleep(0.02)
        else:
            return
