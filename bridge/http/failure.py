"""Why there is no answer: what TLS and the system raise, as phase and sentence.

A sentence holds the host, the port and our own words, never a path and never what the other
side sent: a receiver may send our own request back.
"""

import errno
import os
import socket
import ssl

from bridge.core.network.exchange import Phase
from bridge.http.line import Closed, Late
from bridge.http.reply import Chatty, Malformed
from bridge.http.trip import Trip

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


class Failed(Exception):
    """There is no answer; `phase` says how far it went, the message why, for people."""

    def __init__(self, phase: Phase, reason: str) -> None:
        super().__init__(reason)
        self.phase = phase
        self.reason = reason


class Forbidden(OSError):
    """The address guard refused; raised where the system would refuse."""


def answering(error: Exception, trip: Trip, heard: int) -> Failed:
    """Translate what ended a request that was sent; `heard` bytes of an answer had come."""
    place, seconds = trip.place, trip.seconds
    match error:
        case Late() if heard:
            why = f"{place.shown} did not finish the head of its answer in {seconds:g} s"
            return Failed(Phase.DEADLINE, why)
        case Late():
            return Failed(Phase.DEADLINE, f"no answer from {place.shown} in {seconds:g} s")
        case Closed():
            return over()
        case Chatty():
            why = f"{place.shown} sent interim answers (1xx) without end"
        case Malformed():
            why = f"{place.shown} answered, but not in HTTP: {error}"
        case Exception(__cause__=ConnectionResetError()):
            why = f"{place.shown} reset the connection before it answered"
        case _ if heard:
            why = f"{place.shown} closed the connection within the head of its answer"
        case _ if place.tls and not trip.reused:
            # TLS 1.3 refuses our certificate after the handshake, and the loop hides the alert.
            why = f"{place.shown} closed the connection without an answer; it may want a"
            why = f"{why} client certificate (tls.cert), or another one"
        case _:
            why = f"{place.shown} closed the connection without an answer"
    return Failed(Phase.ANSWER, why)


def over() -> Failed:
    """Say that this process ends."""
    return Failed(Phase.LOCAL, "genbridge is shutting down")


def silent_resolver() -> Failed:
    """Say that the fault is this machine's: no name at all is resolved."""
    return Failed(Phase.LOCAL, "the name server answers for no name at all")


def resolving(error: OSError, host: str) -> Failed:
    """Translate what ended the lookup of a name."""
    if isinstance(error, Forbidden):
        return Failed(Phase.GUARD, str(error))
    if not isinstance(error, socket.gaierror):
        return _ours(error)
    if error.errno in {socket.EAI_MEMORY, socket.EAI_SYSTEM}:
        return Failed(Phase.LOCAL, f"the name {host} could not be looked up here")
    if error.errno == socket.EAI_AGAIN:
        return Failed(Phase.RESOLVE, f"the name server has no answer for {host} now")
    return Failed(Phase.RESOLVE, f"the name {host} is unknown")


def opening(error: OSError | RuntimeError, shown: str) -> Failed:
    """Translate what ended the making of a connection to a host and port."""
    number = getattr(error, "errno", None)
    if isinstance(error, Forbidden):
        return Failed(Phase.GUARD, str(error))
    if isinstance(error, OSError) and number in _OURS:
        return _ours(error)
    if number == errno.ECONNREFUSED:
        return Failed(Phase.CONNECT, f"connection refused by {shown}")
    known = os.strerror(number).lower() if number else "every address failed"
    return Failed(Phase.CONNECT, f"no connection to {shown}: {known}")


def securing(error: OSError | RuntimeError, shown: str) -> Failed:
    """Translate what ended the TLS handshake on a connection that was made."""
    match error:
        case ssl.SSLCertVerificationError():
            return Failed(Phase.TLS, _certificate(error, shown))
        case ssl.SSLError():
            return Failed(Phase.TLS, _handshake(error, shown))
        case OSError(errno=number) if number in _OURS:
            return _ours(error)
    return Failed(Phase.TLS, f"{shown} closed the connection during the TLS handshake")


def _ours(error: OSError) -> Failed:
    known = os.strerror(error.errno).lower() if error.errno else "out of resources"
    return Failed(Phase.LOCAL, f"this machine cannot open a connection now: {known}")


def _certificate(error: ssl.SSLCertVerificationError, shown: str) -> str:
    said = _CERTIFICATE.get(error.verify_code, "is not trusted")
    return f"the certificate of {shown} {said}"


def _handshake(error: ssl.SSLError, shown: str) -> str:
    word = error.reason or ""
    known = _HANDSHAKE.get(word)
    if known is not None:
        return f"{shown} {known}"
    spoken = (word or "no reason given").lower().replace("_", " ")
    return f"the TLS handshake with {shown} failed: {spoken}"
