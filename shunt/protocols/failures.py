"""What error answers have in common, whatever the protocol: reading strangers', framing ours."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Final

from attrs import frozen

from shunt.errors import Kind
from shunt.inference.failure import Failure
from shunt.protocols.base import ErrorReply
from shunt.wire import json
from shunt.wire.headers import Headers, text
from shunt.wire.words import words

MESSAGE_LIMIT: Final = 2000
"""Characters of a vendor's message that are passed on."""

_BY_STATUS: Final = {
    400: Kind.INVALID_REQUEST,
    401: Kind.AUTHENTICATION,
    402: Kind.BILLING,
    403: Kind.PERMISSION,
    404: Kind.NOT_FOUND,
    408: Kind.TIMEOUT,
    409: Kind.CONFLICT,
    413: Kind.TOO_LARGE,
    422: Kind.INVALID_REQUEST,
    429: Kind.RATE_LIMITED,
    500: Kind.INTERNAL,
    501: Kind.NOT_OFFERED,
    502: Kind.UPSTREAM,
    503: Kind.UNAVAILABLE,
    504: Kind.TIMEOUT,
    529: Kind.OVERLOADED,
}
_VAGUE: Final = frozenset({200, 400, 422, 500, 502, 503})
"""Statuses that say less than the error's own name."""
_PRECISE: Final = frozenset({Kind.OVERLOADED, Kind.BILLING, Kind.CONTEXT_OVERFLOW})
"""Kinds that say more than any status."""

_OVERFLOW: Final = re.compile(
    r"""
      maximum \s (?: context | prompt | model ) \s length
    | (?: exceed | longer \s than | greater \s than | larger \s than | overflow ) [^.]{0,60}
      \b context \s (?: window | size | length | limit )
    | context \s (?: window | size | length | limit ) [^.]{0,40} exceed
    | \b input \s token \s count [^.]{0,40} exceed
    | exceeded \s model \s token \s limit
    | \b (?: prompt | input ) \s (?: is \s too \s long | exceeds \s max )
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""How vendors and servers at home say that a conversation is too long: few have a code for it, and clients shorten
theirs only if they are told so."""
_MAY_OVERFLOW: Final = frozenset({200, 400, 413, 422})


@frozen
class Told:
    """The fields of an error document, whichever of the shapes in use it had."""

    type: str = ""
    code: str = ""
    message: str = ""
    param: str = ""
    request_id: str = ""


def told(body: bytes) -> Told:
    """Read an error body: the vendors' shapes, `{"detail": …}`, a bare string, HTML, plain text."""
    document = json.value(body)
    if isinstance(document, list) and document:
        document = document[0]  # Gemini's OpenAI-compatible endpoint wraps its errors so
    if not isinstance(document, dict):
        return Told(message=words(document if isinstance(document, str) else body, MESSAGE_LIMIT))
    error = document.get("error")
    facts = error if isinstance(error, dict) else document
    message = (
        facts.get("message") or (error if isinstance(error, str) else "") or _detail(document.get("detail"))
    )
    return Told(
        type=_name(facts.get("type")) if facts is error else "",
        code=_name(facts.get("code")),
        message=words(message, MESSAGE_LIMIT) if isinstance(message, str) else "",
        param=_name(facts.get("param")),
        request_id=_name(document.get("request_id")),
    )


def failure(status: int, headers: Headers, facts: Told, named: Kind | None) -> Failure:
    """An upstream's error; `named` is what its type or code means in its protocol, if anything.

    A number in the place of a code is the status that an error within a good answer should have had.
    Otherwise it is nothing that a client could act upon, and is left out.
    """
    number = facts.code if facts.code.isascii() and facts.code.isdigit() else ""
    if status < 400 and number and 400 <= int(number) < 600:
        status = int(number)
    too_long = named in (None, Kind.INVALID_REQUEST) and is_overflow(status, facts.message)
    if too_long:
        named = Kind.CONTEXT_OVERFLOW
    return Failure(
        kind=kind_of(status, named),
        message=facts.message or f"The upstream answered with status {status} and no explanation.",
        request_id=facts.request_id,
        status=status if status >= 400 else None,
        retry_after=_retry_after(headers),
        code="" if number or too_long else facts.code,
        param=facts.param,
        should_retry={"true": True, "false": False}.get((text(headers, b"x-should-retry") or "").lower()),
    )


def is_overflow(status: int, message: str) -> bool:
    """Whether a vendor says in words that a conversation is longer than its model's context."""
    return status in _MAY_OVERFLOW and _OVERFLOW.search(message) is not None


def kind_of(status: int, named: Kind | None) -> Kind:
    """What an error is, by its status and by the kind its own name stands for."""
    if named is Kind.INTERNAL and status >= 500:
        named = None  # `api_error` and `server_error` go with every one of these
    if named is not None and (named in _PRECISE or status in _VAGUE or status not in _BY_STATUS):
        return named
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return Kind.INVALID_REQUEST if 400 <= status < 500 else Kind.UPSTREAM


def reply(failed: Failure, status: int, document: Mapping[str, object], id_header: bytes) -> ErrorReply:
    """A whole error response around a protocol's own document."""
    headers = [(b"content-type", b"application/json")]
    if failed.retry_after is not None:
        headers.append((b"retry-after", str(whole_seconds(failed.retry_after)).encode()))
    # A call that no account can carry will not be carried by asking again; SDKs retry any 5xx.
    should_retry = False if failed.kind is Kind.NOT_OFFERED else failed.should_retry
    if should_retry is not None:
        headers.append((b"x-should-retry", b"true" if should_retry else b"false"))
    if failed.request_id:
        headers.append((id_header, failed.request_id.encode()))
    return ErrorReply(status, tuple(headers), json.encode(document))


def whole_seconds(seconds: float) -> int:
    """Round up, and never to 0: a client told 0 comes back at once."""
    return max(1, math.ceil(seconds))


def _retry_after(headers: Headers) -> float | None:
    """Seconds from `retry-after-ms` or `retry-after`; dates are left to those who know the time."""
    for name, unit in ((b"retry-after-ms", 1000.0), (b"retry-after", 1.0)):
        value = text(headers, name)
        if value is not None and value.replace(".", "", 1).isdigit():
            return float(value) / unit
    return None


def _detail(detail: Any) -> str:
    """FastAPI servers say `{"detail": "…"}` or a list of `{"loc": …, "msg": …}`."""
    if isinstance(detail, list):
        return "; ".join(str(d["msg"]) for d in detail if isinstance(d, dict) and "msg" in d)
    return detail if isinstance(detail, str) else ""


def _name(name: Any) -> str:
    """A short machine-readable word; some vendors write codes as numbers."""
    if isinstance(name, int) and not isinstance(name, bool):
        return str(name)
    return words(name, 100) if isinstance(name, str) else ""
