"""Trust: one TLS context for each set of PEM files, made in a thread."""

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from bridge.core.network.certificate import described, ends
from bridge.core.network.exchange import Phase
from bridge.core.ports import Clock
from bridge.http.failure import Failed

Stamp: TypeAlias = tuple[tuple[int, int, int] | None, ...]
"""What tells the content of files from that of another moment, without reading them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """PEM files: authorities trusted instead of the system's, our certificate and its key."""

    ca: str | None = None
    cert: str | None = None
    key: str | None = None

    @property
    def named(self) -> Sequence[tuple[str, str]]:
        """The files that are there, each with its key in the configuration."""
        all_ = (("tls.ca", self.ca), ("tls.cert", self.cert), ("tls.key", self.key))
        return [(name, path) for name, path in all_ if path is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    context: ssl.SSLContext
    until: datetime | None
    """When our own certificate ends."""


class Trust:
    """Makes contexts (22 ms each) and keeps them until their files change.

    `besides` is a PEM file of authorities that are trusted besides the system's.
    """

    def __init__(self, clock: Clock, besides: Path | None = None) -> None:
        self._clock = clock
        self._besides = besides
        self._made: dict[Files, _Made] = {}
        self._making: dict[Files, asyncio.Lock] = {}
        self._stamps: dict[Files, Stamp] = {}
        self.blind = _blind()
        """Trusts nobody and takes everything: for a look at a certificate that was refused."""

    async def context(self, files: Files) -> ssl.SSLContext:
        """Return the context of these files; raises Failed with the reason why there is none."""
        made = self._made.get(files)
        if made is None:
            async with self._making.setdefault(files, asyncio.Lock()):
                made = self._made.get(files)
                if made is None:
                    self._stamps[files] = await asyncio.to_thread(_stamp, files)
                    made = await asyncio.to_thread(_make, files, self._besides)
                    self._made[files] = made
        if made.until is not None and made.until <= self._clock.now():
            day = f"{made.until:%Y-%m-%d}"
            raise Failed(Phase.LOCAL, f"our own certificate (tls.cert) expired on {day}")
        return made.context

    async def renew(self) -> frozenset[Files]:
        """Forget the contexts whose files have changed; return those that went."""
        changed = set()
        for files, stamp in list(self._stamps.items()):
            if await asyncio.to_thread(_stamp, files) != stamp:
                changed.add(files)
                self._made.pop(files, None)
                del self._stamps[files]
        return frozenset(changed)


def _stamp(files: Files) -> Stamp:
    stamps: list[tuple[int, int, int] | None] = []
    for _, path in files.named:
        try:
            found = Path(path).stat()
        except (OSError, ValueError):
            stamps.append(None)
        else:
            stamps.append((found.st_mtime_ns, found.st_size, found.st_ino))
    return tuple(stamps)


def _make(files: Files, besides: Path | None) -> _Made:
    for name, path in files.named:
        _check_readable(name, path)
    try:
        context = ssl.create_default_context(cafile=files.ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        if besides is not None:
            context.load_verify_locations(besides)
    except (OSError, ValueError):  # ssl.SSLError is an OSError
        raise Failed(Phase.LOCAL, "tls.ca holds no certificate in PEM") from None
    if files.cert is None:
        return _Made(context=context, until=None)
    try:
        # Without the password callback OpenSSL would ask on the terminal.
        context.load_cert_chain(files.cert, files.key, password=_no_password)
        until = ends(Path(files.cert).read_bytes())
    except (OSError, ValueError):
        why = "tls.cert and tls.key are not a PEM certificate and its unencrypted key"
        raise Failed(Phase.LOCAL, why) from None
    return _Made(context=context, until=until)


def _check_readable(name: str, path: str) -> None:
    try:
        with Path(path).open("rb") as file:
            file.read(1)
    except (OSError, ValueError) as error:
        known = getattr(error, "strerror", None) or "not the path of a file"
        raise Failed(Phase.LOCAL, f"{name} cannot be read: {known.lower()}") from None


def _no_password() -> str:
    raise ValueError("the key is encrypted")


def _blind() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def seen(spoken: ssl.SSLObject | None) -> str | None:
    """Describe the certificate that the other side showed."""
    der = None if spoken is None else spoken.getpeercert(binary_form=True)
    return None if der is None else described(der)
