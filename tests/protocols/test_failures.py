"""What error answers have in common."""

from __future__ import annotations

import pytest

from shunt.errors import Kind
from shunt.protocols.failures import Told, failure, kind_of, told, whole_seconds


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_1"}',
            Told(type="overloaded_error", message="Overloaded", request_id="req_1"),
        ),
        (
            b'{"error":{"message":"No","type":"t","param":"model","code":"c"}}',
            Told(type="t", code="c", message="No", param="model"),
        ),
        (b'{"error":{"code":1302,"message":"busy"}}', Told(code="1302", message="busy")),
        (
            b'{"type":"error","code":"server_error","message":"boom"}',
            Told(code="server_error", message="boom"),
        ),
        (b'{"error":"model not found"}', Told(message="model not found")),
        (b'{"detail":"Unsupported parameter: user"}', Told(message="Unsupported parameter: user")),
        (
            b'{"detail":[{"loc":["a"],"msg":"field required"},{"msg":"too long"}]}',
            Told(message="field required; too long"),
        ),
        (
            b'[{"error":{"code":400,"message":"API key not valid"}}]',
            Told(code="400", message="API key not valid"),
        ),
        (b'"just words"', Told(message="just words")),
        (b"upstream connect error", Told(message="upstream connect error")),
        (b"<html><title>502 Bad Gateway</title></html>", Told(message="502 Bad Gateway")),
        (b'{"error":{"message":{"a":1}}}', Told()),
        (b'{"error":null}', Told()),
        (b"[]", Told(message="[]")),
        (b"", Told()),
    ],
)
def test_every_shape_of_error_is_read(body: bytes, expected: Told) -> None:
    """The shapes of the vendors, of frameworks and of gateways in between."""
    assert told(body) == expected


@pytest.mark.parametrize(
    ("status", "named", "expected"),
    [
        (401, None, Kind.AUTHENTICATION),
        (429, Kind.INVALID_REQUEST, Kind.RATE_LIMITED),
        (429, Kind.BILLING, Kind.BILLING),
        (503, Kind.OVERLOADED, Kind.OVERLOADED),
        (503, None, Kind.UNAVAILABLE),
        (500, Kind.RATE_LIMITED, Kind.RATE_LIMITED),
        (500, None, Kind.INTERNAL),
        (502, Kind.INTERNAL, Kind.UPSTREAM),
        (400, Kind.INTERNAL, Kind.INTERNAL),
        (400, Kind.CONTEXT_OVERFLOW, Kind.CONTEXT_OVERFLOW),
        (418, None, Kind.INVALID_REQUEST),
        (418, Kind.NOT_FOUND, Kind.NOT_FOUND),
        (520, None, Kind.UPSTREAM),
        (529, None, Kind.OVERLOADED),
        (200, Kind.AUTHENTICATION, Kind.AUTHENTICATION),
        (200, None, Kind.UPSTREAM),
    ],
)
def test_status_and_name_together_decide(status: int, named: Kind | None, expected: Kind) -> None:
    """A clear status wins over a vague name, a precise name over any status."""
    assert kind_of(status, named) is expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (((b"Retry-After", b"12"),), 12.0),
        (((b"retry-after", b"1.5"),), 1.5),
        (((b"retry-after-ms", b"250"), (b"retry-after", b"1")), 0.25),
        (((b"retry-after", b"Wed, 21 Oct 2026 07:28:00 GMT"),), None),
        (((b"retry-after", b"-1"),), None),
        ((), None),
    ],
)
def test_retry_after_is_read_where_no_clock_is_needed(
    headers: tuple[tuple[bytes, bytes], ...], expected: float | None
) -> None:
    """Seconds and milliseconds are understood; a date is left to those who know the time."""
    assert failure(429, headers, Told(), None).retry_after == expected


@pytest.mark.parametrize(("value", "expected"), [(b"true", True), (b"False", False), (b"maybe", None)])
def test_the_vendors_advice_on_retrying_is_kept(value: bytes, expected: bool | None) -> None:
    """`x-should-retry` travels with the failure."""
    assert failure(500, ((b"x-should-retry", value),), Told(), None).should_retry is expected


