"""What `/status` and `/ready` say: pure, from records to documents.

The first shunt's field names are kept, with its units: names in `_ms` are epoch milliseconds, `reset_…`
epoch seconds, `utilization_…` the share spent from 0 to 1, `input` tokens are fresh ones: what a prompt
cache gave or took is counted apart. Fields that are new and hold a moment are in epoch seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from attrs import field, frozen

from shunt.accounts.account import Account
from shunt.accounts.allowance import used_today
from shunt.accounts.eligibility import cooldown_until, hindrance, status_of
from shunt.accounts.state import AccountState, Custody, DayTotals, PoolState, Status
from shunt.limits.forecast import Forecast, first_to_bite
from shunt.limits.windows import ALL_MODELS, FIVE_HOUR, OVERAGE, SEVEN_DAY, Window
from shunt.store.discovery import Finding
from shunt.telemetry.documents import of_request
from shunt.watchers.health import Condition

Document = dict[str, Any]

RECENT: Final = 200
"""Requests listed."""
CLAIMS: Final = {FIVE_HOUR: "five_hour", SEVEN_DAY: "seven_day", OVERAGE: "overage"}
"""What Anthropic calls the window that decides, by our names."""


@frozen
class Picture:
    """Everything the documents are made of, at one instant."""

    accounts: Mapping[str, Account]
    state: PoolState
    strategy: str
    """The one in force."""
    watchers: Sequence[Condition]
    waiting: int
    """Requests held now."""
    now: float
    """Epoch seconds."""
    version: str
    started_at: float
    """Epoch seconds."""
    active: Sequence[Document] = ()
    """Running requests, as documents."""
    errors: int = 0
    """Failed requests remembered."""
    records: tuple[int, int] = (0, 0)
    """Records waiting for the history, and records lost."""
    forecasts: Callable[[str], Sequence[Forecast]] = lambda _: ()
    """What becomes of an account's windows."""
    keeping: Mapping[str, str] = field(factory=dict)
    """Where logins and stored keys are kept."""
    troubles: Mapping[str, str] = field(factory=dict)
    """What the owner should know, by what it concerns: logins the disk refuses, records lost."""
    refusals: Mapping[str, int] = field(factory=dict)
    """Requests and connections that were refused since the start, by reason."""
    clients: Sequence[str] = ()
    """Names of the configured client keys."""
    found: Sequence[Finding] = ()
    """What this machine has that could become an account; looked for while there is none."""


def status(picture: Picture) -> Document:
    """The `/status` document."""
    state = picture.state
    return {
        "version": picture.version,
        "started_ms": _ms(picture.started_at),
        "strategy": picture.strategy,
        "strategy_source": "override" if state.strategy else "config",
        "model_override": state.model,
        "pinned_account": state.pinned,
        "last_used_account": state.last_used,
        "waiting": picture.waiting,
        "accounts": [
            of_account(account, state.accounts.get(name) or AccountState(name), picture)
            for name, account in picture.accounts.items()
        ],
        "recent_requests": [of_request(record) for record in reversed(state.recent[-RECENT:])],
        "active": list(picture.active),
        "savings": savings(state, picture.now),
        "cache_read_share": _share(state.total.cache_read, _prompt(state.total)),
        "errors_recent": picture.errors,
        "history": {"requests_waiting": picture.records[0], "dropped": picture.records[1]},
        "watchers": [of_watcher(condition) for condition in picture.watchers],
        "credentials": dict(picture.keeping),
        "troubles": dict(picture.troubles),
        "refusals": dict(picture.refusals),
        "clients": [_client(name, picture) for name in picture.clients],
        "found": [
            {"provider": one.provider, "what": one.what, "where": one.where, "command": one.command}
            for one in picture.found
        ],
    }


def _client(name: str, picture: Picture) -> Document:
    used = used_today(picture.state.clients, name, picture.now)
    return {"name": name, "day": used.day, "requests": used.requests, "tokens": used.tokens, "usd": used.usd}


# ── accounts ──────────────────────────────────────────────────────────────────────────────────────


def of_account(account: Account, state: AccountState, picture: Picture) -> Document:
    """One account as it stands."""
    now = picture.now
    forecasts = picture.forecasts(account.name)
    bites = first_to_bite(forecasts)
    standing = status_of(state, now)
    until = cooldown_until(state, now)
    hindered = hindrance(state, ALL_MODELS, now)
    five, seven = state.windows.get(FIVE_HOUR), state.windows.get(SEVEN_DAY)
    return {
        "name": account.name,
        "email": state.email or None,
        "plan_type": state.plan or None,
        "provider": account.provider,
        "pool": account.pool,
        "priority": account.priority,
        "subscription": account.subscription,
        "status": standing,
        "available": standing is Status.AVAILABLE,
        "disabled": state.paused,
        "auth_failed": state.custody is Custody.REAUTH_REQUIRED,
        "cooldown_until_ms": _ms(until),
        "cooldown_reason": hindered.detail if hindered and hindered.until is not None else None,
        "cooldowns": _cooldowns(state, now),
        "utilization_5h": _used(five, now),
        "reset_5h": _reset(five, now),
        "utilization_7d": _used(seven, now),
        "reset_7d": _reset(seven, now),
        "window_expires_ms": _ms(_reset(five, now)),
        "in_flight": state.in_flight,
        "last_used_ms": _ms(state.last_used),
        "last_success_ms": _ms(state.last_success),
        "tokens_used": {
            "input": state.usage.input,
            "output": state.usage.output,
            "total": state.usage.input + state.usage.output,
            "cache_read": state.usage.cache_read,
            "cache_write": state.usage.cache_write,
        },
        "cache_read_share": _share(state.usage.cache_read, state.usage.prompt),
        "rate_limit": _rate_limit(state.windows, now),
        "windows": [_window(window, now) for _, window in sorted(state.windows.items())],
        "forecast": None if bites is None else of_forecast(bites),
        "forecasts": [of_forecast(one) for one in forecasts],
    }


