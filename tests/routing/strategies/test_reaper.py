"""Reaper: what expires soon is spent first."""

from __future__ import annotations

import math

import pytest

from shunt.accounts.state import AccountState
from shunt.routing.strategies.base import Contender, Scene, Score
from shunt.routing.strategies.reaper import REAPER
from shunt.routing.view import Tuning
from tests.fakes.pools import DAY, HOUR, T0, account, known, window

SCENE = Scene(T0, Tuning(expiry_soon=1800), carousel=0, places=2)


def score(state: AccountState) -> Score:
    return REAPER.score(Contender(account(state.name), state, "opus"), SCENE)


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (known("a", window("5h", 0.2, 600)), known("b", window("5h", 0.1, HOUR))),
        (known("a", window("5h", 0.2, HOUR)), known("b", window("5h", 0.2, 2 * HOUR))),
        (known("a", window("5h", 0.2, HOUR)), known("b", window("5h", 0.3, HOUR))),
        (known("a", window("7d", 0.2, 900)), known("b", window("5h", 0.2, HOUR))),
        (known("a", window("5h", 0.2, 4 * HOUR)), known("b")),  # unknown goes last
        # A window with nothing left in it has nothing to lose.
        (known("a", window("5h", 0.2, HOUR)), known("b", window("5h", 1.0, 600), window("7d", 0.2, DAY))),
        (known("a", window("5h", 0.2, HOUR)), known("b", window("7d_sonnet", 0.2, 600))),
    ],
)
def test_what_would_be_lost_goes_first(better: AccountState, worse: AccountState) -> None:
    """Soon-resetting windows first, then the earlier reset, then the lower use."""
    assert score(better) > score(worse)


def test_scores_are_finite() -> None:
    """They are shown and sent as JSON."""
    assert all(map(math.isfinite, score(known("a"))))
