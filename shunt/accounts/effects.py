"""What each kind of answer does to the account that gave it: pure, one function per kind.

`EFFECTS` is the table. Durations are in `limits.cooldown`; the pool-wide side (overload of a whole
vendor) is in `transitions`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from attrs import evolve

from shunt.accounts.changed import changed
from shunt.accounts.outcomes import Outcome, Verdict
from shunt.accounts.state import AccountState, Cooldown
from shunt.limits import cooldown
from shunt.limits.windows import ALL_MODELS, Standing, Window

MOST_WINDOWS: Final = 32
"""Windows remembered per account; their names come from headers, which are not ours."""

Effect = Callable[[AccountState, Outcome, float], AccountState]
"""Account before, answer, jitter from 0 to 1 → account after."""

_BREAKS: Final = frozenset({Verdict.BROKEN, Verdict.UNREACHABLE, Verdict.TIMED_OUT})


def absorbed(account: AccountState, windows: Iterable[Window]) -> AccountState:
    """Take newer facts about windows, and end the cooldowns that they contradict."""
    known = dict(account.windows)
    for window in windows:
        older = known.get(window.name)
        if older is None or window.seen_at >= older.seen_at:
            known[window.name] = window
    while len(known) > MOST_WINDOWS:
        del known[min(known, key=lambda name: known[name].seen_at)]
    ended = [scope for scope, cooling in account.cooldowns.items() if _contradicted(cooling, known)]
    if not ended:
        return changed(account, windows=known)
    proof = max(known[name].seen_at for scope in ended for name in account.cooldowns[scope].windows)
    return changed(ending(account, ended, proof), windows=known)


def ending(account: AccountState, scopes: Iterable[str], at: float) -> AccountState:
    """End the cooldowns of these scopes at `at`, or when they ended by themselves if that was earlier."""
    ended = [account.cooldowns[scope] for scope in scopes if scope in account.cooldowns]
    if not ended:
        return account
    return changed(
        account,
        cooldowns={scope: cooling for scope, cooling in account.cooldowns.items() if scope not in scopes},
        cooled_until=max(account.cooled_until or 0.0, *(min(cooling.until, at) for cooling in ended)),
    )


def reclamped(cooling: Cooldown, now: float) -> Cooldown:
    """No cooldown lasts longer from any moment on than it was to last when it was set."""
    latest = now + min(cooling.longest, cooldown.LONGEST)
    if cooling.until <= latest and cooling.since <= now:
        return cooling
    return evolve(cooling, until=min(cooling.until, latest), since=min(cooling.since, now))


def _served(account: AccountState, outcome: Outcome, _jitter: float) -> AccountState:
    account = ending(absorbed(account, outcome.windows), {ALL_MODELS, outcome.scope}, outcome.at)
    windows = account.windows
    if any(window.rejects(outcome.scope, outcome.at) for window in windows.values()):
        # The vendor says "rejected" and serves all the same (paid extra usage, a header that lags):
        # the live answer wins, the window only ranks the account lower.
        windows = {
            name: evolve(window, standing=Standing.WARNING)
            if window.rejects(outcome.scope, outcome.at)
            else window
            for name, window in windows.items()
        }
    return changed(account, windows=windows, throttles=0, breaks=0, last_success=outcome.at)


def _limited(account: AccountState, outcome: Outcome, jitter: float) -> AccountState:
    account = absorbed(account, outcome.windows)
    refusing = [window for window in outcome.windows if window.rejects(window.scope, outcome.at)]
    if not refusing:
        # A reset that was missing, past or senseless. The vendor's own hint is the next best.
        if outcome.until is None or outcome.until <= outcome.at:
            return _throttled(account, outcome, jitter)
        return _bench(account, outcome, outcome.scope, cooldown.past_reset(outcome.until, jitter))
    scopes = {window.scope for window in refusing}
    if ALL_MODELS not in scopes and outcome.scope:
        # The family that was refused is the proof, whatever family the window's name points at.
        scopes.add(outcome.scope)
    for scope in sorted(scopes):
        behind = [window for window in refusing if window.scope == scope] or refusing
        until = max(window.resets_at or outcome.at for window in behind)
        names = tuple(window.name for window in behind)
        account = _bench(account, outcome, scope, cooldown.past_reset(until, jitter), names)
    return account


def _throttled(account: AccountState, outcome: Outcome, _jitter: float) -> AccountState:
    account = absorbed(account, outcome.windows)
    running = account.cooldowns.get(outcome.scope)
    # Requests that were under way together fail together; that is one throttle, not fifty.
    again = running is not None and running.cause is outcome.verdict and running.until > outcome.at
    count = max(account.throttles, 1) if again else account.throttles + 1
    hint = outcome.until - outcome.at if outcome.until is not None else 0.0
    pause = cooldown.clamp_retry_after(hint) if hint > 0 else cooldown.throttle(count - 1)
    return changed(_bench(account, outcome, outcome.scope, outcome.at + pause), throttles=count)


def _broke(account: AccountState, outcome: Outcome, _jitter: float) -> AccountState:
    account = absorbed(account, outcome.windows)
    running = account.cooldowns.get(ALL_MODELS)
    again = running is not None and running.cause in _BREAKS and running.until > outcome.at
    count = max(account.breaks, 1) if again else account.breaks + 1
    until = outcome.at + cooldown.broken(count - 1)
    return changed(_bench(account, outcome, ALL_MODELS, until), breaks=count)


def _benched(seconds: float) -> Effect:
    def effect(account: AccountState, outcome: Outcome, _jitter: float) -> AccountState:
        return _bench(absorbed(account, outcome.windows), outcome, ALL_MODELS, outcome.at + seconds)

    return effect


def _unauthorized(account: AccountState, outcome: Outcome, _jitter: float) -> AccountState:
    """Stay away until the login may be renewed again, where that is known."""
    hint = outcome.until - outcome.at if outcome.until is not None else 0.0
    pause = min(hint, cooldown.RENEWAL_MOST) if hint > 0 else cooldown.UNAUTHORIZED
    return _bench(absorbed(account, outcome.windows), outcome, ALL_MODELS, outcome.at + pause)


def _nothing(account: AccountState, _outcome: Outcome, _jitter: float) -> AccountState:
    # Not even windows are taken from it: a refusal of one request (long context, extra usage) comes
    # with a summary that says "rejected" although the account serves everything else.
    return account


EFFECTS: Final[Mapping[Verdict, Effect]] = {
    Verdict.SERVED: _served,
    Verdict.LIMITED: _limited,
    Verdict.THROTTLED: _throttled,
    Verdict.OVERLOADED: _benched(cooldown.OVERLOADED),
    # Recorded only when a refreshed token did not help, or nothing can be refreshed.
    Verdict.UNAUTHORIZED: _unauthorized,
    Verdict.FORBIDDEN: _benched(cooldown.FORBIDDEN),
    Verdict.BROKEN: _broke,
    Verdict.UNREACHABLE: _broke,
    Verdict.TIMED_OUT: _broke,
    Verdict.REFUSED: _nothing,
    Verdict.CUT: _nothing,
    Verdict.BUSY: _nothing,
}


def _bench(
    account: AccountState, outcome: Outcome, scope: str, until: float, windows: tuple[str, ...] = ()
) -> AccountState:
    """Begin a cooldown, or let a running one last as long as the later of both ends."""
    at = outcome.at
    cooling = Cooldown(
        until=min(until, at + cooldown.LONGEST),
        since=at,
        reason=_reason(outcome),
        cause=outcome.verdict,
        windows=windows,
    )
    running = account.cooldowns.get(scope)
    if running is not None and running.until > at:
        running = reclamped(running, at)
        # Newer words about the same windows replace the older ones even when they are shorter.
        corrected = bool(running.windows) and set(running.windows) <= set(windows)
        later = cooling if corrected or cooling.until >= running.until else running
        cooling = evolve(later, since=running.since)
    cooling = evolve(cooling, longest=cooling.until - at)
    return changed(account, cooldowns={**account.cooldowns, scope: cooling})


def _reason(outcome: Outcome) -> str:
    told = (outcome.reason, outcome.message if outcome.verdict is Verdict.FORBIDDEN else "")
    return ": ".join([outcome.verdict.value, *filter(None, told)])


def _contradicted(cooling: Cooldown, windows: Mapping[str, Window]) -> bool:
    """Whether every window behind a cooldown has since been seen with room in it."""
    return bool(cooling.windows) and all(
        (window := windows.get(name)) is not None
        and window.seen_at > cooling.since
        and window.standing is not Standing.REJECTED
        and (window.used is None or window.used < 1)
        for name in cooling.windows
    )
