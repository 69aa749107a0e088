"""Errors in the words of OpenAI's two protocols, both ways: `{"error": {message, type, param, code}}`.

Codes are those that Codex, the SDKs and opencode act upon; `server_error` makes them try again.
"""

from __future__ import annotations

from typing import Final

from shunt.errors import Kind
from shunt.inference.failure import Failure
from shunt.protocols import failures
from shunt.protocols.base import ErrorReply
from shunt.wire.headers import Headers

_WORDS: Final[dict[Kind, tuple[int, str, str]]] = {
    Kind.INVALID_REQUEST: (400, "invalid_request_error", ""),
    Kind.CONTEXT_OVERFLOW: (400, "invalid_request_error", "context_length_exceeded"),
    Kind.AUTHENTICATION: (401, "authentication_error", "invalid_api_key"),
    Kind.BILLING: (429, "insufficient_quota", "insufficient_quota"),
    Kind.PERMISSION: (403, "permission_error", "permission_denied"),
    Kind.NOT_FOUND: (404, "invalid_request_error", "not_found"),
    Kind.TIMEOUT: (504, "server_error", "server_error"),
    Kind.CONFLICT: (409, "invalid_request_error", "conflict"),
    Kind.TOO_LARGE: (413, "invalid_request_error", "request_too_large"),
    Kind.RATE_LIMITED: (429, "rate_limit_error", "rate_limit_exceeded"),
    Kind.INTERNAL: (500, "server_error", "server_error"),
    Kind.NOT_OFFERED: (501, "invalid_request_error", "not_supported"),
    Kind.UPSTREAM: (502, "server_error", "server_error"),
    Kind.UNAVAILABLE: (503, "server_error", "server_error"),
    Kind.OVERLOADED: (503, "server_error", "server_is_overloaded"),
}
"""Kind → status, type, code."""

_KINDS: Final[dict[str, Kind]] = {
    "context_length_exceeded": Kind.CONTEXT_OVERFLOW,
    "exceed_context_size_error": Kind.CONTEXT_OVERFLOW,  # llama.cpp's type
    "insufficient_quota": Kind.BILLING,
    "usage_not_included": Kind.BILLING,
    "billing_hard_limit_reached": Kind.BILLING,
    "usage_limit_reached": Kind.RATE_LIMITED,
    "rate_limit_exceeded": Kind.RATE_LIMITED,
    "rate_limit_error": Kind.RATE_LIMITED,
    "server_is_overloaded": Kind.OVERLOADED,
    "slow_down": Kind.OVERLOADED,
    "overloaded_error": Kind.OVERLOADED,
    "invalid_api_key": Kind.AUTHENTICATION,
    "authentication_error": Kind.AUTHENTICATION,
    "permission_error": Kind.PERMISSION,
    "model_not_found": Kind.NOT_FOUND,
    "not_found_error": Kind.NOT_FOUND,
    "previous_response_not_found": Kind.INVALID_REQUEST,
    "invalid_prompt": Kind.INVALID_REQUEST,
    "invalid_request_error": Kind.INVALID_REQUEST,
    "server_error": Kind.INTERNAL,
    "timeout": Kind.TIMEOUT,
}


def encode_error(failure: Failure) -> ErrorReply:
    """A whole error response."""
    status = _WORDS[failure.kind][0]
    if failure.status not in (None, 529):  # a status these clients do not know
        status = failure.http_status
    return failures.reply(failure, status, document(failure), b"x-request-id")


def document(failure: Failure) -> dict[str, object]:
    """The error body, which is also the data of Chat's error chunk."""
    _, name, code = _WORDS[failure.kind]
    error = {
        "message": failure.message,
        "type": name,
        "param": failure.param or None,
        "code": failure.code or code or None,
    }
    return {"error": error} | ({"request_id": failure.request_id} if failure.request_id else {})


def stream_code(failure: Failure) -> str:
    """The code of `response.failed`, which must not be empty."""
    return failure.code or _WORDS[failure.kind][2] or "invalid_prompt"


def decode_error(status: int, headers: Headers, body: bytes) -> Failure:
    """An upstream's error answer, or the data of an error event (with the stream's status)."""
    told = failures.told(body)
    named = _KINDS.get(told.code) or _KINDS.get(told.type)
    return failures.failure(status, headers, told, named)
