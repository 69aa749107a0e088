"""What a strategy is: one frozen record that ranks the accounts that could serve a request.

A strategy is one file and one name in STRATEGIES. It decides twice: the *tier* is a coarse order that
even stickiness yields to (nobody wants a conversation to stay on a metered key once a subscription is
free again); the *score* ranks the accounts of one tier. Equals go in the order of the configuration.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from attrs import frozen

from shunt.accounts.account import Account
from shunt.accounts.state import AccountState
from shunt.limits.windows import OVERAGE
from shunt.routing.view import Tuning

SHORT: Final = 86_400.0
"""Windows of up to this many seconds are judged together, longer ones together."""

Score = tuple[float, ...]
"""Compared greatest first."""


@frozen
class Scene:
    """What every contender of one tier is judged by."""

    now: float
    """Epoch seconds."""
    tuning: Tuning
    carousel: int
    """Requests the strategy has placed so far."""
    places: int
    """How many contenders there are."""


class Contender(NamedTuple):
    """One account that could serve the request."""

    account: Account
    state: AccountState
    family: str
    """Model family the request counts for on this account."""
    place: int = 0
    """Position among the contenders of its tier, in the order of the configuration, from 0."""


class Load(NamedTuple):
    """How full an account is: the fullest window of each kind that concerns the family."""

    short: float
    """Share used of the fullest window of up to a day, 0 to 1."""
    long: float
    """Share used of the fullest longer window, 0 to 1."""
    short_weighed: float
    """Share used times share of the window still to go: what is spent and stays spent for long."""
    long_weighed: float


_EMPTY: Final = Load(0.0, 0.0, 0.0, 0.0)


def metered_last(account: Account, state: AccountState, now: float) -> float:
    """Tier 0 for plans, 1 for what costs money per request: API keys, and plans running on paid overage."""
    if not account.subscription:
        return 1.0
    overage = state.windows.get(OVERAGE)
    if overage is None or not overage.in_use:
        return 0.0
    # Only for as long as the plan itself is spent; the vendor does not tell when overage ends.
    spent = any(window.used_now(now) >= 1 for window in state.windows.values() if window is not overage)
    return 1.0 if spent else 0.0


def plans_first(accounts: Iterable[Account]) -> float:
    """The best tier there is under `metered_last`."""
    return 0.0 if any(account.subscription for account in accounts) else 1.0


@frozen
class Strategy:
    """A way to rank accounts."""

    name: str
    summary: str
    """What it is for, in one line for people."""
    score: Callable[[Contender, Scene], Score]
    tier: Callable[[Account, AccountState, float], float] = metered_last
    """Lower first."""
    best_tier: Callable[[Iterable[Account]], float] = plans_first
    """No account of these is in a lower tier: a conversation on this one need not look further."""


def load(state: AccountState, family: str, now: float) -> Load:
    """How full the account is for `family`. Windows nothing is known of count as empty."""
    if not state.windows:
        return _EMPTY
    short = long = short_weighed = long_weighed = 0.0
    for window in state.windows.values():
        resets_at, used = window.resets_at, window.used
        if not used or (window.scope and window.scope != family) or window.name == OVERAGE:
            continue
        weighed = used = min(1.0, used)
        length = window.length
        if resets_at is not None:
            if resets_at <= now:
                continue
            if length:
                weighed = used * min(1.0, (resets_at - now) / length)
        if length is not None and length <= SHORT:
            short, short_weighed = max(short, used), max(short_weighed, weighed)
        else:
            long, long_weighed = max(long, used), max(long_weighed, weighed)
    return Load(short, long, short_weighed, long_weighed)
