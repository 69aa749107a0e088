"""Cushion: farthest from the limits."""

from __future__ import annotations

import pytest

from shunt.accounts.state import AccountState
from shunt.routing.strategies.base import Contender, Scene, Score
from shunt.routing.strategies.cushion import CUSHION
from shunt.routing.view import Tuning
from tests.fakes.pools import T0, account, known, window

SCENE = Scene(T0, Tuning(), carousel=0, places=2)


def score(state: AccountState) -> Score:
    return CUSHION.score(Contender(account(state.name), state, "opus"), SCENE)


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (known("a", window("5h", 0.2), window("7d", 0.3)), known("b", window("5h", 0.4))),
        (known("a", window("5h", 0.1), window("7d", 0.3)), known("b", window("5h", 0.2), window("7d", 0.3))),
        (known("a"), known("b", window("5h", 0.01))),
        (known("a", window("7d_sonnet", 0.9)), known("b", window("7d_opus", 0.1))),
    ],
)
def test_the_account_farthest_from_its_limits_goes_first(better: AccountState, worse: AccountState) -> None:
    """The lower maximum wins, then the lower minimum."""
    assert score(better) > score(worse)
