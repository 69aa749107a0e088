"""What httpcore, TLS and the sockets say when something fails, as shunt's own errors.

Texts name host and port, what happened and, where there is one, the cure. They never quote what was
sent: h11's errors about a bad header hold the header.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

import httpcore2 as httpcore

from shunt.errors import (
    InvalidRequest,
    ShuntError,
    UpstreamBroke,
    UpstreamTimeout,
    UpstreamUnreachable,
)

INTERCEPTED: Final = (
    "if this network inspects TLS, set SSL_CERT_FILE to a file with its certificate authority"
)
UNTRUSTED: Final = {
    9: "its certificate is not valid yet; is this machine's clock right?",
    10: "its certificate has expired, or this machine's clock is wrong",
    18: f"its certificate is self-signed; {INTERCEPTED}",
    19: f"its certificate chain ends in a self-signed one that this machine does not trust; {INTERCEPTED}",
    20: f"its certificate comes from an authority that this machine does not trust, or knows none "
    f"(is the package ca-certificates installed?); {INTERCEPTED}",
    62: f"its certificate is for another name; {INTERCEPTED}",
    64: f"its certificate is for another address; {INTERCEPTED}",
}
"""By OpenSSL's X509_V_ERR_… number (openssl/x509_vfy.h)."""
HANDSHAKE: Final = {
    "WRONG_VERSION_NUMBER": "it does not speak TLS; should the address begin with http:// ?",
    "HTTP_REQUEST": "it does not speak TLS; should the address begin with http:// ?",
    "UNSUPPORTED_PROTOCOL": "it speaks only an outdated TLS version",
    "TLSV1_ALERT_PROTOCOL_VERSION": "it speaks only an outdated TLS version",
    "UNEXPECTED_EOF_WHILE_READING": "it closed the connection during the TLS handshake",
}
"""By OpenSSL's reason."""
SOCKET: Final = {
    errno.ECONNREFUSED: "it refused the connection; does anything listen there?",
    errno.ECONNRESET: "it closed the connection at once",
    errno.EHOSTUNREACH: "there is no way to it; is this machine online?",
    errno.ENETUNREACH: "there is no way to it; is this machine online?",
    errno.ETIMEDOUT: "it did not react",
    errno.EMFILE: "this program has too many files open",
}
"""By errno."""

CUT: Final = ("without sending", "closed connection")
"""What h11 and httpcore say of a connection that ends too early, as against one that talks nonsense."""


def address(url: str) -> str:
    """`host:port` of a URL, without anything secret that it may hold."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return f"{parts.hostname}:{port}"


def mapped(
    error: Exception, origin: str, *, proxy: str = "", sent: bool = True, answering: bool = False
) -> ShuntError:
    """Return the error to raise instead of `error`; the caller keeps the cause.

    `sent`: the upstream may have seen something of the request. `answering`: its headers had come.
    """
    host = address(origin)
    if isinstance(error, httpcore.LocalProtocolError):
        return InvalidRequest("A header of this request, or the credential, holds what HTTP forbids.")
    if not sent:
        return UpstreamUnreachable(_unreachable(error, host, proxy))
    match error:
        case httpcore.WriteTimeout():
            return UpstreamTimeout(f"{host} stopped taking the request.")
        case httpcore.TimeoutException():
            return UpstreamTimeout(silence(host, answering=answering))
        case httpcore.RemoteProtocolError() if not any(sign in str(error) for sign in CUT):
            return UpstreamBroke(no_http(host))
        case _:
            early = f"{host} closed the connection before it answered."
            return UpstreamBroke(broke_off(host) if answering else early)


def _unreachable(error: Exception, host: str, proxy: str) -> str:
    place = f"{host} (through the proxy {address(proxy)})" if proxy else host
    match error:
        case httpcore.TimeoutException():
            return not_in_time(place)
        case httpcore.ProxyError():
            return f"The proxy {address(proxy)} refused to connect to {host}."
        case _:
            reason = _reason(error)
            return f"{place} cannot be reached: {reason}{'' if reason.endswith('?') else '.'}"


def not_in_time(host: str) -> str:
    """Text for a connection that does not come about."""
    return f"{host} did not accept a connection in time."


def silence(host: str, *, answering: bool = False) -> str:
    """Text for an upstream that says nothing any more."""
    return (
        f"{host} fell silent in the middle of its answer." if answering else f"{host} did not answer in time."
    )


def no_http(host: str) -> str:
    """Text for an upstream that talks nonsense."""
    return f"What {host} sent is not HTTP/1.1."


def broke_off(host: str) -> str:
    """Text for an answer without an end."""
    return f"{host} broke off in the middle of its answer."


def _reason(error: BaseException) -> str:
    for cause in _causes(error):
        match cause:
            case ssl.SSLCertVerificationError():
                unknown = f"its certificate is not trusted ({cause.verify_message})"
                return UNTRUSTED.get(cause.verify_code, unknown)
            case ssl.SSLError():
                reason = cause.reason or "no reason given"
                return HANDSHAKE.get(reason, f"the TLS handshake failed ({reason.lower().replace('_', ' ')})")
            case socket.gaierror():
                return "its name is not known (DNS); is this machine online?"
            case OSError(errno=int(number)):
                return SOCKET.get(number, os.strerror(number).lower())
            case _:
                continue
    return "the connection failed"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Everything that led to `error`, nearest first."""
    todo: list[BaseException] = [error]
    while todo:
        each = todo.pop(0)
        yield each
        if isinstance(each, BaseExceptionGroup):
            todo += each.exceptions
        # Httpcore's pool raises `from None`, which leaves the cause only as the context.
        before = each.__cause__ or each.__context__
        if before is not None:
            todo.append(before)
