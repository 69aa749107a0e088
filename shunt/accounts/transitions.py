"""How facts change what is known: pure functions from one PoolState to the next.

Answers (`apply`; the table of their effects is in `effects`), the owner's commands, the usage
endpoint and the passing of time have a function each. A name that is not in the state (an account
removed while one of its streams ran) changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from attrs import evolve

from shunt.accounts.allowance import with_use
from shunt.accounts.changed import changed
from shunt.accounts.credential import Identity
from shunt.accounts.effects import EFFECTS, absorbed, ending, reclamped
from shunt.accounts.outcomes import Outcome, Verdict
from shunt.accounts.state import AccountState, Custody, DayTotals, PoolState, RequestRecord
from shunt.limits import cooldown
from shunt.limits.windows import Standing, Window

OVERLOAD_MEMORY: Final = 60.0
"""Seconds for which an overload answer counts when judging whether the whole vendor is overloaded."""
MOST_RECENT: Final = 200
MOST_DAYS: Final = 100
COUNTED: Final = frozenset({"generate", "compact"})
"""Operations that count against a client's day."""
CLOCK_SLACK: Final = 60.0
"""Seconds by which a moment may lie ahead before it is taken for the trace of a clock set back."""

Overloads = Mapping[str, tuple[tuple[str, float], ...]]

_DELIVERED: Final = frozenset({Verdict.SERVED, Verdict.REFUSED, Verdict.CUT})
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


# ── answers ───────────────────────────────────────────────────────────────────────────────────────


def apply(
    state: PoolState, outcome: Outcome, *, jitter: float, provider: str = "", peers: int = 1
) -> PoolState:
    """Account for one answer. `jitter` is from 0 to 1.

    `provider` names the account's vendor and `peers` counts the vendor's accounts, this one included:
    when most of several are overloaded within a minute it is the vendor's trouble, and none is benched.
    """
    account = state.accounts.get(outcome.account)
    if account is None:
        return state
    overloads = _overloads(state.overloads, outcome, provider)
    accounts = dict(state.accounts)
    if outcome.verdict is Verdict.OVERLOADED and is_overloaded(overloads, provider, peers, outcome.at):
        account = absorbed(account, outcome.windows)
        for name, _ in overloads[provider]:
            if name in accounts:
                accounts[name] = _lifted(accounts[name], Verdict.OVERLOADED, at=outcome.at)
        account = _lifted(account, Verdict.OVERLOADED, at=outcome.at)
    else:
        account = EFFECTS[outcome.verdict](account, outcome, jitter)
    accounts[outcome.account] = changed(account, last_used=outcome.at)
    return changed(
        state,
        accounts=accounts,
        overloads=overloads,
        last_used=outcome.account if outcome.verdict in _DELIVERED else state.last_used,
    )


def is_overloaded(overloads: Overloads, provider: str, peers: int, now: float) -> bool:
    """Whether a vendor as a whole seems overloaded. One account alone is no evidence of that."""
    recent = overloads.get(provider, ())
    names = {name for name, at in recent if abs(now - at) <= OVERLOAD_MEMORY}
    return len(names) > 1 and 2 * len(names) > peers


def learned(state: PoolState, name: str, windows: Iterable[Window]) -> PoolState:
    """Take what the usage endpoint (or a probe) told about an account's windows."""
    account = state.accounts.get(name)
    return state if account is None else _with(state, absorbed(account, windows))


def started(state: PoolState, name: str) -> PoolState:
    """A request to the account begins."""
    account = state.accounts.get(name)
    return state if account is None else _with(state, changed(account, in_flight=account.in_flight + 1))


def ended(state: PoolState, name: str) -> PoolState:
    """A request to the account is over."""
    account = state.accounts.get(name)
    if account is None:
        return state
    return _with(state, changed(account, in_flight=max(0, account.in_flight - 1)))


