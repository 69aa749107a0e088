"""Pools and demands for gateway tests."""

from __future__ import annotations

from collections.abc import Callable

import trio

from shunt.accounts.account import Account
from shunt.accounts.outcomes import Outcome, Verdict
from shunt.accounts.state import Custody, PoolState
from shunt.limits.windows import Source, Standing, Window
from shunt.pool import AccountPool
from shunt.routing.view import Demand, Tuning

T0 = 1_800_000_000.0
"""Epoch seconds at which tests begin."""


def wall() -> float:
    """Epoch seconds on Trio's clock, which tests may let jump."""
    return T0 + trio.current_time()


def account(name: str, base_url: str = "http://127.0.0.1:9", **more: object) -> Account:
    """An API-key account of provider `anthropic`."""
    return Account(name=name, provider="anthropic", base_url=base_url, subscription=False, **more)  # type: ignore[arg-type]


def pool_of(*accounts: Account, now: Callable[[], float] = wall) -> AccountPool:
    """A pool in which every account has a credential."""
    pool = AccountPool(
        accounts, state=PoolState(), tuning=Tuning(), sticky_ttl=3600, now=now, jitter=lambda: 0.5
    )
    for each in accounts:
        pool.custody_changed(each.name, Custody.PRESENT)
    return pool


def demand(*names: str) -> Demand:
    """A request that these accounts can carry."""
    return Demand(model="claude-sonnet-5-5", families=dict.fromkeys(names, "sonnet"))


def limited(name: str, at: float, until: float) -> Outcome:
    """A 429 with a rejected five-hour window."""
    window = Window("5h", 1.0, until, Standing.REJECTED, Source.HEADER, at, 18_000)
    return Outcome(name, Verdict.LIMITED, at, 429, until=until, windows=(window,))


def served(name: str, at: float) -> Outcome:
    """A 200."""
    return Outcome(name, Verdict.SERVED, at, 200)
