"""What the program says of failures, as the vendor would have said it."""

from __future__ import annotations

import json

import pytest

from shunt.upstream.claude_code.failures import busy, is_lost_session, limit_headers, refusal, written
from shunt.upstream.claude_code.narration import Ended


@pytest.mark.parametrize(
    ("ended", "status", "kind"),
    [
        (Ended(429, "rate_limit", "spent"), 429, "rate_limit_error"),
        (Ended(0, "rate_limit", "spent"), 429, "rate_limit_error"),
        (Ended(529, "", "busy"), 529, "overloaded_error"),
        (Ended(0, "overloaded", "busy"), 529, "overloaded_error"),
        (Ended(0, "billing_error", "pay"), 403, "permission_error"),
        (Ended(0, "", "Not logged in · Please run /login"), 401, "authentication_error"),
        (Ended(400, "invalid_request", "prompt is too long"), 400, "invalid_request_error"),
        (Ended(0, "error_during_execution", ""), 502, "api_error"),
    ],
)
def test_each_failure_has_its_status(ended: Ended, status: int, kind: str) -> None:
    """In Anthropic's dialect, with the program's words."""
    told = refusal(ended, (), "local")
    body = json.loads(told.body)["error"]
    assert (told.status, body["type"]) == (status, kind)
    assert body["message"]


def test_a_rejected_window_is_a_429() -> None:
    """Even when the program names no status."""
    limits = [{"status": "rejected", "resetsAt": 1_900_000_000, "rateLimitType": "five_hour"}]
    told = refusal(Ended(0, "", "limit"), limits, "local")
    assert told.status == 429
    assert (b"anthropic-ratelimit-unified-5h-reset", b"1900000000") in told.headers


def test_windows_are_told_as_headers() -> None:
    """Every window with its share and reset; nonsense is left out."""
    info = {
        "status": "allowed",
        "unifiedWindows": {
            "five_hour": {"utilization": 0.25, "resetsAt": 1_900_000_000},
            "seven_day_opus": {"utilization": True, "resetsAt": "soon"},
            "odd": 5,
        },
    }
    found = {
        name.decode().removeprefix("anthropic-ratelimit-unified-"): value
        for name, value in limit_headers([info])
    }
    assert found["5h-utilization"] == b"0.25"
    assert found["5h-reset"] == b"1900000000"
    assert "7d_opus-utilization" not in found
    assert "odd-status" not in found


def test_a_full_queue_is_marked_as_ours() -> None:
    """529 with a hint when to come back, and how long it took."""
    told = busy(30, 5)
    assert told.status == 529
    assert (b"retry-after", b"5") in told.headers
    assert b"30 seconds" in told.body


def test_a_lost_session_is_recognised() -> None:
    """In the result, or on standard error."""
    assert is_lost_session(Ended(0, "", ""), "No conversation found with session ID: x")
    assert not is_lost_session(Ended(0, "", "spent"), "")


def test_an_unknown_status_is_an_api_error() -> None:
    """Its type is the vendor's general one."""
    assert json.loads(written(599, "x").body)["error"]["type"] == "api_error"