def test_a_status_that_is_no_error_is_not_kept() -> None:
    """An error inside a 200 stream gets a status of its own when it is told on."""
    assert failure(200, (), Told(message="m"), Kind.OVERLOADED).http_status == 529
    assert failure(503, (), Told(message="m"), Kind.OVERLOADED).http_status == 503


@pytest.mark.parametrize(("seconds", "expected"), [(0.0, 1), (0.4, 1), (1.0, 1), (1.1, 2), (-5.0, 1)])
def test_whole_seconds(seconds: float, expected: int) -> None:
    """Up, and at least one."""
    assert whole_seconds(seconds) == expected


@pytest.mark.parametrize(
    ("code", "kind", "status"),
    [
        ("401", Kind.AUTHENTICATION, 401),
        ("402", Kind.BILLING, 402),
        ("404", Kind.NOT_FOUND, 404),
        ("429", Kind.RATE_LIMITED, 429),
        ("503", Kind.UNAVAILABLE, 503),
        ("529", Kind.OVERLOADED, 529),
        ("399", Kind.UPSTREAM, 502),
        ("600", Kind.UPSTREAM, 502),
        ("1302", Kind.UPSTREAM, 502),
        ("4²9", Kind.UPSTREAM, 502),
    ],
)
def test_a_number_for_a_code_is_the_status_of_an_answer_that_has_none(
    code: str, kind: Kind, status: int
) -> None:
    """Gateways answer 200 and put into the error what the status should have been."""
    found = failure(200, (), Told(code=code, message="m"), None)
    assert (found.kind, found.http_status) == (kind, status)


def test_a_status_of_its_own_is_not_overruled() -> None:
    """What an error answer was sent with holds, whatever number is inside; a precise name holds with both."""
    assert failure(401, (), Told(code="429"), None).http_status == 401
    assert failure(200, (), Told(code="400"), Kind.CONTEXT_OVERFLOW).kind is Kind.CONTEXT_OVERFLOW


def test_a_number_is_no_code() -> None:
    """Clients choose by words; a number that some vendor counts its errors with is none."""
    assert failure(429, (), Told(code="1302"), None).code == ""
    assert failure(429, (), Told(code="slow_down"), None).code == "slow_down"


@pytest.mark.parametrize(
    "message",
    [
        "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.",
        "This endpoint's maximum context length is 8192 tokens. However, you requested about 9000 tokens.",
        "This model's maximum prompt length is 131072 but the request contains 200000 tokens.",
        "The decoder prompt (length 5000) is longer than the maximum model length of 4096.",
        "the request exceeds the available context size, try increasing it",
        "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
        "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
        "The number of tokens to keep from the initial prompt is greater than the context length",
        "Invalid request: Your request exceeded model token limit: 131072",
        "Prompt exceeds max length",
        "Your input exceeds the context window of this model. Please adjust your input and try again.",
        "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000",
        "Input is too long for requested model.",
        "prompt is too long: 210000 tokens > 200000 maximum",
    ],
)
def test_a_conversation_that_is_too_long_is_known_by_any_vendor_s_words(message: str) -> None:
    """Clients shorten theirs when they hear of it in their own protocol's way, and go on failing otherwise."""
    for status in (200, 400, 413, 422):
        for code in ("", "400", "BadRequestError"):
            found = failure(status, (), Told(message=message, code=code), None)
            assert (found.kind, found.code) == (Kind.CONTEXT_OVERFLOW, "")


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "max_tokens: must be greater than 0"),
        (400, "The context of this question is unknown"),
        (400, "context_management: unknown field"),
        (400, "messages.0.content.0.text: input should be a string"),
        (401, "maximum context length"),
        (429, "You exceed your context window budget"),
        (400, "file exceeds 20 MB. See the context length page."),
    ],
)
def test_other_mistakes_are_not_taken_for_long_conversations(status: int, message: str) -> None:
    """A client would throw its history away for nothing."""
    assert failure(status, (), Told(message=message), None).kind is not Kind.CONTEXT_OVERFLOW
