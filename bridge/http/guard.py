"""The address guard on the network: every answer of a resolver, and every socket.

The socket counts: an address that stands in the URL itself never reaches a resolver.
"""

import asyncio
import contextlib
import errno
import socket
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from aiohappyeyeballs import AddrInfoType

from bridge.core.network.addresses import Allow, loopback, refusal, sifted
from bridge.http import failure
from bridge.http.failure import Forbidden

Lookup: TypeAlias = Callable[[str], Awaitable[Sequence[str]]]
"""Resolves a name to addresses; raises socket.gaierror."""

_AT_ONCE = 256
"""Lookups that may hang at once; each holds a thread."""
_DEAF = 3
"""So many names in a row without any answer: the resolver is at fault, not the names."""
_KEPT = 10.0
"""Seconds for which an answer is used again: many connections to one name open at once."""
_MOST_KEPT = 1000
_NO_ANSWER = frozenset({socket.EAI_AGAIN, socket.EAI_MEMORY, socket.EAI_SYSTEM})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    addresses: Sequence[str]
    until: float


class Resolver:
    """Looks names up and judges every answer; a name is asked for once at a time."""

    def __init__(self, allow: Allow, lookup: Lookup) -> None:
        self._allow = allow
        self._lookup = lookup
        self._loop = asyncio.get_running_loop()
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._asking: dict[str, asyncio.Task[Sequence[str]]] = {}
        self._known: dict[str, _Known] = {}
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

    def forget(self, host: str) -> None:
        """Ask again next time: the addresses of a name lead nowhere."""
        self._known.pop(host, None)

    async def addresses(self, host: str) -> Sequence[str]:
        """Return the addresses of a name; raises Forbidden if one may not be contacted."""
        if host == "localhost" or host.endswith(".localhost"):
            judged = loopback(self._allow)
        elif _is_literal(host):
            return (host,)  # judged where a socket is made for it
        else:
            judged = sifted(await self._answers(host), self._allow)
        if judged.refusal is not None:
            raise Forbidden(f"{host} must not be contacted: {judged.refusal}")
        return judged.usable

    async def close(self) -> None:
        """End what is still being asked for."""
        asking = list(self._asking.values())
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)

    async def _answers(self, host: str) -> Sequence[str]:
        known = self._known.get(host)
        if known is not None and known.until > self._loop.time():
            return known.addresses
        task = self._asking.get(host)
        if task is None:
            task = self._asking[host] = self._loop.create_task(self._asked(host))
            task.add_done_callback(_seen)
        # One who stops waiting must not end the wait of the others.
        return await asyncio.shield(task)

    async def _asked(self, host: str) -> Sequence[str]:
        try:
            async with self._slots:
                answers = await self._lookup(host)
        except socket.gaierror as error:
            self._note(host, answered=error.errno not in _NO_ANSWER)
            raise
        except asyncio.CancelledError as error:
            # `close` did it, and nobody cancelled those who wait.
            raise failure.over() from error
        finally:
            self._asking.pop(host, None)
        self._note(host, answered=True)
        if len(self._known) >= _MOST_KEPT:
            self._known.clear()
        self._known[host] = _Known(addresses=answers, until=self._loop.time() + _KEPT)
        return answers

    def _note(self, host: str, *, answered: bool) -> None:
        if answered:
            self._unanswered.clear()
        else:
            self._unanswered.add(host)


def refused(address: str, allow: Allow) -> None:
    """Raise Forbidden for an address that must not be contacted."""
    why = refusal(address, allow)
    if why is not None:
        raise Forbidden(f"{why}; network.allow does not list it")


def guarded_socket(allow: Allow) -> Callable[[AddrInfoType], socket.socket]:
    """Return what makes a socket for an address; it raises Forbidden before there is one."""

    def make(info: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = info
        refused(str(address[0]), allow)
        return socket.socket(family=family, type=kind, proto=protocol)

    return make


def addressed(addresses: Sequence[str], port: int) -> list[AddrInfoType]:
    """Return addresses as the system's resolver would."""
    return [
        (
            socket.AF_INET6 if ":" in address else socket.AF_INET,
            socket.SOCK_STREAM,
            socket.IPPROTO_TCP,
            "",
            (address, port, 0, 0) if ":" in address else (address, port),
        )
        for address in addresses
    ]


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


def _is_literal(host: str) -> bool:
    # A checked host that ends in a number is a canonical IPv4 address.
    return ":" in host or host.rpartition(".")[2].isdigit()


def _seen(task: asyncio.Task[Sequence[str]]) -> None:
    """Look at the outcome: it is an error to nobody where nobody waits any longer."""
    if not task.cancelled():
        task.exception()
