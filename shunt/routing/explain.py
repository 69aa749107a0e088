"""Why a request went where it went: a routing decision as a small record of plain facts.

The records' fields are those of the documents that views and the history get, see `telemetry.documents`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from attrs import frozen

from shunt.accounts.state import AccountState, Cooldown, PoolState
from shunt.limits.windows import ALL_MODELS, Window
from shunt.routing.view import Candidate, Choice, Refusal


@frozen
class Fact:
    """What refused an account, and how that is known."""

    kind: str
    """`window`, `cooldown`, `credential`, `owner` (a command or the configuration) or `request`."""
    what: str
    """In words: the window and its figures, the answer that began a cooldown."""
    source: str | None = None
    """`header`, `body`, `status`, `usage endpoint`, `probe`; None where the fact is our own."""
    seen_at: float | None = None
    """Epoch seconds."""
    until: float | None = None
    """Epoch seconds at which it ends by itself."""


@frozen
class Considered:
    """One account as a decision saw it."""

    account: str
    chosen: bool
    score: tuple[float, ...] = ()
    """The strategy's sort key to six places, greatest first; empty where the strategy was not asked."""
    refusal: str | None = None
    detail: str = ""
    back_at: float | None = None
    """Epoch seconds."""
    fact: Fact | None = None


@frozen
class Decision:
    """One routing decision."""

    at: float
    """Epoch seconds."""
    account: str | None
    """None when no account could take the request."""
    why: str
    retry_at: float | None
    """Without an account: when the first is back, in epoch seconds."""
    borrowed: bool
    """The conversation belongs elsewhere and goes back there."""
    candidates: tuple[Considered, ...]
    """Every account once, in the order of the configuration."""


@frozen
class Noted:
    """A decision before anybody asked for its reasons: references, nothing worked out."""

    at: float
    choice: Choice
    state: PoolState
    """The state it was made from."""
    families: Mapping[str, str]
    """Account name → model family its limits are kept by."""

    def explained(self) -> Decision:
        """Work it out."""
        choice = self.choice
        return Decision(
            at=self.at,
            account=choice.account,
            why=choice.why,
            retry_at=choice.retry_at,
            borrowed=choice.borrowed,
            candidates=tuple([self._considered(candidate) for candidate in choice.candidates]),
        )

    def _considered(self, candidate: Candidate) -> Considered:
        chosen = candidate.account == self.choice.account
        if candidate.refusal is None:
            if not chosen and not candidate.score:
                return _passed_over(candidate.account)
            return Considered(
                candidate.account, chosen, tuple([round(figure, 6) for figure in candidate.score])
            )
        state = self.state.accounts.get(candidate.account) or AccountState(candidate.account)
        return Considered(
            account=candidate.account,
            chosen=chosen,
            refusal=candidate.refusal.value,
            detail=candidate.detail,
            back_at=candidate.back_at,
            fact=fact_of(candidate, state, self.families.get(candidate.account, ALL_MODELS), self.at),
        )


@lru_cache(1024)
def _passed_over(account: str) -> Considered:
    """An account that could have served, where nobody asked how well: most of many, in most decisions."""
    return Considered(account, chosen=False)


_OWNER = {
    Refusal.PAUSED: "paused by its owner",
    Refusal.OTHER_POOL: "the client's key does not open its pool",
    Refusal.MODEL_NOT_ALLOWED: "the model is not on the account's list",
    Refusal.NOT_CHOSEN: "the request, a pin or its conversation asks for another account",
}
_REQUEST = {
    Refusal.CANNOT_CARRY: "its provider has no such call or model",
    Refusal.BUSY: "it has as many requests running as it may",
    Refusal.TRIED: "this request tried it before",
}


def fact_of(candidate: Candidate, state: AccountState, family: str, now: float) -> Fact | None:
    """The fact behind a refusal; None for an account that was not refused."""
    refusal = candidate.refusal
    if refusal is None:
        return None
    if refusal is Refusal.WINDOW_SPENT:
        window = _spent(state, family, now)
        if window is not None:
            return _of_window(window)
    if refusal is Refusal.COOLING:
        cooling = _cooldown(state, family, now)
        if cooling is not None:
            return _of_cooldown(cooling, state)
    if refusal in _OWNER:
        return Fact("owner", _OWNER[refusal])
    if refusal in _REQUEST:
        return Fact("request", _REQUEST[refusal])
    kind = "credential" if refusal in (Refusal.NO_CREDENTIAL, Refusal.REAUTH_REQUIRED) else "request"
    return Fact(kind, candidate.detail or refusal.value, until=candidate.back_at)


def _of_window(window: Window) -> Fact:
    used = "" if window.used is None else f", {window.used:.0%} used"
    return Fact(
        kind="window",
        what=f"{window.name} window {window.standing.value}{used}",
        source=window.source.value,
        seen_at=window.seen_at,
        until=window.resets_at,
    )


def _of_cooldown(cooling: Cooldown, state: AccountState) -> Fact:
    behind = [state.windows[name] for name in cooling.windows if name in state.windows]
    source = behind[0].source.value if behind else _source(cooling.reason)
    return Fact(
        kind="cooldown",
        what=cooling.reason,
        source=source if cooling.cause is not None and not _is_silent(cooling) else None,
        seen_at=cooling.since,
        until=cooling.until,
    )


def _source(reason: str) -> str:
    """Where an answer said what began a cooldown, told by the reason's own words."""
    if "ratelimit" in reason or "retry-after" in reason:
        return "header"
    return "body" if "error inside" in reason or "HTTP" not in reason else "status"


def _is_silent(cooling: Cooldown) -> bool:
    """No answer came at all."""
    return cooling.cause is not None and cooling.cause.value in ("unreachable", "timed_out")


def _spent(state: AccountState, family: str, now: float) -> Window | None:
    rejecting = [window for window in state.windows.values() if window.rejects(family, now)]
    return max(rejecting, key=lambda window: window.resets_at or 0.0, default=None)


def _cooldown(state: AccountState, family: str, now: float) -> Cooldown | None:
    found = (state.cooldowns.get(scope) for scope in (ALL_MODELS, family))
    running = [cooling for cooling in found if cooling is not None and cooling.until > now]
    return max(running, key=lambda cooling: cooling.until, default=None)
