"""What an answer in Anthropic's dialect means."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.accounts.outcomes import Outcome, Verdict
from shunt.inference.inbound import Operation, Outline
from shunt.limits.windows import Standing
from shunt.providers.anthropic_answers import classify
from shunt.providers.base import Answer
from shunt.wire.headers import Headers
from tests.providers.requests import T0, account, inbound

UNIFIED = b"anthropic-ratelimit-unified-"


def error(message: str = "m", kind: str = "api_error") -> bytes:
    return json.dumps(
        {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_up"}
    ).encode()


def event(body: bytes) -> bytes:
    return b"event: ping\ndata: {}\n\nevent: error\ndata: " + body + b"\n\n"


def window(name: str, standing: str, reset: float | None = None) -> Headers:
    told: Headers = ((UNIFIED + name.encode() + b"-status", standing.encode()),)
    return told if reset is None else (*told, (UNIFIED + name.encode() + b"-reset", b"%d" % reset))


def summary(standing: str, claim: str, reset: float) -> Headers:
    return (
        (UNIFIED + b"status", standing.encode()),
        (UNIFIED + b"reset", b"%d" % reset),
        (UNIFIED + b"representative-claim", claim.encode()),
    )


def judge(status: int, body: bytes = b"", headers: Headers = (), **changes: Any) -> Outcome:
    return classify(account(), inbound(**changes), Answer(status, headers, body), T0)


@pytest.mark.parametrize(
    ("status", "kind", "message", "verdict"),
    [
        (400, "invalid_request_error", "messages: field required", Verdict.REFUSED),
        (400, "invalid_request_error", "prompt is too long: 5 tokens > 4 maximum", Verdict.REFUSED),
        (400, "invalid_request_error", "context_management: Extra inputs are not permitted", Verdict.REFUSED),
        (
            400,
            "invalid_request_error",
            "Your credit balance is too low to access the Anthropic API.",
            Verdict.FORBIDDEN,
        ),
        (
            400,
            "invalid_request_error",
            "You're out of extra usage. Add more and keep going.",
            Verdict.FORBIDDEN,
        ),
        (
            400,
            "invalid_request_error",
            "You have reached your specified API usage limits.",
            Verdict.FORBIDDEN,
        ),
        (400, "invalid_request_error", "This organization has been disabled.", Verdict.FORBIDDEN),
        (
            400,
            "invalid_request_error",
            "The long context beta is not yet available for this subscription.",
            Verdict.REFUSED,
        ),
        (400, "api_error", "odd", Verdict.REFUSED),
        (
            401,
            "authentication_error",
            "OAuth token has expired. Please obtain a new token.",
            Verdict.UNAUTHORIZED,
        ),
        (401, "authentication_error", "invalid x-api-key", Verdict.UNAUTHORIZED),
        (402, "billing_error", "Payment required", Verdict.FORBIDDEN),
        (404, "not_found_error", "model: claude-none", Verdict.REFUSED),
        (408, "timeout_error", "slow", Verdict.REFUSED),
        (409, "conflict_error", "m", Verdict.REFUSED),
        (413, "request_too_large", "m", Verdict.REFUSED),
        (418, "teapot", "m", Verdict.REFUSED),
        (422, "invalid_request_error", "m", Verdict.REFUSED),
        (500, "api_error", "Internal server error", Verdict.BROKEN),
        (502, "api_error", "m", Verdict.BROKEN),
        (503, "api_error", "m", Verdict.BROKEN),
        (503, "overloaded_error", "Overloaded", Verdict.OVERLOADED),
        (504, "timeout_error", "m", Verdict.BROKEN),
        (520, "", "m", Verdict.BROKEN),
        (529, "overloaded_error", "Overloaded", Verdict.OVERLOADED),
        (529, "api_error", "m", Verdict.OVERLOADED),
    ],
)
def test_statuses(status: int, kind: str, message: str, verdict: Verdict) -> None:
    """The table of answers; the vendor's words are kept."""
    outcome = judge(status, error(message, kind))
    assert (outcome.verdict, outcome.message, outcome.status) == (verdict, message, status)
    assert outcome.reason
    assert (outcome.account, outcome.at) == ("main", T0)


