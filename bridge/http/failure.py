"""Why there is no answer: what aiohttp, TLS and the system raise, as phase and sentence.

A sentence holds the host, the port and our own words, never a path and never what the other
side sent: a receiver may send our own request back. An exception's `status` is not read:
aiohttp sets 400 on what was no answer at all.
"""

import asyncio
import errno
import os
import socket
import ssl

import aiohttp
import httpx
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong

from bridge.core.network.exchange import Phase
from bridge.http.place import Place

_OURS = frozenset(
    {
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOMEM,
        errno.ENOBUFS,
        errno.EADDRNOTAVAIL,  # every local port is in use
        errno.EPERM,  # a firewall or sandbox on this machine
        errno.EACCES,
    }
)
_LOST = frozenset({errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE, errno.ENOTCONN})

# https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/
_CERTIFICATE = {
    9: "is not valid yet",
    10: "has expired",
    18: "is signed by itself",
    19: "comes from an authority that is not trusted here",
    20: "comes from an authority that is not trusted here",
    21: "comes from an authority that is not trusted here",
    23: "has been revoked",
    62: "is for another name",
    64: "is for another address",
}
# Reasons of OpenSSL that a person can act on; the others are shown in OpenSSL's own word.
_HANDSHAKE = {
    "HTTP_REQUEST": "does not speak TLS on this port; is the URL to begin with http://?",
    "NO_PROTOCOLS_AVAILABLE": "offers no TLS version from 1.2 on",
    "TLSV1_ALERT_PROTOCOL_VERSION": "offers no TLS version from 1.2 on",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "wants a client certificate",
    "TLSV1_UNRECOGNIZED_NAME": "does not know this name",
    "UNEXPECTED_EOF_WHILE_READING": "closed the connection during the TLS handshake",
    "UNSUPPORTED_PROTOCOL": "offers no TLS version from 1.2 on",
    "WRONG_VERSION_NUMBER": (
        "does not speak TLS on this port; is the URL to begin with http://?"
    ),
}


class Failed(httpx.TransportError):
    """There is no answer; `phase` says how far it went, the message why, for people."""

    def __init__(self, phase: Phase, reason: str) -> None:
        super().__init__(reason)
        self.phase = phase
        self.reason = reason


class Forbidden(OSError):
    """The address guard refused; raised where aiohttp expects the system to refuse."""


class Late(Exception):
    """The deadline came before the answer was whole."""


class Chatty(Exception):
    """Interim answers came without end."""


def connecting(error: Exception, place: Place) -> Failed:
    """Translate what ended the making of a connection, a time-out excepted."""
    match error:
        case aiohttp.ClientConnectorCertificateError(certificate_error=inner):
            failed = Failed(Phase.TLS, _certificate(inner, place))
        case aiohttp.ClientConnectorSSLError(os_error=inner):
            failed = Failed(Phase.TLS, _handshake(inner, place))
        case aiohttp.ClientConnectorDNSError(os_error=inner):
            failed = _resolving(inner, place)
        case aiohttp.ClientConnectorError(os_error=inner):
            failed = _opening(inner, place)
        case OSError():
            failed = _opening(error, place)
        case aiohttp.ClientConnectionError():
            failed = Failed(Phase.LOCAL, "genbridge is shutting down")
        case _:
            failed = Failed(Phase.CONNECT, f"no connection to {place.shown}")
    return failed


def answering(error: Exception, place: Place, seconds: float, heard: int) -> Failed:
    """Translate what ended a request that was sent; `heard` bytes of an answer had come."""
    match error:
        case Late() if heard:
            why = f"{place.shown} did not finish the head of its answer in {seconds:g} s"
            return Failed(Phase.DEADLINE, why)
        case Late():
            return Failed(Phase.DEADLINE, f"no answer from {place.shown} in {seconds:g} s")
        case Chatty():
            why = f"{place.shown} sent interim answers (1xx) without end"
        case HttpProcessingError():
            why = f"{place.shown} answered, but not in HTTP: {_malformed(error)}"
        case aiohttp.ServerDisconnectedError() if not heard:
            why = f"{place.shown} closed the connection without an answer"
        case aiohttp.ServerDisconnectedError():
            why = f"{place.shown} closed the connection within the head of its answer"
        case OSError(errno=errno.ECONNRESET):
            why = f"{place.shown} reset the connection before it answered"
        case _:
            why = f"the connection to {place.shown} was lost before an answer"
    return Failed(Phase.ANSWER, why)


def silent_resolver() -> Failed:
    """Say that the fault is this machine's: no name at all is resolved."""
    return Failed(Phase.LOCAL, "the name server answers for no name at all")


def _resolving(error: OSError, place: Place) -> Failed:
    if isinstance(error, Forbidden):
        return Failed(Phase.GUARD, str(error))
    if not isinstance(error, socket.gaierror):
        return _ours(error)
    if error.errno in {socket.EAI_MEMORY, socket.EAI_SYSTEM}:
        return Failed(Phase.LOCAL, f"the name {place.host} could not be looked up here")
    if error.errno == socket.EAI_AGAIN:
        return Failed(Phase.RESOLVE, f"the name server has no answer for {place.host} now")
    return Failed(Phase.RESOLVE, f"the name {place.host} is unknown")


def _opening(error: OSError, place: Place) -> Failed:
    if isinstance(error, Forbidden):
        return Failed(Phase.GUARD, str(error))
    if error.errno in _OURS:
        return _ours(error)
    if error.errno == errno.ECONNREFUSED:
        return Failed(Phase.CONNECT, f"connection refused by {place.shown}")
    # A connection that was made and is lost before the first request was lost to TLS.
    if place.is_ssl() and (error.errno in _LOST or isinstance(error, ConnectionError)):
        why = f"{place.shown} closed the connection during the TLS handshake"
        return Failed(Phase.TLS, why)
    known = os.strerror(error.errno).lower() if error.errno else "every address failed"
    return Failed(Phase.CONNECT, f"no connection to {place.shown}: {known}")


def _ours(error: OSError) -> Failed:
    known = os.strerror(error.errno).lower() if error.errno else "out of resources"
    return Failed(Phase.LOCAL, f"this machine cannot open a connection now: {known}")


def _certificate(error: Exception, place: Place) -> str:
    code = error.verify_code if isinstance(error, ssl.SSLCertVerificationError) else 0
    return f"the certificate of {place.shown} {_CERTIFICATE.get(code, 'is not trusted')}"


def _handshake(error: OSError, place: Place) -> str:
    word = error.reason if isinstance(error, ssl.SSLError) else None
    known = _HANDSHAKE.get(word or "")
    if known is not None:
        return f"{place.shown} {known}"
    spoken = (word or "no reason given").lower().replace("_", " ")
    return f"the TLS handshake with {place.shown} failed: {spoken}"


def _malformed(error: HttpProcessingError) -> str:
    if isinstance(error.__cause__, LineTooLong):
        return "a line of the head is longer than 8190 bytes"
    if error.message.startswith("Too many headers"):
        return "the head has more than 128 header lines"
    return "the answer is malformed"


TRANSLATED = (aiohttp.ClientError, asyncio.TimeoutError, OSError, RuntimeError)
"""What the making of a connection raises; uvloop has RuntimeErrors for some OSErrors."""