def _cooldowns(state: AccountState, now: float) -> list[Document]:
    return [
        {
            "models": family or None,
            "until": cooldown.until,
            "since": cooldown.since,
            "reason": cooldown.reason,
        }
        for family, cooldown in sorted(state.cooldowns.items())
        if cooldown.until > now
    ]


def _rate_limit(windows: Mapping[str, Window], now: float) -> Document | None:
    """The first shunt's view of the windows; None while nothing is known."""
    if not windows:
        return None
    five, seven, overage = (windows.get(name) for name in (FIVE_HOUR, SEVEN_DAY, OVERAGE))
    decisive = max(
        (window for window in windows.values() if window.name != OVERAGE),
        key=lambda window: (window.rejects(window.scope, now), window.used_now(now)),
        default=None,
    )
    return {
        "utilization_5h": _used(five, now),
        "reset_5h": _reset(five, now),
        "status_5h": five.standing if five else None,
        "utilization_7d": _used(seven, now),
        "reset_7d": _reset(seven, now),
        "status_7d": seven.standing if seven else None,
        "overage_status": overage.standing if overage else None,
        "representative_claim": CLAIMS.get(decisive.name, decisive.name) if decisive else None,
        "updated_ms": _ms(max(window.seen_at for window in windows.values())),
    }


def _window(window: Window, now: float) -> Document:
    return {
        "name": window.name,
        "used": _used(window, now),
        "resets_at": window.resets_at,
        "status": window.standing,
        "models": window.scope or None,
        "length": window.length,
        "in_use": window.in_use,
        "source": window.source,
        "seen_at": window.seen_at,
        "age": max(0.0, now - window.seen_at),
    }


def _used(window: Window | None, now: float) -> float | None:
    return None if window is None or window.used is None else window.used_now(now)


def _reset(window: Window | None, now: float) -> float | None:
    return window.resets_at if window and window.resets_at is not None and window.resets_at > now else None


# ── savings, forecasts ──────────────────────────────────────────────────────────────────────────


def savings(state: PoolState, now: float) -> Document:
    """What the tokens cost at API prices: today, in the seven days to now, and in all (UTC).

    `…_metered_usd` is the part of it that was really paid; the rest was saved.
    """
    today = datetime.fromtimestamp(now, UTC).date()
    week = [(today - timedelta(days=back)).isoformat() for back in range(7)]
    return {
        **_totals("today", [state.days.get(week[0], DayTotals())]),
        **_totals("week", [state.days[day] for day in week if day in state.days]),
        **_totals("all_time", [state.total]),
    }


def _totals(name: str, days: Iterable[DayTotals]) -> Document:
    days = tuple(days)
    return {
        f"{name}_input": sum(day.input for day in days),
        f"{name}_output": sum(day.output for day in days),
        f"{name}_cache_read": sum(day.cache_read for day in days),
        f"{name}_cache_write": sum(day.cache_write for day in days),
        f"{name}_rebilled": sum(day.rebilled for day in days),
        f"{name}_requests": sum(day.requests for day in days),
        f"{name}_cost_usd": round(sum(day.cost_usd for day in days), 6),
        f"{name}_metered_usd": round(sum(day.metered_usd for day in days), 6),
    }


# ── watchers, readiness ───────────────────────────────────────────────────────────────────────────


def of_watcher(condition: Condition) -> Document:
    """One watcher as it stands."""
    return {
        "name": condition.name,
        "state": condition.state,
        "degraded": condition.degraded,
        "last_run_ms": _ms(condition.last_run),
        "next_run_ms": _ms(condition.next_run),
        "runs": condition.runs,
        "failures": condition.failures,
        "last_error": condition.last_error or None,
    }


def readiness(picture: Picture, family_of: Callable[[str], str]) -> Document:
    """The `/ready` document. `family_of` gives a provider's family.

    `ready` is true when every family that has accounts has one that can serve now. A watcher that is
    not well makes it `degraded`, which is no reason to send nobody here.
    """
    families: dict[str, list[AccountState]] = {}
    for name, account in picture.accounts.items():
        state = picture.state.accounts.get(name) or AccountState(name)
        families.setdefault(family_of(account.provider), []).append(state)
    reasons = [] if families else ["no account is configured"]
    for family, states in families.items():
        hindered = {state.name: hindrance(state, ALL_MODELS, picture.now) for state in states}
        if all(hindered.values()):
            told = ", ".join(f"{name}: {found.obstacle}" for name, found in hindered.items() if found)
            reasons.append(f"no {family} account can serve ({told})")
    degraded = [condition.name for condition in picture.watchers if condition.degraded]
    return {
        "ready": not reasons,
        "status": "not ready" if reasons else "degraded" if degraded else "ready",
        "reasons": reasons,
        "degraded": degraded,
    }


def of_forecast(told: Forecast) -> Document:
    """What becomes of a window."""
    return {
        "account": told.account,
        "window": told.window,
        "used": told.used,
        "resets_at": told.resets_at,
        "pace_per_hour": round(told.pace, 5),
        "runs_dry_at": None if told.runs_dry_at is None else round(told.runs_dry_at, 1),
        "used_at_reset": round(told.used_at_reset, 4),
        "samples": told.samples,
    }


def _prompt(totals: DayTotals) -> int:
    return totals.input + totals.cache_read + totals.cache_write


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _ms(moment: float | None) -> int | None:
    return None if moment is None else round(moment * 1000)
