"""Priority: strictly in the order the owner gave, back to the preferred one as soon as it recovers.

The order is the tier, so a conversation does not stick to a lower account when a higher one is free.
"""

from __future__ import annotations

from collections.abc import Iterable

from shunt.accounts.account import Account
from shunt.accounts.state import AccountState
from shunt.routing.strategies.base import Contender, Scene, Score, Strategy


def tier(account: Account, _state: AccountState, _now: float) -> float:
    """The number from the configuration; lower goes first, plans and API keys alike."""
    return float(account.priority)


def best_tier(accounts: Iterable[Account]) -> float:
    """The lowest number given."""
    return float(min((account.priority for account in accounts), default=0))


def score(_contender: Contender, _scene: Scene) -> Score:
    """Nothing beyond the tier: equals go in the order of the configuration."""
    return ()


PRIORITY = Strategy(
    name="priority",
    summary="strictly in the order of the accounts' priority",
    score=score,
    tier=tier,
    best_tier=best_tier,
)
