"""How full an account is, and who goes after whom."""

from __future__ import annotations

from typing import Any

import pytest

from shunt.accounts.state import AccountState
from shunt.routing.strategies.base import Load, load, metered_last, plans_first
from tests.fakes.pools import DAY, HOUR, T0, account, known, window


@pytest.mark.parametrize(
    ("state", "fill"),
    [
        (known("a"), Load(0, 0, 0, 0)),
        # Half used with half to go weighs a quarter.
        (known("a", window("5h", 0.5, 2.5 * HOUR)), Load(0.5, 0, 0.25, 0)),
        (known("a", window("7d", 0.4, 3.5 * DAY)), Load(0, 0.4, 0, 0.2)),
        # Of several windows of a kind the fullest counts.
        (known("a", window("7d", 0.4, 7 * DAY), window("7d_opus", 0.8, 7 * DAY)), Load(0, 0.8, 0, 0.8)),
        (known("a", window("7d", 0.4, 7 * DAY), window("7d_sonnet", 0.8, 7 * DAY)), Load(0, 0.4, 0, 0.4)),
        # An unknown reset is taken for a far one, a past one for an empty window.
        (known("a", window("5h", 0.5, None)), Load(0.5, 0, 0.5, 0)),
        (known("a", window("5h", 0.5, -1)), Load(0, 0, 0, 0)),
        (known("a", window("5h", 1.4, 5 * HOUR)), Load(1, 0, 1, 0)),
        (known("a", window("5h", None)), Load(0, 0, 0, 0)),
        (known("a", window("overage", 0.9)), Load(0, 0, 0, 0)),
        (known("a", window("requests", 0.9, 60, length=60.0)), Load(0.9, 0, 0.9, 0)),
    ],
)
def test_how_full_an_account_is(state: AccountState, fill: Load) -> None:
    """Windows of up to a day and longer ones apart, each by its fullest that concerns the family."""
    assert load(state, "opus", T0) == pytest.approx(fill)


@pytest.mark.parametrize(
    ("fields", "state", "tier"),
    [
        ({}, known("a"), 0),
        ({"subscription": False}, known("a"), 1),
        ({}, known("a", window("5h", 1.0), window("overage", 0.1, in_use=True)), 1),
        ({}, known("a", window("5h", 1.0), window("overage", 0.1)), 0),
        # The spent window has reset: the plan pays again, whatever was last heard of the overage.
        ({}, known("a", window("5h", 1.0, -1), window("overage", 0.1, in_use=True)), 0),
    ],
)
def test_what_costs_money_goes_last(fields: dict[str, Any], state: AccountState, tier: float) -> None:
    """API keys and plans that run on paid overage come after plans with room."""
    assert metered_last(account("a", **fields), state, T0) == tier


def test_the_best_tier_there_is() -> None:
    """A conversation on a key need not look for a plan where there is none."""
    assert plans_first([account("a", subscription=False)]) == 1
    assert plans_first([account("a", subscription=False), account("b")]) == 0