def finished(state: PoolState, record: RequestRecord) -> PoolState:
    """A client's request is over."""
    spent = DayTotals(
        input=record.usage.input,
        output=record.usage.output,
        cost_usd=record.cost_usd,
        requests=1,
        cache_read=record.usage.cache_read,
        cache_write=record.usage.cache_write,
        rebilled=record.rebilled,
        metered_usd=record.cost_usd if record.metered else 0.0,
    )
    day = _day(int(record.at // 86_400))
    days = {**state.days, day: _sum(state.days.get(day, DayTotals()), spent)}
    if len(days) > MOST_DAYS:
        for oldest in sorted(days)[:-MOST_DAYS]:
            del days[oldest]
    account = state.accounts.get(record.account)
    if account is not None:
        state = _with(state, changed(account, usage=account.usage.plus(record.usage)))
    # Two copies of the longest thing here; unpacking it would make three.
    recent = state.recent[1 - MOST_RECENT :] + (record,)  # noqa: RUF005
    clients = state.clients
    if record.client and record.operation in COUNTED and record.attempts:
        clients = with_use(clients, record.client, record.at, record.usage, record.cost_usd)
    return changed(state, recent=recent, days=days, total=_sum(state.total, spent), clients=clients)


# ── the owner's commands ──────────────────────────────────────────────────────────────────────────


def pinned(state: PoolState, name: str | None) -> PoolState:
    """Send everything to one account, or (None) choose again."""
    return changed(state, pinned=name)


def paused(state: PoolState, name: str, *, paused: bool) -> PoolState:
    """Take an account out of use, or back in."""
    account = state.accounts.get(name)
    return state if account is None else _with(state, changed(account, paused=paused))


def cleared(state: PoolState, name: str) -> PoolState:
    """End all cooldowns of an account and forget that windows were rejected: it is asked again."""
    account = state.accounts.get(name)
    if account is None:
        return state
    windows = {
        key: evolve(window, standing=Standing.UNKNOWN) if window.standing is Standing.REJECTED else window
        for key, window in account.windows.items()
    }
    return _with(
        state,
        changed(account, windows=windows, cooldowns={}, throttles=0, breaks=0, cooled_until=None),
    )


def model_set(state: PoolState, name: str | None) -> PoolState:
    """Put one model in place of every model that clients ask for, or (None) end that."""
    return changed(state, model=name)


def strategy_set(state: PoolState, name: str | None) -> PoolState:
    """Override the configured strategy, or (None) go back to it."""
    return changed(state, strategy=name)


def custody_changed(
    state: PoolState, name: str, custody: Custody, identity: Identity | None = None
) -> PoolState:
    """Custody has (or lost) the account's credential. A new one ends what the old one was benched for."""
    account = state.accounts.get(name)
    if account is None:
        return state
    if custody is Custody.PRESENT:
        causes = {Verdict.UNAUTHORIZED}
        if account.custody is not Custody.PRESENT:
            causes.add(Verdict.FORBIDDEN)
        account = _lifted(account, *causes)
    if identity is not None:
        account = changed(account, email=identity.email or account.email, plan=identity.plan or account.plan)
    return _with(state, changed(account, custody=custody))


def with_accounts(state: PoolState, names: Iterable[str]) -> PoolState:
    """The accounts of a new configuration: what is known of those that stay is kept."""
    accounts = {name: state.accounts.get(name) or AccountState(name) for name in names}
    return changed(
        state,
        accounts=accounts,
        pinned=state.pinned if state.pinned in accounts else None,
        last_used=state.last_used if state.last_used in accounts else None,
    )


# ── time ──────────────────────────────────────────────────────────────────────────────────────────


def expired(state: PoolState, now: float) -> PoolState:
    """Drop what is over at `now`, and undo what a clock that jumped has stretched.

    Returns the same object when nothing changed.
    """
    accounts = {name: _expired(account, now) for name, account in state.accounts.items()}
    overloads = {
        provider: recent
        for provider, known in state.overloads.items()
        if (recent := tuple(seen for seen in known if abs(now - seen[1]) <= OVERLOAD_MEMORY))
    }
    if overloads == state.overloads and all(
        accounts[name] is account for name, account in state.accounts.items()
    ):
        return state
    return changed(state, accounts=accounts, overloads=overloads)


def long_ended(state: PoolState, now: float) -> tuple[str, ...]:
    """Accounts with a cooldown of five minutes or more that is over at `now` but not dropped yet."""
    return tuple(
        name
        for name, account in state.accounts.items()
        if any(
            cooling.until <= now and cooling.until - cooling.since >= cooldown.LONG
            for cooling in account.cooldowns.values()
        )
    )


def _expired(account: AccountState, now: float) -> AccountState:
    if account.cooldowns:
        cooldowns = {scope: reclamped(cooling, now) for scope, cooling in account.cooldowns.items()}
        over = [scope for scope, cooling in cooldowns.items() if cooling.until <= now]
        if over or cooldowns != account.cooldowns:
            account = ending(changed(account, cooldowns=cooldowns), over, now)
    windows = {name: _settled(window, now) for name, window in account.windows.items()}
    if any(windows[name] is not window for name, window in account.windows.items()):
        account = changed(account, windows=windows)
    if account.cooled_until is not None and account.cooled_until > now:
        account = changed(account, cooled_until=now)
    return account


def _settled(window: Window, now: float) -> Window:
    """A refusal that is over is none; facts from the future date from now."""
    resets_at, seen_at = window.resets_at, min(window.seen_at, now)
    if resets_at is not None:
        resets_at = min(resets_at, now + (window.length or cooldown.LONGEST) + CLOCK_SLACK)
    over = window.standing is Standing.REJECTED and (resets_at is None or resets_at <= now)
    if resets_at == window.resets_at and not over and window.seen_at <= now + CLOCK_SLACK:
        return window
    return evolve(
        window,
        resets_at=resets_at,
        seen_at=seen_at,
        standing=Standing.UNKNOWN if over else window.standing,
    )


# ── pieces ────────────────────────────────────────────────────────────────────────────────────────


@lru_cache(8)
def _day(number: int) -> str:
    """The name of a day, counted from 1970."""
    return (_EPOCH + timedelta(days=number)).strftime("%Y-%m-%d")


def _with(state: PoolState, account: AccountState) -> PoolState:
    return changed(state, accounts={**state.accounts, account.name: account})


def _overloads(known: Overloads, outcome: Outcome, provider: str) -> Overloads:
    """Remember who was overloaded last; an account that serves is not."""
    overloaded = outcome.verdict is Verdict.OVERLOADED
    if not overloaded and not (outcome.verdict is Verdict.SERVED and provider in known):
        return known
    recent = [
        (name, at)
        for name, at in known.get(provider, ())
        if name != outcome.account and abs(outcome.at - at) <= OVERLOAD_MEMORY
    ]
    if overloaded:
        recent.append((outcome.account, outcome.at))
    return {**known, provider: tuple(recent)}


def _lifted(account: AccountState, *causes: Verdict, at: float | None = None) -> AccountState:
    """The account without cooldowns of these causes."""
    scopes = [scope for scope, cooling in account.cooldowns.items() if cooling.cause in causes]
    if at is not None:
        return ending(account, scopes, at)
    kept = {scope: cooling for scope, cooling in account.cooldowns.items() if scope not in scopes}
    return changed(account, cooldowns=kept) if scopes else account


def _sum(one: DayTotals, other: DayTotals) -> DayTotals:
    return DayTotals(
        input=one.input + other.input,
        output=one.output + other.output,
        cost_usd=one.cost_usd + other.cost_usd,
        requests=one.requests + other.requests,
        cache_read=one.cache_read + other.cache_read,
        cache_write=one.cache_write + other.cache_write,
        rebilled=one.rebilled + other.rebilled,
        metered_usd=one.metered_usd + other.metered_usd,
    )
