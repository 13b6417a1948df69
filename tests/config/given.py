"""What the tests of the configuration share: an environment, a catalog, short files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from bridge.config import Environment, Wrong, load
from bridge.core.delivering.acknowledgement import Acknowledgement, Unclear
from bridge.core.looking import Abilities, Asking, Look
from bridge.core.message import Message
from bridge.core.network.exchange import Response
from bridge.core.ports import Limits, Rendered
from bridge.core.settings import Settings

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
OTHER_SECRET = "whsec_ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)

SOURCE = "sources:\n  s: {provider: plain, api_key: k}\n"
WEBHOOK = f"webhooks:\n  h: {{url: 'https://example.com/h', secret: {SECRET}}}\n"
WATCH = "watches:\n  - {source: s, id: a}\n"
GOOD = SOURCE + WEBHOOK + WATCH


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A provider with one option of every kind."""

    api_key: str = field(repr=False)
    base_url: str = field(default="https://api.example.com", repr=False)
    tier: Literal["free", "paid"] = "free"
    pages: int = 3
    share: float = 0.5
    eager: bool = False
    pause: timedelta = timedelta(seconds=1)
    hosts: tuple[str, ...] = ()
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    buffer: int = field(default=1024, metadata={"unit": "bytes"})

    def __post_init__(self) -> None:
        if self.api_key.startswith("refused"):
            raise ValueError(f"no such account: {self.api_key}")

    @property
    def abilities(self) -> Abilities:
        return Abilities(rate=5.0, floor=timedelta(), listing=self.eager)

    def ask(self, look: Look) -> Asking:
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A format whose receivers verify signatures."""

    raw: bool = True

    @property
    def limits(self) -> Limits:
        return Limits()

    @property
    def signed(self) -> bool:
        return True

    def render(self, message: Message) -> Rendered | None:
        raise NotImplementedError

    def read(self, response: Response) -> Acknowledgement:
        return Unclear()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat(Format):
    """A format that nobody can verify, at one message a second."""

    mood: Literal["calm", "loud"] = "calm"

    @property
    def limits(self) -> Limits:
        return Limits(rate=1.0)

    @property
    def signed(self) -> bool:
        return False


class Catalog:
    """A catalog of the plugins above."""

    plugins: Mapping[str, Mapping[str, type]] = {
        "provider": {"plain": Provider, "other": Provider},
        "format": {"standard": Format, "chat": Chat},
    }

    def names(self, kind: str) -> Sequence[str]:
        return sorted(self.plugins[kind])

    def load(self, kind: str, name: str) -> type:
        return self.plugins[kind][name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Files that exist only here."""

    contents: Mapping[str, bytes] = field(default_factory=dict)

    def read(self, path: Path) -> bytes:
        if str(path) not in self.contents:
            raise FileNotFoundError(2, "No such file or directory", str(path))
        return self.contents[str(path)]


def environment(
    variables: Mapping[str, str] | None = None,
    *,
    files: Mapping[str, bytes] | None = None,
    credentials: str | None = None,
    descriptors: int | None = None,
) -> Environment:
    return Environment(
        variables=variables or {},
        read_file=Files(contents=files or {}).read,
        read_pem=Files(contents=files or {}).read,
        now=lambda: NOW,
        descriptors=descriptors,
        credentials=None if credentials is None else Path(credentials),
    )


def settings(
    text: str | bytes, surroundings: Environment | None = None, *, check: bool = False
) -> Settings:
    content = text if isinstance(text, bytes) else text.encode()
    return load(
        content,
        "config.yaml",
        environment=surroundings or environment(),
        catalog=Catalog(),
        check=check,
    )


def wrong(
    text: str | bytes, surroundings: Environment | None = None, *, check: bool = False
) -> Wrong:
    try:
        accepted = settings(text, surroundings, check=check)
    except Wrong as error:
        return error
    raise AssertionError(f"was accepted: {accepted!r}")


def said(text: str | bytes, surroundings: Environment | None = None) -> list[str]:
    """Return the mistakes of a file, each in one line."""
    return [str(mistake).split("\n")[0] for mistake in wrong(text, surroundings).mistakes]
