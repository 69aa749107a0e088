"""What went wrong with a request, in a record that holds neither secrets nor content."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from attrs import frozen

from shunt.accounts.outcomes import Verdict
from shunt.accounts.state import RequestRecord
from shunt.errors import ShuntError
from shunt.gateway.recording import Recording
from shunt.gateway.refusals import UpstreamFailed
from shunt.wire.headers import Headers

LONGEST: Final = 400
"""Characters kept of a message."""
QUOTED: Final = re.compile(r"(?P<mark>['\"`])(?:(?!(?P=mark)).){24,}(?P=mark)", re.DOTALL)
"""Long quotations in a vendor's words may be the conversation's own text."""
TOLD_HEADERS: Final = frozenset(
    {
        b"user-agent",
        b"content-type",
        b"content-encoding",
        b"content-length",
        b"anthropic-version",
        b"anthropic-beta",
        b"accept",
        b"accept-encoding",
        b"x-stainless-package-version",
        b"x-stainless-lang",
        b"x-stainless-runtime-version",
        b"x-shunt-wait",
        b"x-shunt-account",
    }
)
"""Headers whose values are kept; of all others only the name is."""

CURES: Final = {
    "rate_limited": "Wait for the reset, add an account, or let requests wait longer (routing.wait).",
    "overloaded": "The vendor is overloaded; trying again in a minute usually helps.",
    "authentication": "Log in again (`shunt add-account NAME --login`), or look at the key; `shunt doctor` says which.",
    "billing": "Look at the account's subscription or credit balance at the vendor.",
    "permission": "The account lacks a permission; `shunt doctor` and the vendor's console tell more.",
    "invalid_request": "The request itself was refused; another account would refuse it, too.",
    "context_overflow": "The conversation is too long for the model: compact it, or choose a larger one.",
    "too_large": "The request is too large; server.max_body_mb is the limit here.",
    "timeout": "The vendor stayed silent; server.request_timeout_secs is the limit here.",
    "upstream": "The vendor's side failed; `shunt doctor` checks the way there.",
    "unavailable": "No account can serve now; `shunt status` says when the first is back.",
    "not_found": "Check the model's name, and whether any account offers it.",
    "not_offered": "No account here can carry this call; an account of another kind could.",
    "internal": "A mistake in shunt: the log has its traceback, and `shunt report` packs a bundle.",
}
_VERDICTS: Final = {
    Verdict.LIMITED: "rate_limited",
    Verdict.THROTTLED: "rate_limited",
    Verdict.OVERLOADED: "overloaded",
    Verdict.UNAUTHORIZED: "authentication",
    Verdict.FORBIDDEN: "billing",
    Verdict.BROKEN: "upstream",
    Verdict.UNREACHABLE: "upstream",
    Verdict.TIMED_OUT: "timeout",
    Verdict.REFUSED: "invalid_request",
    Verdict.CUT: "upstream",
}


@frozen
class FailureNote:
    """One failed request."""

    id: str
    at: float
    """Epoch seconds of its end."""
    account: str
    """The account tried last."""
    model: str
    status: int
    outcome: str
    kind: str
    message: str
    cure: str
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    """Names, and the values of harmless ones."""
    body_bytes: int

    def document(self) -> dict[str, Any]:
        """As the list of errors tells it."""
        return {
            "id": self.id,
            "at": self.at,
            "account": self.account or None,
            "model": self.model,
            "status": self.status,
            "outcome": self.outcome,
            "kind": self.kind,
            "message": self.message,
            "cure": self.cure,
        }

    def sent(self) -> dict[str, Any]:
        """What the client had sent, without what it said."""
        return {
            "method": self.method,
            "path": self.path,
            "headers": [list(pair) for pair in self.headers],
            "body_bytes": self.body_bytes,
        }


def note_of(
    recording: Recording, record: RequestRecord, at: float, clean: Callable[[str], str]
) -> FailureNote:
    """The note of a request that failed. `at` is epoch seconds; `clean` blanks secrets."""
    kind, message = _told(recording)
    tried = recording.exchange.account if recording.exchange is not None else ""
    inbound = recording.inbound
    return FailureNote(
        id=record.id,
        at=at,
        account=record.account or tried,
        model=record.model,
        status=record.status,
        outcome=record.outcome,
        kind=kind,
        message=harmless(clean(message)),
        cure=CURES.get(kind, ""),
        method=inbound.method,
        path=inbound.path,
        headers=told_headers(inbound.headers),
        body_bytes=len(inbound.body),
    )


def _told(recording: Recording) -> tuple[str, str]:
    """(kind, message)."""
    if recording.progress.broke:
        tap = recording.tap
        failure = tap.failure if tap is not None else None
        return (failure.kind if failure is not None else "upstream"), recording.progress.broke
    error, attempt = recording.error, recording.attempt
    if attempt is not None and (error is None or isinstance(error, UpstreamFailed)):
        outcome = attempt.outcome
        words = outcome.message or (str(error) if error is not None else outcome.reason)
        return _VERDICTS.get(outcome.verdict, "upstream"), words
    if isinstance(error, ShuntError):
        return error.kind, str(error)
    return "internal", "the request ended without an answer"


def harmless(message: str) -> str:
    """A message without long quotations, on one line."""
    plain = QUOTED.sub(lambda found: f"{found['mark']}…{found['mark']}", " ".join(message.split()))
    return plain if len(plain) <= LONGEST else plain[:LONGEST] + "…"


def told_headers(headers: Headers) -> tuple[tuple[str, str], ...]:
    """Header names, and the values of those that cannot hold a secret."""
    return tuple(
        (
            name.decode("latin1").lower(),
            value.decode("latin1")[:200] if name.lower() in TOLD_HEADERS else "…",
        )
        for name, value in headers
    )