@pytest.mark.parametrize(
    ("message", "verdict"),
    [
        ("OAuth token has been revoked. Please obtain a new token.", Verdict.UNAUTHORIZED),
        ("Invalid bearer token", Verdict.UNAUTHORIZED),
        ("OAuth authentication is currently not allowed for this organization.", Verdict.FORBIDDEN),
        ("OAuth authentication is currently not supported.", Verdict.FORBIDDEN),
        ("Your subscription has lapsed.", Verdict.FORBIDDEN),
        ("No active subscription found", Verdict.FORBIDDEN),
        ("This organization has been disabled.", Verdict.FORBIDDEN),
        ("Your organisation is currently restricted", Verdict.FORBIDDEN),
        ("Your account has been suspended for violating our policies", Verdict.FORBIDDEN),
        ("Claude Code is not enabled for your organization", Verdict.FORBIDDEN),
        ("This API key has been disabled", Verdict.FORBIDDEN),
        ("OAuth token does not meet scope requirement user:inference", Verdict.FORBIDDEN),
        ("Request not allowed", Verdict.REFUSED),
        ("Your API key does not have permission to use the specified resource.", Verdict.REFUSED),
        ("Long context is not allowed for this organization", Verdict.REFUSED),
        ("Model claude-x is not available", Verdict.REFUSED),
        ("", Verdict.REFUSED),
    ],
)
def test_a_403_is_judged_by_its_words(message: str, verdict: Verdict) -> None:
    """The token, the account, or in doubt the request: one bad request must not bench every account."""
    assert judge(403, error(message, "permission_error")).verdict is verdict


def test_a_403_by_a_web_page_is_nobodys_word() -> None:
    """A firewall in between knows neither the account nor the request."""
    outcome = judge(403, b"<!DOCTYPE html><html><head><title>Just a moment...</title></head></html>")
    assert (outcome.verdict, outcome.message) == (Verdict.BROKEN, "Just a moment...")


SPENT = T0 + 1800
LATER = T0 + 90_000


@pytest.mark.parametrize(
    ("headers", "scope", "until", "reason"),
    [
        (
            (
                *summary("rejected", "five_hour", SPENT),
                *window("5h", "rejected", SPENT),
                *window("7d", "allowed", LATER),
            ),
            "",
            SPENT,
            "anthropic-ratelimit-unified-5h-status: rejected",
        ),
        (
            (*window("5h", "rejected", SPENT), *window("7d", "rejected", LATER)),
            "",
            LATER,
            "anthropic-ratelimit-unified-7d-status: rejected",
        ),
        (
            (
                *window("5h", "allowed", SPENT),
                *window("7d", "allowed", LATER),
                *window("7d_opus", "rejected", LATER),
            ),
            "opus",
            LATER,
            "anthropic-ratelimit-unified-7d_opus-status: rejected",
        ),
        (
            (*window("5h", "rejected", SPENT), *window("7d_opus", "rejected", LATER)),
            "",
            SPENT,
            "anthropic-ratelimit-unified-5h-status: rejected",
        ),
        (
            summary("rejected", "seven_day", LATER),
            "",
            LATER,
            "anthropic-ratelimit-unified-7d-status: rejected",
        ),
    ],
)
def test_a_429_with_a_rejected_window(headers: Headers, scope: str, until: float, reason: str) -> None:
    """The latest reset of what refuses: the whole account, or only the model's family."""
    outcome = judge(
        429, error("This request would exceed your account's rate limit.", "rate_limit_error"), headers
    )
    assert (outcome.verdict, outcome.scope, outcome.until, outcome.reason) == (
        Verdict.LIMITED,
        scope,
        until,
        reason,
    )
    assert any(found.standing is Standing.REJECTED for found in outcome.windows)


@pytest.mark.parametrize(
    ("headers", "until"),
    [
        ((), None),
        (((b"retry-after", b"40"),), T0 + 40),
        (((b"retry-after-ms", b"1500"),), T0 + 1.5),
        (((b"retry-after", b"0"),), None),
        (window("5h", "allowed", SPENT), None),
        (window("5h", "rejected", T0 - 60), None),
        (window("5h", "rejected"), None),
        (window("7d_sonnet", "rejected", LATER), None),
        ((*window("overage", "rejected", LATER), (b"retry-after", b"5")), T0 + 5),
    ],
)
def test_a_429_without_window_facts(headers: Headers, until: float | None) -> None:
    """A pause for this model family; a window that is past, of other models or of extra money is no fact."""
    outcome = judge(
        429, error("Number of requests has exceeded your per-minute limit", "rate_limit_error"), headers
    )
    assert (outcome.verdict, outcome.scope, outcome.until) == (Verdict.THROTTLED, "opus", until)


