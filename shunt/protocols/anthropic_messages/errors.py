"""Errors in the words of the Messages API, both ways.

Types and statuses: https://docs.anthropic.com/en/api/errors. Kinds it has no word for become `api_error`.
"""

from __future__ import annotations

import re
from typing import Final

from shunt.errors import Kind
from shunt.inference.failure import Failure
from shunt.protocols import failures
from shunt.protocols.base import ErrorReply
from shunt.wire import json, sse
from shunt.wire.headers import Headers

_TYPES: Final = {
    Kind.INVALID_REQUEST: "invalid_request_error",
    Kind.CONTEXT_OVERFLOW: "invalid_request_error",
    Kind.AUTHENTICATION: "authentication_error",
    Kind.BILLING: "billing_error",
    Kind.PERMISSION: "permission_error",
    Kind.NOT_FOUND: "not_found_error",
    Kind.TIMEOUT: "timeout_error",
    Kind.CONFLICT: "conflict_error",
    Kind.TOO_LARGE: "request_too_large",
    Kind.RATE_LIMITED: "rate_limit_error",
    Kind.OVERLOADED: "overloaded_error",
}
_KINDS: Final = {"api_error": Kind.INTERNAL} | {_TYPES[kind]: kind for kind in reversed(_TYPES)}
"""Reversed, so that of two kinds with one name the plainer remains."""

_STATUSES: Final = {Kind.OVERLOADED: 529, Kind.CONTEXT_OVERFLOW: 400}
"""Kinds that clients know by their status, whatever another vendor gave it."""

TOO_LONG: Final = "prompt is too long"
"""How the vendor's message begins when the context window is exceeded; Claude Code then compacts."""


_NUMBER: Final = re.compile(r"(?<![\w.-])\d{1,3}(?:,\d{3})+(?![\w-])|(?<![\w.-])\d{3,9}(?![\w-])")
"""A count of tokens: not a part of a model's name."""


def encode_error(failure: Failure) -> ErrorReply:
    """A whole error response."""
    status = _STATUSES.get(failure.kind, failure.http_status)
    return failures.reply(failure, status, _document(failure), b"request-id")


def encode_stream_error(failure: Failure) -> bytes:
    """The event that ends a stream with this failure; nothing follows it."""
    return sse.encode("error", json.encode(_document(failure)))


def decode_error(status: int, headers: Headers, body: bytes) -> Failure:
    """An upstream's error answer, or the data of an `error` event (with the stream's status)."""
    told = failures.told(body)
    return failures.failure(status, headers, told, _KINDS.get(told.type))


def _sizes(message: str) -> str:
    """The two numbers of another vendor's message, as this vendor says them: what it is, what it may be."""
    numbers = [int(found.replace(",", "")) for found in _NUMBER.findall(message)[:2]]
    if len(numbers) < 2 or numbers[0] == numbers[1]:
        return ""
    return f"{max(numbers)} tokens > {min(numbers)} maximum"


def _document(failure: Failure) -> dict[str, object]:
    message = failure.message
    if failure.kind is Kind.CONTEXT_OVERFLOW and not message.lower().startswith(TOO_LONG):
        message = f"{TOO_LONG}: {_sizes(message) or message}"
    document: dict[str, object] = {
        "type": "error",
        "error": {"type": _TYPES.get(failure.kind, "api_error"), "message": message},
    }
    return document | ({"request_id": failure.request_id} if failure.request_id else {})
