"""What to tell a client for whom no account could answer: who is out, why, until when, what to do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from attrs import frozen

from shunt.accounts.outcomes import Outcome, Verdict
from shunt.errors import AccountUnavailable, AllCooling, Kind, NoAccounts, NotFound, NotOffered, ShuntError
from shunt.gateway.attempt import Attempt
from shunt.inference.inbound import Inbound, Operation
from shunt.routing.view import Candidate, Choice, Refusal, View
from shunt.wire.headers import listed

USEFULNESS: Final = (
    Verdict.FORBIDDEN,
    Verdict.OVERLOADED,
    Verdict.BUSY,
    Verdict.BROKEN,
    Verdict.TIMED_OUT,
    Verdict.UNREACHABLE,
    Verdict.UNAUTHORIZED,
)
"""Failed attempts, most useful to the client first."""


@frozen
class Situation:
    """Everything that is known when a request is given up."""

    whole: Choice
    """The decision for a request that has tried nothing yet."""
    view: View
    inbound: Inbound
    carriers: frozenset[str]
    """Accounts that could carry this call at all."""
    failures: tuple[Attempt, ...]
    now: float


class UpstreamFailed(ShuntError):
    """Every account failed; `attempt` is the failure that tells the client most."""

    kind = Kind.UPSTREAM

    def __init__(self, message: str, attempt: Attempt) -> None:
        super().__init__(message)
        self.attempt = attempt


class UpstreamSilent(UpstreamFailed):
    """The failure that tells most is that nothing came: 504, not 502."""

    kind = Kind.TIMEOUT


class LoginNeeded(ShuntError):
    """Accounts that could serve need their owner to log in again."""

    # 403: clients show its text at once, while they retry a 401 or 503 for minutes.
    kind = Kind.PERMISSION


class LoginsNotShared(ShuntError):
    """Only logins could serve, and the caller is not their owner."""

    kind = Kind.PERMISSION


def give_up(situation: Situation) -> ShuntError:
    """The error for the client. It names accounts by nickname, the cause and the next step."""
    inbound = situation.inbound
    known = situation.view.accounts
    if inbound.wanted_account and inbound.wanted_account not in known:
        return NotFound(
            f'no account is named "{inbound.wanted_account}" (x-shunt-account); known: {", ".join(known) or "none"}'
        )
    if not known:
        return NoAccounts(
            "no account is configured; add one with `shunt add-account NAME --login` (a subscription) "
            "or `shunt add-account NAME --api-key-env ANTHROPIC_API_KEY`"
        )
    if not situation.carriers:
        return NotOffered(_nobody_carries(inbound))
    spent = [attempt for attempt in situation.failures if attempt.outcome.verdict in _SPENT]
    if situation.failures and not spent:
        return _failed(situation.failures)
    return _refused(situation)


_SPENT: Final = (Verdict.LIMITED, Verdict.THROTTLED)


def _nobody_carries(inbound: Inbound) -> str:
    if inbound.operation is Operation.BATCHES:
        return "message batches need an account with an API key; logins do not offer them"
    return f"no account here can carry {inbound.method} {inbound.path} ({inbound.protocol})"


def _failed(failures: tuple[Attempt, ...]) -> UpstreamFailed:
    best = min(failures, key=lambda attempt: _rank(attempt.outcome.verdict))
    tried = "; ".join(f"{attempt.outcome.account}: {_told(attempt.outcome)}" for attempt in failures)
    kind = UpstreamSilent if best.outcome.verdict is Verdict.TIMED_OUT else UpstreamFailed
    return kind(f"no account could answer ({tried})", best)


def _told(outcome: Outcome) -> str:
    """A failure within a longer sentence."""
    return (outcome.message or outcome.reason or outcome.verdict).removesuffix(".")


def _rank(verdict: Verdict) -> int:
    return USEFULNESS.index(verdict) if verdict in USEFULNESS else len(USEFULNESS)


def _refused(situation: Situation) -> ShuntError:
    """Nothing was tried, or only spent accounts: say who is out and until when."""
    concerned = [
        candidate
        for candidate in situation.whole.candidates
        if candidate.refusal not in (None, *_UNCONCERNED)
    ]
    passing = [candidate for candidate in concerned if candidate.refusal in _PASSING]
    if passing:
        return AllCooling(_spent_words(situation, concerned, passing), situation.whole.retry_at)
    if any(candidate.refusal is Refusal.REAUTH_REQUIRED for candidate in concerned):
        return LoginNeeded(_login_words(concerned))
    if not concerned and any(each.refusal is Refusal.NOT_THEIRS for each in situation.whole.candidates):
        return LoginsNotShared(
            "this key reaches API-key accounts only, and none can carry the request: subscription logins are for "
            "the person who owns them. On a device of the owner, mark its key: owner_device = true in [[clients]]"
        )
    if not concerned:
        return AccountUnavailable("no account of the pools this key may use can carry the request")
    words = "; ".join(_words(candidate) for candidate in concerned)
    return AccountUnavailable(f"no account can serve this request: {words}")


_UNCONCERNED: Final = (
    Refusal.CANNOT_CARRY,
    Refusal.NOT_CHOSEN,
    Refusal.OTHER_POOL,
    # Of the owner's logins others learn nothing, unless there is nothing else to tell.
    Refusal.NOT_THEIRS,
)
_PASSING: Final = (Refusal.COOLING, Refusal.WINDOW_SPENT, Refusal.BUSY)


def _spent_words(situation: Situation, concerned: list[Candidate], passing: list[Candidate]) -> str:
    total = len(concerned)
    spent = [candidate for candidate in passing if _is_spent(situation, candidate)]
    if len(spent) == len(passing):
        state = "spent"
    elif all(candidate.refusal is Refusal.BUSY for candidate in passing):
        state = "busy"
    else:
        state = "not to be used now"
    if total > 1:
        words = f"{len(passing)} of {total} accounts are {state}"
    else:
        words = f"account {passing[0].account} is {state}"
    if situation.whole.retry_at is not None:
        words += f"; {'the first is back' if total > 1 else 'it is back'} {when(situation.whole.retry_at, situation.now)}"
    others = [candidate for candidate in concerned if candidate not in spent]
    return "; ".join([words, *(_words(candidate) for candidate in others)])


def _is_spent(situation: Situation, candidate: Candidate) -> bool:
    """Whether a window or a rate limit of the vendor stands in the way, not a fault."""
    if candidate.refusal is Refusal.WINDOW_SPENT:
        return True
    state = situation.view.state.accounts.get(candidate.account)
    if candidate.refusal is not Refusal.COOLING or state is None:
        return False
    return any(cooling.cause in _SPENT for cooling in state.cooldowns.values())


def _login_words(concerned: list[Candidate]) -> str:
    names = [c.account for c in concerned if c.refusal is Refusal.REAUTH_REQUIRED]
    return f"account {names[0]} needs a new login: run `shunt add-account {names[0]} --login`" + (
        f" (also: {', '.join(names[1:])})" if len(names) > 1 else ""
    )


def _words(candidate: Candidate) -> str:
    return f"{candidate.account} {candidate.refusal}" + (f" ({candidate.detail})" if candidate.detail else "")


def when(moment: float, now: float) -> str:
    """A moment for people: `at 14:05 (in 2 h 28 m)`, in the zone of this machine."""
    left = max(0, round(moment - now))
    local = datetime.fromtimestamp(moment, tz=UTC).astimezone()
    day = "" if left < 86_400 else local.strftime(" on %d %b")
    return f"at {local:%H:%M}{day} (in {duration(left)})"


def duration(seconds: int) -> str:
    """Seconds for people: `45 s`, `12 m`, `2 h 28 m`, `3 d 4 h`."""
    if seconds < 60:
        return f"{seconds} s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86_400
    if hours < 1:
        return f"{minutes} m"
    if days < 1:
        return f"{hours} h {minutes % 60} m"
    return f"{days} d {hours % 24} h"


def in_full(account: str, dropped: Sequence[str]) -> str:
    """Why a request is refused of which something would be left out."""
    return (
        f'The account "{account}" cannot be told all of this request in its protocol: {listed(dropped).decode()}. '
        "Leave that out, use an account that speaks the client's protocol, or set translation.strict to false."
    )