@pytest.mark.parametrize(
    "message",
    [
        "Extra usage is required for long context requests.",
        "Usage credits are required for long context requests.",
        "Fast mode requires extra usage",
        "Long context beta requires more",
    ],
)
@pytest.mark.parametrize(
    "headers",
    [
        (),
        window("5h", "allowed", SPENT),
        summary("rejected", "overage", LATER),
        window("overage", "rejected"),
    ],
)
def test_a_429_about_the_request(message: str, headers: Headers) -> None:
    """It goes back to the client and leaves no mark on the account."""
    outcome = judge(429, error(message, "rate_limit_error"), headers)
    assert (outcome.verdict, outcome.message) == (Verdict.REFUSED, message)
    assert not [found for found in outcome.windows if found.standing is Standing.REJECTED]


def test_a_spent_window_outweighs_words_about_the_request() -> None:
    """When a window of the plan is rejected, the account is spent, whatever the message offers."""
    outcome = judge(
        429, error("Extra usage is required", "rate_limit_error"), window("5h", "rejected", SPENT)
    )
    assert outcome.verdict is Verdict.LIMITED


@pytest.mark.parametrize(
    "message", ["Your credit balance is too low", "This organization has been suspended"]
)
def test_a_429_that_is_a_ban_or_a_bill(message: str) -> None:
    """Waiting a minute would not help."""
    assert judge(429, error(message, "rate_limit_error")).verdict is Verdict.FORBIDDEN


@pytest.mark.parametrize(
    ("kind", "message", "verdict"),
    [
        ("overloaded_error", "Overloaded", Verdict.OVERLOADED),
        ("rate_limit_error", "m", Verdict.THROTTLED),
        ("rate_limit_error", "Extra usage is required for long context", Verdict.REFUSED),
        ("api_error", "m", Verdict.BROKEN),
        ("timeout_error", "m", Verdict.BROKEN),
        ("invalid_request_error", "m", Verdict.REFUSED),
        ("invalid_request_error", "Your credit balance is too low", Verdict.FORBIDDEN),
        ("authentication_error", "m", Verdict.UNAUTHORIZED),
        ("permission_error", "Your subscription has expired", Verdict.FORBIDDEN),
        ("permission_error", "m", Verdict.REFUSED),
        ("billing_error", "m", Verdict.FORBIDDEN),
        ("not_found_error", "m", Verdict.REFUSED),
        ("future_error", "m", Verdict.BROKEN),
    ],
)
@pytest.mark.parametrize("wrap", [event, bytes], ids=["stream", "body"])
def test_an_error_inside_a_200(kind: str, message: str, verdict: Verdict, wrap: Any) -> None:
    """It means what its status would have meant."""
    outcome = judge(200, wrap(error(message, kind)))
    assert (outcome.verdict, outcome.message, outcome.status) == (verdict, message, 200)


def test_a_rejected_window_inside_a_200_stream() -> None:
    """Headers and event together are a spent window."""
    headers = window("5h", "rejected", SPENT)
    outcome = judge(200, event(error("m", "rate_limit_error")), headers)
    assert (outcome.verdict, outcome.until) == (Verdict.LIMITED, SPENT)


START = b'event: message_start\ndata: {"type":"message_start","message":{"model":"m","usage":{}}}\n\n'


@pytest.mark.parametrize(
    "body", [b"", START, b"event: ping\ndata: {}\n\n", b'{"type":"message","content":[]}', b"\xff\xfe"]
)
def test_an_answer_is_served_with_its_windows(body: bytes) -> None:
    """Whatever is known of its beginning, facts about windows come along."""
    outcome = judge(200, body, (*window("5h", "allowed", SPENT), (b"content-type", b"text/event-stream")))
    assert outcome.verdict is Verdict.SERVED
    assert [found.name for found in outcome.windows] == ["5h"]
    assert (outcome.until, outcome.message) == (None, "")


def test_policy_about_extra_usage_is_no_exhaustion() -> None:
    """A 200 that says extra usage is off, or names a fallback share, is a plain success."""
    headers = (
        *window("overage", "rejected", LATER),
        (UNIFIED + b"fallback-percentage", b"0.5"),
        *window("5h", "allowed", SPENT),
    )
    outcome = judge(200, b"", headers)
    assert outcome.verdict is Verdict.SERVED
    assert not any(found.rejects("opus", T0) for found in outcome.windows if found.name != "overage")


