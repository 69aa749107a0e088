"""What an error in OpenAI's dialect means, for the account and for the request.

OpenAI itself, the ChatGPT backend and every server that is like them: they share the error document, and
`type` or `code` in it says more than the status.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from shunt.accounts.account import Account
from shunt.accounts.outcomes import Outcome, Verdict
from shunt.errors import Kind
from shunt.inference.failure import Failure
from shunt.inference.inbound import Inbound, Operation
from shunt.limits.codex import refused
from shunt.limits.durations import parse_duration
from shunt.limits.windows import ALL_MODELS, Window
from shunt.protocols.openai_errors import decode_error
from shunt.providers.base import Answer
from shunt.providers.reading import Reading, beginning, by_kind, by_windows, documents, judged
from shunt.wire import json
from shunt.wire.headers import Headers, text

ParseLimits = Callable[[Headers, float], tuple[Window, ...]]

_PLAN_SPENT: Final = frozenset(
    {
        "usage_limit_reached",
        "workspace_member_usage_limit_reached",
        "workspace_owner_usage_limit_reached",
        "workspace_member_credits_depleted",
        "workspace_owner_credits_depleted",
    }
)
"""A login's plan is spent until a moment that the error names."""
_NOT_ENTITLED: Final = frozenset(
    {
        "usage_not_included",
        "insufficient_quota",
        "billing_hard_limit_reached",
        "billing_not_active",
        "account_deactivated",
        "access_terminated",
        "organization_restricted",
    }
)
"""The account may not, and waiting does not help."""
_FULL: Final = re.compile(r"(?:model is|currently) at capacity|overloaded|over capacity", re.IGNORECASE)
_ABOUT_REQUEST: Final = re.compile(r"request too large|reduce (?:the|your) (?:length|prompt)", re.IGNORECASE)
"""A limit that this request alone exceeds: the account is well, and waiting does not help."""
_ABOUT_ACCOUNT: Final = re.compile(
    r"exceeded your current quota|plan and billing|insufficient (?:credits?|balance|funds|quota)|credit balance"
    r"|(?:organi[sz]ation|account|workspace|project|api key|subscription)\s(?:\w+\s){0,3}"
    r"(?:disabled|suspended|restricted|banned|deactivated|terminated|on hold|lapsed|expired|inactive"
    r"|cancell?ed|not active)"
    r"|payment (?:is |method )?(?:required|overdue|failed)",
    re.IGNORECASE,
)
_ABOUT_TOKEN: Final = re.compile(
    r"token (?:has been |was |is |has )?(?:been )?(?:revoked|expired|invalid\w*)|(?:invalid|incorrect) (?:api key|token)"
    r"|could not (?:validate|parse) your token",
    re.IGNORECASE,
)
_AGAIN_IN: Final = re.compile(r"try again in ((?:[0-9.]+ ?(?:ms|s|m|h|d)(?![a-z]) ?)+)", re.IGNORECASE)
"""`Please try again in 6m0s.`"""
_HELD: Final = "active-limit"
"""Header in which the ChatGPT backend names the limit that an answer was counted for."""


def classifier(parse_limits: ParseLimits) -> Callable[[Account, Inbound, Answer, float], Outcome]:
    """The `classify` of a provider whose headers tell of limits in this way."""

    def classify(account: Account, inbound: Inbound, answer: Answer, now: float) -> Outcome:
        body = beginning(answer)
        windows, error = parse_limits(answer.headers, now), _read_error(answer, body)
        return judged(Reading(account, inbound, answer, body, now, windows, error), _failed, _limited)

    return classify


def _read_error(answer: Answer, body: bytes) -> Failure | None:
    """The error an answer holds, in its body or among the first events of its stream."""
    if answer.status >= 400:
        return decode_error(answer.status, answer.headers, body)
    told = _told(body)
    return None if told is None else decode_error(answer.status, answer.headers, json.encode({"error": told}))


def _told(body: bytes) -> Mapping[str, Any] | None:
    """The error object that a body or the first events of a stream hold."""
    for data in documents(body):
        document = json.value(data)
        if isinstance(document, list) and document:
            document = document[0]  # Gemini's endpoint wraps its errors so
        if not isinstance(document, dict):
            continue
        response = document.get("response")
        failed = document.get("type") == "response.failed" and isinstance(response, dict)
        error = response.get("error") if failed and isinstance(response, dict) else document.get("error")
        if isinstance(error, dict):
            return error
        if error or failed:
            return {"message": error} if isinstance(error, str) else {}
        if document.get("type") == "error":
            return document
    return None


