"""What an answer in OpenAI's dialect means."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.accounts.outcomes import Outcome, Verdict
from shunt.inference.inbound import Operation, Outline
from shunt.limits.codex import parse_codex
from shunt.limits.openai import parse_openai
from shunt.limits.windows import Standing
from shunt.providers.base import Answer
from shunt.providers.openai_answers import classifier
from shunt.wire.headers import Headers
from tests.providers.requests import T0, account, inbound

FAMILY = "gpt-5.1"
classify_key = classifier(parse_openai)
classify_login = classifier(parse_codex)


def error(message: str = "m", kind: str = "", code: str | None = None, **more: Any) -> bytes:
    return json.dumps(
        {"error": {"message": message, "type": kind, "param": None, "code": code, **more}}
    ).encode()


def judge(
    status: int, body: bytes = b"", headers: Headers = (), *, login: bool = False, **changes: Any
) -> Outcome:
    facts = {"protocol": "openai-responses", "path": "/v1/responses", "outline": Outline(model="gpt-5.1")}
    classify = classify_login if login else classify_key
    return classify(account(provider="openai"), inbound(**facts | changes), Answer(status, headers, body), T0)


@pytest.mark.parametrize(
    ("status", "kind", "code", "message", "verdict"),
    [
        (400, "invalid_request_error", None, "Unsupported parameter", Verdict.REFUSED),
        (400, "invalid_request_error", "context_length_exceeded", "too long", Verdict.REFUSED),
        (400, "invalid_request_error", "previous_response_not_found", "m", Verdict.REFUSED),
        (400, "invalid_request_error", "invalid_encrypted_content", "m", Verdict.REFUSED),
        (400, "invalid_request_error", "cyber_policy", "m", Verdict.REFUSED),
        (
            400,
            "invalid_request_error",
            None,
            "Your account is not active, check your billing.",
            Verdict.FORBIDDEN,
        ),
        (401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided", Verdict.UNAUTHORIZED),
        (401, "", "token_expired", "m", Verdict.UNAUTHORIZED),
        (401, "", "account_deactivated", "m", Verdict.FORBIDDEN),
        (402, "", "402", "Insufficient credits", Verdict.FORBIDDEN),
        (403, "", "unsupported_country_region_territory", "Country not supported", Verdict.REFUSED),
        (403, "", None, "Your organization has been disabled.", Verdict.FORBIDDEN),
        (403, "", None, "The token has been revoked", Verdict.UNAUTHORIZED),
        (404, "invalid_request_error", "model_not_found", "m", Verdict.REFUSED),
        (413, "", None, "m", Verdict.REFUSED),
        (422, "", None, "m", Verdict.REFUSED),
        (
            429,
            "insufficient_quota",
            "insufficient_quota",
            "You exceeded your current quota",
            Verdict.FORBIDDEN,
        ),
        (429, "usage_not_included", None, "m", Verdict.FORBIDDEN),
        (429, "", "billing_hard_limit_reached", "m", Verdict.FORBIDDEN),
        (
            429,
            "",
            None,
            "You exceeded your current quota, please check your plan and billing",
            Verdict.FORBIDDEN,
        ),
        (429, "requests", "rate_limit_exceeded", "Rate limit reached for gpt-5.1", Verdict.THROTTLED),
        (
            429,
            "tokens",
            "rate_limit_exceeded",
            "Request too large for gpt-5.1: Limit 3, Requested 9",
            Verdict.REFUSED,
        ),
        (429, "", None, "Selected model is at capacity. Try another.", Verdict.OVERLOADED),
        (500, "server_error", None, "m", Verdict.BROKEN),
        (502, "", None, "m", Verdict.BROKEN),
        (503, "", None, "Loading model", Verdict.BROKEN),
        (503, "service_unavailable_error", "server_is_overloaded", "m", Verdict.OVERLOADED),
        (503, "", "slow_down", "m", Verdict.OVERLOADED),
        (503, "", None, "That model is currently overloaded with other requests.", Verdict.OVERLOADED),
        (529, "", None, "m", Verdict.OVERLOADED),
    ],
)
def test_statuses(status: int, kind: str, code: str | None, message: str, verdict: Verdict) -> None:
    """The table of answers: the error's own name says more than the status."""
    outcome = judge(status, error(message, kind, code))
    assert (outcome.verdict, outcome.message, outcome.status) == (verdict, message, status)


def test_the_backend_complains_in_its_own_shape() -> None:
    """`{"detail": …}` is about the request."""
    outcome = judge(400, b'{"detail":"Unsupported parameter: top_p"}', login=True)
    assert (outcome.verdict, outcome.message) == (Verdict.REFUSED, "Unsupported parameter: top_p")


# ── Limits ────────────────────────────────────────────────────────────────────────────────────────


def test_a_rate_limit_pauses_the_model_alone() -> None:
    """Other models have buckets of their own."""
    outcome = judge(429, error("Rate limit reached", "tokens", "rate_limit_exceeded"))
    assert (outcome.verdict, outcome.scope, outcome.until) == (Verdict.THROTTLED, FAMILY, None)


@pytest.mark.parametrize(
    ("headers", "message", "wait"),
    [
        (((b"retry-after", b"7"),), "m", 7.0),
        (((b"retry-after-ms", b"1500"),), "Please try again in 90s.", 1.5),
        ((), "Rate limit reached. Please try again in 6m0s. Visit us.", 360.0),
        ((), "Please try again in 20ms.", 0.02),
        ((), "Please try again in a moment.", None),
    ],
)
def test_how_long_a_rate_limit_lasts(headers: Headers, message: str, wait: float | None) -> None:
    """The header's word counts first, then the message's."""
    outcome = judge(429, error(message, "", "rate_limit_exceeded"), headers)
    assert outcome.until == (None if wait is None else pytest.approx(T0 + wait))


