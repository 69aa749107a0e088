"""What an answer in Anthropic's dialect means, for the account and for the request.

The order of questions: is it an error at all; is it about the credential, the vendor's health, a limit,
or the request. Only a generating call may speak against its account: a side call (a list of models, a
batch) has limits and rights of its own, and goes back to the client with whatever it was told.
"""

from __future__ import annotations

import re
from typing import Final

from attrs import frozen

from shunt.accounts.account import Account
from shunt.accounts.outcomes import Outcome, Verdict
from shunt.errors import Kind
from shunt.inference.failure import Failure
from shunt.inference.inbound import Inbound, Operation
from shunt.limits.durations import parse_retry_after
from shunt.limits.headers import SUMMARY, parse_anthropic
from shunt.limits.windows import ALL_MODELS, OVERAGE, Standing, Window
from shunt.models.families import family_of
from shunt.protocols.anthropic_messages.errors import decode_error
from shunt.providers.base import Answer
from shunt.wire import encoding, json, sse
from shunt.wire.headers import text
from shunt.wire.words import is_html, words

MESSAGE_LIMIT: Final = 300
"""Characters of the vendor's words that an outcome keeps."""
_READ: Final = 64 * 1024

_VERDICTS: Final = {
    Kind.AUTHENTICATION: Verdict.UNAUTHORIZED,
    Kind.BILLING: Verdict.FORBIDDEN,
    Kind.OVERLOADED: Verdict.OVERLOADED,
    Kind.INTERNAL: Verdict.BROKEN,
    Kind.NOT_OFFERED: Verdict.BROKEN,
    Kind.TIMEOUT: Verdict.BROKEN,
    Kind.UNAVAILABLE: Verdict.BROKEN,
    Kind.UPSTREAM: Verdict.BROKEN,
}
"""Kinds that need no second look; the others are about the request unless their words say otherwise."""

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
_GENERATING: Final = frozenset({Operation.GENERATE, Operation.COUNT_TOKENS, Operation.COMPACT})


@frozen
class _Reading:
    """One answer and what has been found out about it."""

    account: Account
    inbound: Inbound
    answer: Answer
    body: bytes
    """Its beginning, without content codings."""
    now: float
    windows: tuple[Window, ...]
    error: Failure | None
    """None for an answer without an error in it."""

    def outcome(
        self,
        verdict: Verdict,
        reason: str,
        *,
        scope: str = ALL_MODELS,
        until: float | None = None,
        windows: tuple[Window, ...] | None = None,
    ) -> Outcome:
        return Outcome(
            account=self.account.name,
            verdict=verdict,
            at=self.now,
            status=self.answer.status,
            scope=scope,
            until=until,
            windows=self.windows if windows is None else windows,
            reason=reason,
            message=words(self.error.message, MESSAGE_LIMIT) if self.error else "",
        )

    @property
    def told_until(self) -> float | None:
        """Epoch seconds until which `retry-after` asks to stay away."""
        wait = parse_retry_after(self.answer.headers, self.now)
        return None if wait is None else self.now + wait


def classify(account: Account, inbound: Inbound, answer: Answer, now: float) -> Outcome:
    """Say what an answer means, by its status, its headers and its words."""
    body = encoding.beginning(answer.body, text(answer.headers, b"content-encoding") or "", _READ)
    windows, error = parse_anthropic(answer.headers, now), _read_error(answer, body)
    reading = _Reading(account, inbound, answer, body, now, windows, error)
    if 300 <= answer.status < 400 or answer.status < 200:
        return reading.outcome(Verdict.BROKEN, f"HTTP {answer.status}: a redirect is never followed")
    if reading.error is None:
        return _served(reading)
    if inbound.operation not in _GENERATING:
        return _side_call(reading, reading.error)
    return _failed(reading, reading.error)


def _read_error(answer: Answer, body: bytes) -> Failure | None:
    """The error an answer holds, in its body or among the first events of its stream."""
    if answer.status >= 400:
        return decode_error(answer.status, answer.headers, body)
    for data in _documents(body):
        fields = json.value(data)
        if isinstance(fields, dict) and fields.get("type") == "error":
            return decode_error(answer.status, answer.headers, data)
    return None


def _documents(body: bytes) -> list[bytes]:
    """What a body may say: the data of the events it begins with, or itself."""
    if body.lstrip()[:1] == b"{":
        return [body]
    decoder = sse.Decoder()
    events = [*decoder.feed(body), decoder.close()]
    return [data for event in events if event is not None and (data := event.data)]


