"""Accounts, windows and pictures of a pool for tests of decisions. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shunt.accounts.account import Account
from shunt.accounts.outcomes import Outcome, Verdict
from shunt.accounts.state import AccountState, Custody, PoolState
from shunt.limits.headers import length_of, scope_of
from shunt.limits.windows import Source, Standing, Window
from shunt.routing.view import Demand, Tuning, View

T0 = 1_790_000_000.0
"""The moment tests happen at, in epoch seconds."""
HOUR = 3600.0
DAY = 86_400.0


def account(name: str, **fields: Any) -> Account:
    """A subscription account of provider `anthropic`."""
    return Account(
        **{
            "name": name,
            "provider": "anthropic",
            "base_url": "https://vendor.example",
            "subscription": True,
            **fields,
        }
    )


def window(
    name: str,
    used: float | None = 0.5,
    resets_in: float | None = HOUR,
    *,
    rejected: bool = False,
    seen_at: float = T0,
    **fields: Any,
) -> Window:
    """A window as headers tell of it; `resets_in` counts from T0."""
    return Window(
        **{
            "name": name,
            "used": used,
            "resets_at": None if resets_in is None else T0 + resets_in,
            "standing": Standing.REJECTED if rejected else Standing.ALLOWED,
            "source": Source.HEADER,
            "seen_at": seen_at,
            "length": length_of(name),
            "scope": scope_of(name),
            **fields,
        }
    )


def known(name: str, *windows: Window, **fields: Any) -> AccountState:
    """What is known of an account that has its credential."""
    return AccountState(
        **{
            "name": name,
            "custody": Custody.PRESENT,
            "windows": {one.name: one for one in windows},
            **fields,
        }
    )


def pool_state(*accounts: AccountState | str, **fields: Any) -> PoolState:
    """A pool of these accounts; a bare name is an account that nothing stands in the way of."""
    states = [known(one) if isinstance(one, str) else one for one in accounts]
    return PoolState(accounts={one.name: one for one in states}, **fields)


def outcome(account: str, verdict: Verdict, at: float = T0, **fields: Any) -> Outcome:
    """An answer of `account`."""
    return Outcome(account=account, verdict=verdict, at=at, **fields)


def view(
    *states: AccountState | str,
    accounts: Mapping[str, Mapping[str, Any]] | None = None,
    tuning: Tuning | None = None,
    **fields: Any,
) -> View:
    """A picture of a pool. `accounts` has further fields of the accounts' configuration, by name."""
    state = pool_state(*states, **fields)
    configured = {name: account(name, **(accounts or {}).get(name, {})) for name in state.accounts}
    return View(accounts=configured, state=state, tuning=tuning or Tuning())


def demand(picture: View, family: str = "opus", **fields: Any) -> Demand:
    """A request for a model of `family` that every account could carry."""
    return Demand(
        **{"model": f"claude-{family}-9", "families": dict.fromkeys(picture.accounts, family), **fields}
    )
