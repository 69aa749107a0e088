"""What is asked of every answer, whatever the dialect; a dialect's own module says what its errors mean.

The order of questions: is it an error at all; is it about the credential, the vendor's health, a limit,
or the request. Only a generating call may speak against its account: a side call (a list of models, a
batch) has limits and rights of its own, and goes back to the client with whatever it was told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from attrs import frozen

from shunt.accounts.account import Account
from shunt.accounts.outcomes import Outcome, Verdict
from shunt.errors import Kind
from shunt.inference.failure import Failure
from shunt.inference.inbound import Inbound, Operation
from shunt.limits.durations import parse_retry_after
from shunt.limits.windows import ALL_MODELS, OVERAGE, Window
from shunt.models.families import family_of
from shunt.providers.base import Answer
from shunt.wire import encoding, sse
from shunt.wire.headers import text
from shunt.wire.words import is_html, words

MESSAGE_LIMIT: Final = 300
"""Characters of the vendor's words that an outcome keeps."""
_READ: Final = 64 * 1024

VERDICTS: Final = {
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

_GENERATING: Final = frozenset({Operation.GENERATE, Operation.COUNT_TOKENS, Operation.COMPACT})


@frozen
class Reading:
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

    @property
    def family(self) -> str:
        """The family of models that was asked for."""
        return family_of(self.inbound.outline.model)

    @property
    def told_until(self) -> float | None:
        """Epoch seconds until which `retry-after` asks to stay away."""
        wait = parse_retry_after(self.answer.headers, self.now)
        return None if wait is None else self.now + wait

    @property
    def reason(self) -> str:
        """The fact that decided: the status, or the error inside a 200."""
        status = self.answer.status
        if status >= 400 or self.error is None:
            return f"HTTP {status}"
        return f"{self.error.kind.value} error inside HTTP {status}"

    @property
    def is_page(self) -> bool:
        """Whether a web page came, from something between here and the vendor."""
        return is_html(self.body.decode("utf-8", "replace"))

    def outcome(
        self,
        verdict: Verdict,
        reason: str,
        *,
        scope: str = ALL_MODELS,
        until: float | None = None,
        windows: tuple[Window, ...] | None = None,
    ) -> Outcome:
        """What it came to."""
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


Judge = Callable[[Reading, Failure], Outcome]


def beginning(answer: Answer) -> bytes:
    """The beginning of an answer's body, without content codings."""
    return encoding.beginning(answer.body, text(answer.headers, b"content-encoding") or "", _READ)


def documents(body: bytes) -> list[bytes]:
    """What a body may say: the data of the events it begins with, or itself."""
    if body.lstrip()[:1] in (b"{", b"["):
        return [body]
    decoder = sse.Decoder()
    events = [*decoder.feed(body), decoder.close()]
    return [data for event in events if event is not None and (data := event.data)]


def judged(reading: Reading, failed: Judge, limited: Callable[[Reading], Outcome | None]) -> Outcome:
    """What an answer means; `failed` and `limited` say it of errors, in the dialect's own way."""
    status, error = reading.answer.status, reading.error
    if 300 <= status < 400 or status < 200:
        return reading.outcome(Verdict.BROKEN, f"HTTP {status}: a redirect is never followed")
    if error is None:
        return _served(reading)
    if reading.inbound.operation in _GENERATING:
        return failed(reading, error)
    if error.kind is Kind.AUTHENTICATION:
        return reading.outcome(Verdict.UNAUTHORIZED, reading.reason)
    refused = limited(reading) if error.kind is Kind.RATE_LIMITED else None
    return refused or reading.outcome(Verdict.REFUSED, reading.reason)


def by_kind(reading: Reading, error: Failure) -> Outcome | None:
    """What an error's kind alone says; None when its words have to be looked at."""
    verdict = VERDICTS.get(error.kind)
    if verdict is Verdict.BROKEN and 400 <= reading.answer.status < 500:
        verdict = Verdict.REFUSED  # 408 and the like: the vendor is well
    if verdict is None:
        return None
    return reading.outcome(verdict, reading.reason, until=reading.told_until)


def by_windows(
    reading: Reading, windows: Iterable[Window], reason: Callable[[Window], str]
) -> Outcome | None:
    """Which windows refuse: those of the whole account first, else those of the model's family."""
    told = tuple(windows)
    refusing = [w for w in told if w.name != OVERAGE and w.rejects(reading.family, reading.now)]
    whole = [w for w in refusing if w.scope == ALL_MODELS]
    for scope, found in ((ALL_MODELS, whole), (reading.family, refusing)):
        if found:
            last = max(found, key=lambda window: window.resets_at or 0.0)
            return reading.outcome(
                Verdict.LIMITED, reason(last), scope=scope, until=last.resets_at, windows=told
            )
    return None


def _served(reading: Reading) -> Outcome:
    """An answer without an error: what it must look like depends on what was asked."""
    status, kind = reading.answer.status, (text(reading.answer.headers, b"content-type") or "").lower()
    if reading.inbound.operation not in _GENERATING:
        return reading.outcome(Verdict.SERVED, f"HTTP {status}")
    if status != 200:
        return reading.outcome(Verdict.BROKEN, f"HTTP {status} where an answer was due")
    if kind.startswith("text/html"):
        return reading.outcome(Verdict.BROKEN, "a web page where an answer was due")
    # Its success also ends a pause that concerned this model family alone.
    return reading.outcome(Verdict.SERVED, f"HTTP {status}", scope=reading.family)