def _served(reading: _Reading) -> Outcome:
    """An answer without an error: what it must look like depends on what was asked."""
    status, kind = reading.answer.status, (text(reading.answer.headers, b"content-type") or "").lower()
    if reading.inbound.operation in _GENERATING:
        if status != 200:
            return reading.outcome(Verdict.BROKEN, f"HTTP {status} where an answer was due")
        if kind.startswith("text/html"):
            return reading.outcome(Verdict.BROKEN, "a web page where an answer was due")
        # Its success also ends a pause that concerned this model family alone.
        return reading.outcome(
            Verdict.SERVED, f"HTTP {status}", scope=family_of(reading.inbound.outline.model)
        )
    return reading.outcome(Verdict.SERVED, f"HTTP {status}")


def _side_call(reading: _Reading, error: Failure) -> Outcome:
    if error.kind is Kind.AUTHENTICATION:
        return reading.outcome(Verdict.UNAUTHORIZED, _reason(reading, error))
    if error.kind is Kind.RATE_LIMITED and (limited := _limited(reading)):
        return limited
    return reading.outcome(Verdict.REFUSED, _reason(reading, error))


def _failed(reading: _Reading, error: Failure) -> Outcome:
    reason = _reason(reading, error)
    if error.kind is Kind.RATE_LIMITED:
        return _rate_limited(reading, error)
    if error.kind is Kind.PERMISSION:
        return _forbidden(reading, error)
    verdict = _VERDICTS.get(error.kind)
    if verdict is Verdict.BROKEN and 400 <= reading.answer.status < 500:
        verdict = Verdict.REFUSED  # 408 and the like: the vendor is well
    if verdict is not None:
        return reading.outcome(verdict, reason, until=reading.told_until)
    if error.kind is Kind.INVALID_REQUEST and (found := _account_words(error)):
        return reading.outcome(Verdict.FORBIDDEN, f"{reason}: {found}")
    return reading.outcome(Verdict.REFUSED, reason)


def _rate_limited(reading: _Reading, error: Failure) -> Outcome:
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
        Verdict.THROTTLED,
        "429 without window facts",
        scope=family_of(reading.inbound.outline.model),
        until=reading.told_until,
    )


def _limited(reading: _Reading) -> Outcome | None:
    """Which windows refuse: those of the whole account first, else those of the model's family."""
    family = family_of(reading.inbound.outline.model)
    refusing = [w for w in reading.windows if w.name != OVERAGE and w.rejects(family, reading.now)]
    whole = [w for w in refusing if w.scope == ALL_MODELS]
    for scope, windows in ((ALL_MODELS, whole), (family, refusing)):
        if windows:
            last = max(windows, key=lambda window: window.resets_at or 0.0)
            label = "" if last.name == SUMMARY else f"{last.name}-"
            return reading.outcome(
                Verdict.LIMITED,
                f"anthropic-ratelimit-unified-{label}status: rejected",
                scope=scope,
                until=last.resets_at,
            )
    return None


def _names_rejected_window(answer: Answer) -> bool:
    """Whether a window of the plan is itself called rejected, not only the summary or the extra usage."""
    return any(
        (found := _WINDOW_STATUS.fullmatch(name.lower())) is not None
        and found[1] != OVERAGE.encode()
        and value.strip().lower() == b"rejected"
        for name, value in answer.headers
    )


def _forbidden(reading: _Reading, error: Failure) -> Outcome:
    """A 403 by its words: the token is dead, the account may not, or (in doubt) the request may not.

    In doubt, because otherwise one forbidden request would bench every account in turn.
    """
    reason = _reason(reading, error)
    if _ABOUT_TOKEN.search(error.message):
        return reading.outcome(Verdict.UNAUTHORIZED, reason)
    if not _ABOUT_REQUEST.search(error.message) and (found := _account_words(error)):
        return reading.outcome(Verdict.FORBIDDEN, f"{reason}: {found}")
    if is_html(reading.body.decode("utf-8", "replace")):
        return reading.outcome(
            Verdict.BROKEN, "403 by a web page, from something between here and the vendor"
        )
    return reading.outcome(Verdict.REFUSED, reason)


def _account_words(error: Failure) -> str:
    found = _ABOUT_ACCOUNT.search(error.message)
    return found[0].lower() if found else ""


def _reason(reading: _Reading, error: Failure) -> str:
    """The fact that decided: the status, or the error inside a 200."""
    status = reading.answer.status
    return f"HTTP {status}" if status >= 400 else f"{error.kind.value} error inside HTTP {status}"
