"""What an error in Anthropic's dialect means, for the account and for the request."""

from __future__ import annotations

import re
from typing import Final

from shunt.accounts.account import Account
from shunt.accounts.outcomes import Outcome, Verdict
from shunt.errors import Kind
from shunt.inference.failure import Failure
from shunt.inference.inbound import Inbound, Operation
from shunt.limits.headers import SUMMARY, parse_anthropic
from shunt.limits.windows import OVERAGE, Standing, Window
from shunt.protocols.anthropic_messages.errors import decode_error
from shunt.providers.base import Answer
from shunt.providers.reading import Reading, beginning, by_kind, by_windows, documents, judged
from shunt.wire import json

_ABOUT_REQUEST: Final = re.compile(
    r"extra usage (?:is |are )?required"
    r"|usage credits? (?:is |are )?required"
    r"|requires? (?:extra usage|usage credits?)"
    r"|long[- ]context"
    r"|fast mode",
    re.IGNORECASE,
)
"""Wishes that an account grants only for extra money: another request is served at the same moment."""

_ABOUT_ACCOUNT: Final = re.compile(
    r"credit balance|out of (?:extra usage|usage credits|credits)|(?:specified|monthly) (?:API )?(?:usage|spend)"
    r"|(?:organi[sz]ation|account|workspace|api key|subscription)\s(?:\w+\s){0,3}"
    r"(?:disabled|suspended|restricted|banned|deactivated|terminated|on hold|lapsed|expired|inactive|cancell?ed)"
    r"|(?:no|without an?) active subscription|requires? an? (?:active )?subscription"
    r"|not (?:currently )?(?:allowed|permitted|enabled) for (?:this|your) (?:organi[sz]ation|account|workspace)"
    r"|oauth (?:\w+\s){0,4}not (?:currently )?(?:allowed|supported|permitted)"
    r"|scope requirement|payment (?:is |method )?(?:required|overdue|failed)",
    re.IGNORECASE,
)
_ABOUT_TOKEN: Final = re.compile(
    r"token (?:has been |was |is |has )?(?:been )?(?:revoked|expired|invalid)|revoked token|invalid bearer",
    re.IGNORECASE,
)

_WINDOW_STATUS: Final = re.compile(rb"anthropic-ratelimit-unified-(.+)-status")


def classify(account: Account, inbound: Inbound, answer: Answer, now: float) -> Outcome:
    """Say what an answer means, by its status, its headers and its words."""
    body = beginning(answer)
    windows, error = parse_anthropic(answer.headers, now), _read_error(answer, body)
    return judged(Reading(account, inbound, answer, body, now, windows, error), _failed, _limited)


def _read_error(answer: Answer, body: bytes) -> Failure | None:
    """The error an answer holds, in its body or among the first events of its stream."""
    if answer.status >= 400:
        return decode_error(answer.status, answer.headers, body)
    for data in documents(body):
        fields = json.value(data)
        if isinstance(fields, dict) and fields.get("type") == "error":
            return decode_error(answer.status, answer.headers, data)
    return None


def _failed(reading: Reading, error: Failure) -> Outcome:
    if error.kind is Kind.RATE_LIMITED:
        return _rate_limited(reading, error)
    if error.kind is Kind.PERMISSION:
        return _forbidden(reading, error)
    if known := by_kind(reading, error):
        return known
    if error.kind is Kind.INVALID_REQUEST and (found := _account_words(error)):
        return reading.outcome(Verdict.FORBIDDEN, f"{reading.reason}: {found}")
    return reading.outcome(Verdict.REFUSED, reading.reason)


def _rate_limited(reading: Reading, error: Failure) -> Outcome:
    """The four kinds of 429: about the account's standing, the request, a window, or nothing known."""
    if not _names_rejected_window(reading.answer):
        if found := _ABOUT_REQUEST.search(error.message):
            open_windows = tuple(w for w in reading.windows if w.standing is not Standing.REJECTED)
            return reading.outcome(
                Verdict.REFUSED, f"429 about this request: {found[0]}", windows=open_windows
            )
        if found_account := _account_words(error):
            return reading.outcome(Verdict.FORBIDDEN, f"429: {found_account}")
    if limited := _limited(reading):
        return limited
    if reading.inbound.operation is Operation.COUNT_TOKENS:
        # Counting has a rate limit of its own; answers can still be had.
        return reading.outcome(Verdict.REFUSED, "429 of token counting")
    return reading.outcome(
        Verdict.THROTTLED, "429 without window facts", scope=reading.family, until=reading.told_until
    )


def _limited(reading: Reading) -> Outcome | None:
    """Which windows refuse, if any does."""

    def reason(window: Window) -> str:
        label = "" if window.name == SUMMARY else f"{window.name}-"
        return f"anthropic-ratelimit-unified-{label}status: rejected"

    return by_windows(reading, reading.windows, reason)


def _names_rejected_window(answer: Answer) -> bool:
    """Whether a window of the plan is itself called rejected, not only the summary or the extra usage."""
    return any(
        (found := _WINDOW_STATUS.fullmatch(name.lower())) is not None
        and found[1] != OVERAGE.encode()
        and value.strip().lower() == b"rejected"
        for name, value in answer.headers
    )


def _forbidden(reading: Reading, error: Failure) -> Outcome:
    """A 403 by its words: the token is dead, the account may not, or (in doubt) the request may not.

    In doubt, because otherwise one forbidden request would bench every account in turn.
    """
    if _ABOUT_TOKEN.search(error.message):
        return reading.outcome(Verdict.UNAUTHORIZED, reading.reason)
    if not _ABOUT_REQUEST.search(error.message) and (found := _account_words(error)):
        return reading.outcome(Verdict.FORBIDDEN, f"{reading.reason}: {found}")
    if reading.is_page:
        return reading.outcome(
            Verdict.BROKEN, "403 by a web page, from something between here and the vendor"
        )
    return reading.outcome(Verdict.REFUSED, reading.reason)


def _account_words(error: Failure) -> str:
    found = _ABOUT_ACCOUNT.search(error.message)
    return found[0].lower() if found else ""