@pytest.mark.parametrize("status", [301, 302, 307, 308, 304, 101])
@pytest.mark.parametrize("operation", [Operation.GENERATE, Operation.PASS])
def test_a_redirect_is_never_an_answer(status: int, operation: Operation) -> None:
    """The credential is not carried to another place."""
    outcome = judge(status, b"", ((b"location", b"https://evil.example/"),), operation=operation)
    assert outcome.verdict is Verdict.BROKEN
    assert "evil" not in outcome.reason


@pytest.mark.parametrize(
    ("status", "headers"),
    [(204, ()), (206, ()), (202, ()), (200, ((b"Content-Type", b"text/html; charset=utf-8"),))],
)
def test_a_success_of_the_wrong_kind_is_broken(status: int, headers: Headers) -> None:
    """An empty or partial answer and a captive portal's page are no model's answer."""
    assert judge(status, b"", headers).verdict is Verdict.BROKEN
    assert judge(status, b"", headers, operation=Operation.PASS).verdict is Verdict.SERVED


@pytest.mark.parametrize(
    ("status", "kind", "verdict"),
    [
        (400, "invalid_request_error", Verdict.REFUSED),
        (401, "authentication_error", Verdict.UNAUTHORIZED),
        (403, "permission_error", Verdict.REFUSED),
        (429, "rate_limit_error", Verdict.REFUSED),
        (500, "api_error", Verdict.REFUSED),
        (529, "overloaded_error", Verdict.REFUSED),
    ],
)
@pytest.mark.parametrize("operation", [Operation.PASS, Operation.BATCHES])
def test_a_side_call_does_not_speak_against_its_account(
    status: int, kind: str, verdict: Verdict, operation: Operation
) -> None:
    """Only a dead credential does; a list that fails benches nobody."""
    body = error("Your subscription has lapsed", kind)
    assert judge(status, body, operation=operation, outline=Outline()).verdict is verdict


def test_a_side_call_can_tell_of_a_spent_window() -> None:
    """A fact about the account is a fact, whoever learnt it."""
    outcome = judge(
        429, error("m", "rate_limit_error"), window("5h", "rejected", SPENT), operation=Operation.PASS
    )
    assert (outcome.verdict, outcome.until) == (Verdict.LIMITED, SPENT)


def test_counting_has_a_rate_limit_of_its_own() -> None:
    """Running into it does not pause the models."""
    counted = judge(429, error("m", "rate_limit_error"), operation=Operation.COUNT_TOKENS)
    assert counted.verdict is Verdict.REFUSED
    assert (
        judge(529, error("m", "overloaded_error"), operation=Operation.COUNT_TOKENS).verdict
        is Verdict.OVERLOADED
    )


@pytest.mark.parametrize("status", [500, 503, 529])
def test_the_vendors_own_time_is_kept(status: int) -> None:
    """`retry-after` counts for trouble as well."""
    assert judge(status, error(), ((b"retry-after", b"7"),)).until == T0 + 7


def test_a_compressed_error_is_read() -> None:
    """Some answer compressed although nobody asked."""
    body = gzip.compress(error("Your credit balance is too low", "invalid_request_error"))
    assert judge(400, body, ((b"content-encoding", b"gzip"),)).verdict is Verdict.FORBIDDEN
    cut = gzip.compress(START + event(error("m", "overloaded_error")))[:-4]
    assert judge(200, cut, ((b"content-encoding", b"gzip"),)).verdict is Verdict.OVERLOADED


def test_words_are_short_and_harmless() -> None:
    """No control characters, at most 300 characters."""
    message = judge(500, error("\x1b[31mred\x00 " + "x" * 1000)).message
    assert message.startswith("[31mred x")
    assert len(message) == 300


@given(
    status=st.integers(100, 999),
    body=st.binary(max_size=200),
    value=st.sampled_from([b"rejected", b"allowed", b"NaN", b"-5", b"1e400", b"\xff", b""]),
    name=st.sampled_from([b"5h-status", b"5h-reset", b"7d_opus-status", b"status", b"reset", b"x"]),
    operation=st.sampled_from(Operation),
)
def test_any_answer_has_an_outcome(
    status: int, body: bytes, name: bytes, value: bytes, operation: Operation
) -> None:
    """Garbage from an upstream is classified like everything else."""
    headers = ((UNIFIED + name, value), (b"retry-after", value), (b"content-encoding", value))
    outcome = judge(status, body, headers, operation=operation)
    assert outcome.reason
    assert outcome.until is None or outcome.until > T0
