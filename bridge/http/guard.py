"""The address guard on the network: every answer of a resolver, and every socket.

The socket counts: an address that stands in the URL itself never reaches a resolver.
"""

import asyncio
import contextlib
import errno
import socket
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from aiohappyeyeballs import AddrInfoType
from aiohttp.abc import AbstractResolver, ResolveResult

from bridge.core.network.addresses import Allow, Sifted, loopback, refusal, sifted
from bridge.http.failure import Forbidden

Lookup: TypeAlias = Callable[[str], Awaitable[Sequence[str]]]
"""Resolves a name to addresses; raises socket.gaierror."""

_AT_ONCE = 256
"""Lookups that may hang at once; each holds a thread."""
_DEAF = 3
"""So many names in a row without any answer: the resolver is at fault, not the names."""
_NO_ANSWER = frozenset({socket.EAI_AGAIN, socket.EAI_MEMORY, socket.EAI_SYSTEM})


class Resolver(AbstractResolver):
    """Looks names up and judges every answer."""

    def __init__(self, allow: Allow, lookup: Lookup) -> None:
        self._allow = allow
        self._lookup = lookup
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._asking: set[str] = set()
        self._unanswered: set[str] = set()

    @property
    def deaf(self) -> bool:
        """Whether several names in a row had no answer, and none had one."""
        return len(self._unanswered) >= _DEAF

    def given_up(self, host: str) -> bool:
        """Note that nobody waits for a name any longer; whether it was still being asked for."""
        waiting = host in self._asking
        if waiting:
            self._unanswered.add(host)
        return waiting

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002  # both are wanted, always
    ) -> list[ResolveResult]:
        """Return the addresses of a name; raises Forbidden if one may not be contacted."""
        judged = await self._judged(host)
        if judged.refusal is not None:
            raise Forbidden(f"{host} must not be contacted: {judged.refusal}")
        return [_result(host, address, port) for address in judged.usable]

    async def close(self) -> None:
        """Nothing is held."""

    async def _judged(self, host: str) -> Sifted:
        if host == "localhost" or host.endswith(".localhost"):
            return loopback(self._allow)
        return sifted(await self._asked(host), self._allow)

    async def _asked(self, host: str) -> Sequence[str]:
        self._asking.add(host)
        try:
            async with self._slots:
                answers = await self._lookup(host)
        except socket.gaierror as error:
            self._note(host, answered=error.errno not in _NO_ANSWER)
            raise
        finally:
            self._asking.discard(host)
        self._note(host, answered=True)
        return answers

    def _note(self, host: str, *, answered: bool) -> None:
        if answered:
            self._unanswered.clear()
        else:
            self._unanswered.add(host)


def guarded_socket(allow: Allow) -> Callable[[AddrInfoType], socket.socket]:
    """Return what makes a socket for an address; it raises Forbidden before there is one."""

    def make(info: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = info
        why = refusal(str(address[0]), allow)
        if why is not None:
            raise Forbidden(f"{why}; network.allow does not list it")
        return socket.socket(family=family, type=kind, proto=protocol)

    return make


async def system_lookup(host: str) -> Sequence[str]:
    """Ask the system's resolver, in a thread of its own.

    The loop's own lookup shares four threads (libuv), so four names that nobody answers for
    would hold up all others; a daemon thread holds up nobody, nor the end of the process.
    """
    loop = asyncio.get_running_loop()
    answers: asyncio.Future[Sequence[str]] = loop.create_future()

    def ask() -> None:
        try:
            found = _getaddrinfo(host)
        except (OSError, UnicodeError) as error:
            _hand_over(loop, answers.set_exception, answers, _as_oserror(error))
        else:
            _hand_over(loop, answers.set_result, answers, found)

    try:
        threading.Thread(target=ask, name=f"lookup {host}", daemon=True).start()
    except RuntimeError as error:
        raise OSError(errno.ENOMEM, "no thread for a lookup") from error
    return await answers


def _getaddrinfo(host: str) -> Sequence[str]:
    infos = socket.getaddrinfo(
        host, None, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
    )
    return [str(info[4][0]) for info in infos]


def _as_oserror(error: OSError | UnicodeError) -> OSError:
    if isinstance(error, OSError):
        return error
    return socket.gaierror(socket.EAI_NONAME, "not a name")


def _hand_over(
    loop: asyncio.AbstractEventLoop,
    deliver: Callable[..., None],
    answers: asyncio.Future[Sequence[str]],
    result: object,
) -> None:
    def settle() -> None:
        if not answers.done():
            deliver(result)

    # The loop may be over by now: then nobody waits.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(settle)


def _result(host: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return ResolveResult(
        hostname=host,
        host=address,
        port=port,
        family=family,
        proto=socket.IPPROTO_TCP,
        flags=socket.AI_NUMERICHOST,
    )