def test_counts_of_an_api_key_come_with_every_answer() -> None:
    """Served or not."""
    headers = ((b"x-ratelimit-limit-requests", b"10"), (b"x-ratelimit-remaining-requests", b"5"))
    assert [(w.name, w.used) for w in judge(200, headers=headers).windows] == [("requests", 0.5)]


def plan_spent(**more: Any) -> bytes:
    return error("The usage limit has been reached", "usage_limit_reached", plan_type="plus", **more)


def test_a_spent_plan_cools_until_it_resets() -> None:
    """The error names the moment, the headers name the window."""
    headers = (
        (b"x-codex-primary-used-percent", b"100"),
        (b"x-codex-primary-window-minutes", b"300"),
        (b"x-codex-primary-reset-at", b"%d" % (T0 + 900)),
        (b"x-codex-secondary-used-percent", b"40"),
        (b"x-codex-secondary-window-minutes", b"10080"),
        (b"x-codex-secondary-reset-at", b"%d" % (T0 + 9000)),
    )
    outcome = judge(429, plan_spent(resets_at=int(T0) + 900), headers, login=True)
    assert (outcome.verdict, outcome.scope, outcome.until) == (Verdict.LIMITED, "", T0 + 900)
    assert {w.name: w.standing for w in outcome.windows} == {"5h": Standing.REJECTED, "7d": Standing.ALLOWED}
    assert outcome.reason == "HTTP 429: usage_limit_reached, window 5h"


@pytest.mark.parametrize(
    ("more", "headers", "until"),
    [
        ({"resets_at": int(T0) + 60}, (), T0 + 60),
        ({"resets_in_seconds": 90}, (), T0 + 90),
        ({}, ((b"retry-after", b"30"),), T0 + 30),
        ({}, (), None),
        ({"resets_at": "soon", "resets_in_seconds": None}, (), None),
    ],
)
def test_a_spent_plan_without_windows(more: dict[str, Any], headers: Headers, until: float | None) -> None:
    """It is a limit all the same, until whatever moment is known."""
    outcome = judge(429, plan_spent(**more), headers, login=True)
    assert (outcome.verdict, outcome.until) == (Verdict.LIMITED, until)


def test_a_spent_limit_of_one_model_cools_that_model() -> None:
    """The plan still has room for others."""
    headers = (
        (b"x-codex-primary-used-percent", b"10"),
        (b"x-codex-primary-window-minutes", b"300"),
        (b"x-codex-fox-primary-used-percent", b"100"),
        (b"x-codex-fox-primary-window-minutes", b"300"),
        (b"x-codex-fox-primary-reset-at", b"%d" % (T0 + 50)),
        (b"x-codex-fox-limit-name", b"gpt-5.1"),
        (b"x-codex-active-limit", b"fox"),
    )
    outcome = judge(429, plan_spent(resets_at=int(T0) + 50), headers, login=True)
    assert (outcome.verdict, outcome.scope, outcome.until) == (Verdict.LIMITED, "gpt-5.1", T0 + 50)


# ── Answers that are none ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        (
            (
                b'data: {"type":"response.created","response":{"error":null}}\n\ndata: {"type":"response.failed",'
                b'"response":{"error":{"code":"rate_limit_exceeded","message":"slow"}}}\n\n'
            ),
            Verdict.THROTTLED,
        ),
        (b'data: {"type":"error","code":"server_is_overloaded","message":"m"}\n\n', Verdict.OVERLOADED),
        (b'data: {"error":{"message":"boom","code":"server_error"}}\n\n', Verdict.BROKEN),
        (
            b'{"error":{"message":"spent","type":"usage_limit_reached","resets_in_seconds":5}}',
            Verdict.LIMITED,
        ),
        (b'[{"error":{"message":"key","code":401}}]', Verdict.UNAUTHORIZED),
        (b'data: {"type":"response.failed","response":{}}\n\n', Verdict.BROKEN),
    ],
)
def test_errors_inside_a_success(body: bytes, verdict: Verdict) -> None:
    """Whatever the status line promised."""
    assert judge(200, body).verdict is verdict


@pytest.mark.parametrize(
    ("status", "headers", "verdict"),
    [
        (200, ((b"content-type", b"text/event-stream"),), Verdict.SERVED),
        (200, ((b"content-type", b"text/html; charset=utf-8"),), Verdict.BROKEN),
        (204, (), Verdict.BROKEN),
        (302, (), Verdict.BROKEN),
    ],
)
def test_successes(status: int, headers: Headers, verdict: Verdict) -> None:
    """A page, a redirect or nothing is no answer."""
    assert judge(status, headers=headers).verdict is verdict


def test_a_page_that_forbids_is_something_in_between() -> None:
    """The account is not to blame."""
    assert judge(403, b"<!DOCTYPE html><html><title>Just a moment</title></html>").verdict is Verdict.BROKEN


@pytest.mark.parametrize(
    ("status", "verdict"), [(401, Verdict.UNAUTHORIZED), (429, Verdict.REFUSED), (500, Verdict.REFUSED)]
)
def test_side_calls_do_not_speak_against_the_account(status: int, verdict: Verdict) -> None:
    """Unless the credential is dead."""
    assert judge(status, error("m", "", "rate_limit_exceeded"), operation=Operation.PASS).verdict is verdict


@given(st.integers(100, 599), st.binary(max_size=200), st.booleans())
def test_any_answer_is_classified(status: int, body: bytes, login: bool) -> None:
    """Nothing raises, and a success is only what looks like one."""
    outcome = judge(status, body, login=login)
    assert outcome.verdict is not Verdict.SERVED or status == 200
