"""Errors in OpenAI's words."""

from __future__ import annotations

import pytest

from shunt.errors import Kind
from shunt.inference.failure import Failure
from shunt.protocols import openai_errors
from shunt.wire import json


@pytest.mark.parametrize(
    ("failure", "status", "type_", "code"),
    [
        (Failure(Kind.OVERLOADED, "m"), 503, "server_error", "server_is_overloaded"),
        (Failure(Kind.OVERLOADED, "m", status=529), 503, "server_error", "server_is_overloaded"),
        (Failure(Kind.RATE_LIMITED, "m"), 429, "rate_limit_error", "rate_limit_exceeded"),
        (Failure(Kind.BILLING, "m"), 429, "insufficient_quota", "insufficient_quota"),
        (Failure(Kind.BILLING, "m", status=402), 402, "insufficient_quota", "insufficient_quota"),
        (Failure(Kind.CONTEXT_OVERFLOW, "m"), 400, "invalid_request_error", "context_length_exceeded"),
        (Failure(Kind.INVALID_REQUEST, "m"), 400, "invalid_request_error", None),
        (Failure(Kind.INVALID_REQUEST, "m", code="mine"), 400, "invalid_request_error", "mine"),
        (Failure(Kind.UNAVAILABLE, "m"), 503, "server_error", "server_error"),
        (Failure(Kind.UPSTREAM, "m"), 502, "server_error", "server_error"),
    ],
)
def test_kinds_become_statuses_and_codes(failure: Failure, status: int, type_: str, code: str | None) -> None:
    """Codes are those that clients act upon; 529 is not known to them."""
    reply = openai_errors.encode_error(failure)
    assert reply.status == status
    assert json.value(reply.body) == {"error": {"message": "m", "type": type_, "param": None, "code": code}}


def test_request_id_and_param_are_told() -> None:
    """The id stands beside the error and in the header that SDKs show; the field is named."""
    reply = openai_errors.encode_error(Failure(Kind.INVALID_REQUEST, "m", request_id="req_1", param="input"))
    assert json.value(reply.body)["request_id"] == "req_1"
    assert json.value(reply.body)["error"]["param"] == "input"
    assert (b"x-request-id", b"req_1") in reply.headers


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (429, {"type": "insufficient_quota", "code": "insufficient_quota"}, Kind.BILLING),
        (429, {"type": "usage_limit_reached"}, Kind.RATE_LIMITED),
        (429, {"type": "requests", "code": "rate_limit_exceeded"}, Kind.RATE_LIMITED),
        (400, {"type": "invalid_request_error", "code": "context_length_exceeded"}, Kind.CONTEXT_OVERFLOW),
        (404, {"type": "invalid_request_error", "code": "model_not_found"}, Kind.NOT_FOUND),
        (503, {"type": "server_error", "code": "slow_down"}, Kind.OVERLOADED),
        (500, {"type": "server_error", "code": None}, Kind.INTERNAL),
        (401, {"type": "invalid_request_error", "code": "invalid_api_key"}, Kind.AUTHENTICATION),
        (200, {"code": "rate_limit_exceeded"}, Kind.RATE_LIMITED),
    ],
)
def test_codes_become_kinds(status: int, error: dict[str, str], kind: Kind) -> None:
    """A code says more than a type, and a precise one more than the status."""
    body = json.encode({"error": {"message": "m", **error}})
    failure = openai_errors.decode_error(status, (), body)
    assert failure.kind is kind
    assert failure.code == (error.get("code") or "")


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (Failure(Kind.INVALID_REQUEST, "m"), "invalid_prompt"),
        (Failure(Kind.OVERLOADED, "m"), "server_is_overloaded"),
        (Failure(Kind.OVERLOADED, "m", code="own"), "own"),
    ],
)
def test_a_stream_error_always_has_a_code(failure: Failure, code: str) -> None:
    """Codex chooses between retrying and giving up by it."""
    assert openai_errors.stream_code(failure) == code


@pytest.mark.parametrize(
    ("code", "word"),
    [
        (429, "rate_limit_exceeded"),
        ("429", "rate_limit_exceeded"),
        (402, "insufficient_quota"),
        (503, "server_error"),
    ],
)
def test_a_code_in_numbers_becomes_a_word(code: int | str, word: str) -> None:
    """An error inside an answer with status 200 that names a status is told in this protocol's words."""
    body = json.encode({"error": {"message": "slow", "code": code}})
    failure = openai_errors.decode_error(200, (), body)
    reply = openai_errors.encode_error(failure)
    assert reply.status == int(code)
    assert json.value(reply.body)["error"]["code"] == word
    assert openai_errors.stream_code(failure) == word


def test_a_flat_error_is_read_alike() -> None:
    """The data of an error event may be the error itself."""
    assert openai_errors.decode_error(200, (), b'{"message":"flat","code":429}').kind is Kind.RATE_LIMITED