def _failed(reading: Reading, error: Failure) -> Outcome:
    names = _names(reading)
    if names & _PLAN_SPENT:
        return _limited(reading) or reading.outcome(Verdict.LIMITED, _cause(reading, names & _PLAN_SPENT))
    if names & _NOT_ENTITLED:
        return reading.outcome(Verdict.FORBIDDEN, _cause(reading, names & _NOT_ENTITLED))
    if error.kind is Kind.RATE_LIMITED:
        return _rate_limited(reading, error)
    if error.kind is Kind.PERMISSION:
        return _forbidden(reading, error)
    if error.kind in (Kind.UNAVAILABLE, Kind.INTERNAL) and _FULL.search(error.message):
        return reading.outcome(Verdict.OVERLOADED, reading.reason, until=reading.told_until)
    if known := by_kind(reading, error):
        return known
    if error.kind is Kind.INVALID_REQUEST and (found := _ABOUT_ACCOUNT.search(error.message)):
        return reading.outcome(Verdict.FORBIDDEN, f"{reading.reason}: {found[0].lower()}")
    return reading.outcome(Verdict.REFUSED, reading.reason)


def _rate_limited(reading: Reading, error: Failure) -> Outcome:
    if _ABOUT_REQUEST.search(error.message):
        return reading.outcome(Verdict.REFUSED, "429 about this request: too large for the rate limit")
    if found := _ABOUT_ACCOUNT.search(error.message):
        return reading.outcome(Verdict.FORBIDDEN, f"429: {found[0].lower()}")
    if _FULL.search(error.message):
        return reading.outcome(Verdict.OVERLOADED, reading.reason, until=reading.told_until)
    if reading.inbound.operation is Operation.COUNT_TOKENS:
        return reading.outcome(Verdict.REFUSED, "429 of token counting")
    return reading.outcome(
        Verdict.THROTTLED,
        "429 without window facts",
        scope=reading.family,
        until=reading.told_until or _until_in_words(reading, error),
    )


def _limited(reading: Reading) -> Outcome | None:
    """The windows of a login's plan that refuse."""
    names = _names(reading) & _PLAN_SPENT
    if not names:
        return None
    told = _told(reading.body) or {}
    now = reading.now
    resets_at, wait = _moment(told.get("resets_at")), _moment(told.get("resets_in_seconds"))
    moment = resets_at or (now + wait if wait else reading.told_until)
    windows = refused(reading.windows, moment, _scope(reading), now)
    return by_windows(reading, windows, lambda window: f"{_cause(reading, names)}, window {window.name}")


def _scope(reading: Reading) -> str:
    """Whose windows a refusal can mean: those of the family, unless the whole account's limit was counted."""
    held = (text(reading.answer.headers, f"x-codex-{_HELD}".encode()) or "").lower()
    return ALL_MODELS if held in ("codex", "premium") else reading.family


def _forbidden(reading: Reading, error: Failure) -> Outcome:
    """A 403 by its words; in doubt it is about the request, or one would bench every account in turn."""
    if _ABOUT_TOKEN.search(error.message):
        return reading.outcome(Verdict.UNAUTHORIZED, reading.reason)
    if found := _ABOUT_ACCOUNT.search(error.message):
        return reading.outcome(Verdict.FORBIDDEN, f"{reading.reason}: {found[0].lower()}")
    if reading.is_page:
        return reading.outcome(
            Verdict.BROKEN, "403 by a web page, from something between here and the vendor"
        )
    return reading.outcome(Verdict.REFUSED, reading.reason)


def _names(reading: Reading) -> frozenset[str]:
    """What the error calls itself."""
    told = _told(reading.body) or {}
    return frozenset(name for key in ("type", "code") if isinstance(name := told.get(key), str))


def _cause(reading: Reading, names: frozenset[str]) -> str:
    return f"{reading.reason}: {min(names)}"


def _until_in_words(reading: Reading, error: Failure) -> float | None:
    found = _AGAIN_IN.search(error.message)
    wait = parse_duration(found[1].strip()) if found else None
    return reading.now + wait if wait else None


def _moment(found: Any) -> float | None:
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        return None
    return float(found) if 0 < found < 1e12 else None
