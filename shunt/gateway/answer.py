"""From an attempt or an error to what the client is sent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from attrs import evolve

from shunt.errors import AllCooling, InvalidRequest, Kind, ShuntError
from shunt.gateway.attempt import Attempt
from shunt.gateway.delivery import Delivery
from shunt.gateway.refusals import UpstreamFailed
from shunt.gateway.retelling import ToldFailure
from shunt.inference.failure import STATUS, Failure
from shunt.inference.inbound import Inbound
from shunt.protocols import protocol_named
from shunt.protocols.base import Protocol
from shunt.wire import headers as header
from shunt.wire.headers import Headers

WITHHELD: Final = frozenset(
    {
        # What belongs to the vendor's own site, not to an answer relayed from this machine.
        b"set-cookie",
        b"set-cookie2",
        b"strict-transport-security",
        b"alt-svc",
        b"location",
        b"refresh",
        b"clear-site-data",
        b"server",
        b"content-security-policy",
        b"report-to",
        b"nel",
        # Framing is made anew on this hop.
        b"content-length",
        b"date",
    }
)
ABOUT_LIMITS: Final = (
    b"anthropic-ratelimit-",
    b"x-ratelimit-",
    b"x-codex-",
    b"retry-after",
    b"request-id",
    b"x-request-id",
)
PATIENCE: Final = 60.0
"""Seconds above which a client is told not to retry by itself: agents wait out a minute and stop
at once for more, which is what their users want to see."""


def relayed(headers: Headers) -> Headers:
    """The upstream's headers that travel on to the client."""
    out: list[tuple[bytes, bytes]] = []
    for name, value in header.end_to_end(headers):
        low = name.lower()
        if low in WITHHELD or low.startswith((b"access-control-", b"x-shunt-")):
            continue
        if low == b"content-type" and value.lower().lstrip().startswith((b"text/html", b"application/xhtml")):
            out.append((name, b"text/plain; charset=utf-8"))  # never a page on our origin
            continue
        out.append((name, value))
    return tuple(out)


def marks(inbound: Inbound, account: str, attempts: int) -> Headers:
    """The `x-shunt-*` headers of an answer."""
    out = [(header.REQUEST_ID, inbound.id.encode()), (b"x-shunt-attempts", str(attempts).encode())]
    if account:
        out.insert(0, (b"x-shunt-account", header.worded(account)))
    return tuple(out)


def dropped_mark(dropped: Iterable[str]) -> Headers:
    """The header that names what translation had to leave out; none when nothing was."""
    line = header.listed(dropped)
    return ((b"x-shunt-dropped", line),) if line else ()


def limits_of(headers: Headers) -> Headers:
    """Of an answer in other words: the headers about limits and requests, which mean what they say."""
    return tuple(pair for pair in relayed(headers) if pair[0].lower().startswith(ABOUT_LIMITS))


def failure_of(error: ShuntError, request_id: str, now: float) -> Failure:
    """An error in the words for a client, in no protocol yet."""
    if isinstance(error, ToldFailure):
        return evolve(error.failure, request_id=request_id, at=int(now))
    retry_after: float | None = None
    if isinstance(error, AllCooling) and error.retry_at is not None:
        retry_after = max(1.0, error.retry_at - now)
    should_retry = None
    if error.kind is Kind.RATE_LIMITED and retry_after is not None and retry_after > PATIENCE:
        should_retry = False
    told = error if isinstance(error, InvalidRequest) else None
    return Failure(
        kind=error.kind,
        message=str(error),
        request_id=request_id,
        retry_after=retry_after,
        at=int(now),
        code=told.code if told is not None else "",
        param=told.param if told is not None else "",
        should_retry=should_retry,
    )


def refusal(error: ShuntError, inbound: Inbound, protocol: Protocol, attempts: int, now: float) -> Delivery:
    """An error as a whole answer in the caller's protocol."""
    if isinstance(error, UpstreamFailed) and error.attempt.body is not None and error.attempt.status >= 400:
        return verbatim(error.attempt, inbound, protocol, attempts)
    account = error.attempt.outcome.account if isinstance(error, UpstreamFailed) else ""
    told = protocol.encode_error(failure_of(error, inbound.id, now))
    return Delivery(told.status, told.headers + marks(inbound, account, attempts), told.body)


def verbatim(attempt: Attempt, inbound: Inbound, protocol: Protocol, attempts: int) -> Delivery:
    """A vendor's refusal as it came; one in other words, or a web page, becomes an error of the client's."""
    body = b"".join(attempt.body.head) if attempt.body is not None else b""
    spoken = attempt.rendition.inbound.protocol if attempt.rendition is not None else inbound.protocol
    if body.lstrip()[:1] not in (b"{", b"[") or spoken != inbound.protocol:
        decoded = protocol_named(spoken).decode_error(attempt.status, attempt.headers, body)
        # Other statuses are each protocol's own for what went wrong; this one says the same to all.
        kept_status = spoken == inbound.protocol or attempt.status == STATUS[Kind.BILLING]
        failure = Failure(
            kind=decoded.kind,
            message=decoded.message or f"the upstream answered {attempt.status}",
            request_id=inbound.id,
            status=attempt.status if kept_status else None,
            retry_after=decoded.retry_after,
            code=decoded.code,
            param=decoded.param,
        )
        told = protocol.encode_error(failure)
        kept = tuple(
            p for p in relayed(attempt.headers) if p[0].lower() not in (b"content-type", b"content-encoding")
        )
        headers = told.headers + kept
        return Delivery(told.status, headers + marks(inbound, attempt.outcome.account, attempts), told.body)
    headers = relayed(attempt.headers) + marks(inbound, attempt.outcome.account, attempts)
    return Delivery(attempt.status, headers, body)
