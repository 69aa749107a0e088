"""Errors in Anthropic's words."""

from __future__ import annotations

import pytest

from shunt.errors import Kind
from shunt.inference.failure import Failure
from shunt.protocols.anthropic_messages.errors import decode_error, encode_error, encode_stream_error
from shunt.wire import json


@pytest.mark.parametrize(
    ("kind", "status", "name"),
    [
        (Kind.INVALID_REQUEST, 400, "invalid_request_error"),
        (Kind.AUTHENTICATION, 401, "authentication_error"),
        (Kind.BILLING, 402, "billing_error"),
        (Kind.PERMISSION, 403, "permission_error"),
        (Kind.NOT_FOUND, 404, "not_found_error"),
        (Kind.CONFLICT, 409, "conflict_error"),
        (Kind.TOO_LARGE, 413, "request_too_large"),
        (Kind.RATE_LIMITED, 429, "rate_limit_error"),
        (Kind.INTERNAL, 500, "api_error"),
        (Kind.NOT_OFFERED, 501, "api_error"),
        (Kind.UPSTREAM, 502, "api_error"),
        (Kind.UNAVAILABLE, 503, "api_error"),
        (Kind.TIMEOUT, 504, "timeout_error"),
        (Kind.OVERLOADED, 529, "overloaded_error"),
    ],
)
def test_kinds_become_statuses_and_types(kind: Kind, status: int, name: str) -> None:
    """The vendor's own table, and `api_error` for what it has no word for."""
    reply = encode_error(Failure(kind, "m", request_id="req_1"))
    assert reply.status == status
    assert json.value(reply.body) == {
        "type": "error",
        "error": {"type": name, "message": "m"},
        "request_id": "req_1",
    }
    assert (b"request-id", b"req_1") in reply.headers


def test_overload_is_529_whatever_it_was_called_elsewhere() -> None:
    """Claude Code gives up on a 529 sooner than on a 503, as it should."""
    assert encode_error(Failure(Kind.OVERLOADED, "m", status=503)).status == 529


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            "prompt is too long: 210000 tokens > 200000 maximum",
            "prompt is too long: 210000 tokens > 200000 maximum",
        ),
        ("maximum context length exceeded", "prompt is too long: maximum context length exceeded"),
        (
            "This model's maximum context length is 8192 tokens. However, you requested 9001 tokens.",
            "prompt is too long: 9001 tokens > 8192 maximum",
        ),
        (
            "The input token count (1,200,000) exceeds the maximum number of tokens allowed (1,048,576).",
            "prompt is too long: 1200000 tokens > 1048576 maximum",
        ),
        ("gpt-4-0613 takes 8192 tokens", "prompt is too long: gpt-4-0613 takes 8192 tokens"),
    ],
)
def test_a_full_context_is_told_in_the_words_that_make_claude_code_compact(
    message: str, expected: str
) -> None:
    """The message begins as the vendor's does, with its numbers where they are known."""
    reply = encode_error(Failure(Kind.CONTEXT_OVERFLOW, message, status=413))
    assert reply.status == 400
    assert json.value(reply.body)["error"] == {"type": "invalid_request_error", "message": expected}


def test_a_stream_ends_in_an_error_event() -> None:
    """Name and type agree, and the id is inside."""
    assert encode_stream_error(Failure(Kind.UPSTREAM, "it broke", request_id="req_1")) == (
        b'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"it broke"},"request_id":"req_1"}\n\n'
    )


@pytest.mark.parametrize(
    ("status", "name", "message", "kind"),
    [
        (400, "invalid_request_error", "messages: field required", Kind.INVALID_REQUEST),
        (400, "invalid_request_error", "prompt is too long: 5 tokens > 4 maximum", Kind.CONTEXT_OVERFLOW),
        (200, "overloaded_error", "Overloaded", Kind.OVERLOADED),
        (500, "overloaded_error", "Overloaded", Kind.OVERLOADED),
        (200, "api_error", "Internal server error", Kind.INTERNAL),
        (200, "rate_limit_error", "m", Kind.RATE_LIMITED),
        (403, "billing_error", "m", Kind.BILLING),
        (500, "future_error", "m", Kind.INTERNAL),
    ],
)
def test_an_upstreams_error_is_understood(status: int, name: str, message: str, kind: Kind) -> None:
    """By its type where the status is vague, and inside a 200 stream by its type alone."""
    body = json.encode({"type": "error", "error": {"type": name, "message": message}, "request_id": "req_up"})
    failure = decode_error(status, ((b"retry-after", b"7"), (b"x-should-retry", b"true")), body)
    assert (failure.kind, failure.message, failure.request_id) == (kind, message, "req_up")
    assert (failure.retry_after, failure.should_retry) == (7.0, True)
    assert failure.status == (status if status != 200 else None)


def test_a_web_page_becomes_one_line() -> None:
    """A gateway's 502 page is told by its title."""
    failure = decode_error(
        502, (), b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
    )
    assert (failure.kind, failure.message) == (Kind.UPSTREAM, "502 Bad Gateway")


def test_an_error_without_words_gets_some() -> None:
    """A failure's message is never empty."""
    assert decode_error(503, (), b"").message == "The upstream answered with status 503 and no explanation."
