"""Maximus: most room for the time to come."""

from __future__ import annotations

import pytest

from shunt.accounts.state import AccountState, Cooldown
from shunt.routing.strategies.base import Contender, Scene
from shunt.routing.strategies.maximus import MAXIMUS, ramp
from shunt.routing.view import Tuning
from tests.fakes.pools import DAY, HOUR, T0, account, known, window

SCENE = Scene(T0, Tuning(), carousel=0, places=2)


def score(state: AccountState, scene: Scene = SCENE) -> float:
    return MAXIMUS.score(Contender(account(state.name), state, "opus"), scene)[0]


@pytest.mark.parametrize(
    ("state", "room"),
    [
        (known("a"), 1.0),
        (known("a", window("5h", 0.5, 2.5 * HOUR), window("7d", 0.4, 3.5 * DAY)), (1 - 0.25) * (1 - 0.2)),
        (known("a", window("5h", 1.0, 5 * HOUR)), 0.0),
        (known("a", window("5h", 1.0, 60)), pytest.approx(1 - 1 / 300)),
        (known("a", cooled_until=T0 - 150), 0.5),
        (known("a", cooled_until=T0 - 900), 1.0),
    ],
)
def test_the_formula(state: AccountState, room: float) -> None:
    """(1 - t5·u5)(1 - t7·u7), times the ramp after a cooldown."""
    assert score(state) == pytest.approx(room)


def test_a_window_about_to_reset_hardly_counts() -> None:
    """Nine tenths spent ten minutes before the reset is better than half spent at the beginning."""
    assert score(known("a", window("5h", 0.9, 600))) > score(known("b", window("5h", 0.5, 5 * HOUR)))


@pytest.mark.parametrize(
    ("state", "seconds", "share"),
    [
        (known("a"), 300, 1.0),
        (known("a", cooled_until=T0), 300, 0.0),
        (known("a", cooled_until=T0 - 75), 300, 0.25),
        (known("a", cooled_until=T0 + 50), 300, 0.0),  # the clock went back
        (known("a", cooled_until=T0), 0, 1.0),
        # One that is over but not dropped yet counts; one that runs (for another family) does not.
        (known("a", cooled_until=T0 - 900, cooldowns={"": Cooldown(T0 - 30, T0 - 60, "x")}), 300, 0.1),
        (known("a", cooldowns={"haiku": Cooldown(T0 + 30, T0, "x")}), 300, 1.0),
    ],
)
def test_the_ramp(state: AccountState, seconds: float, share: float) -> None:
    """From nothing at the end of the last cooldown to everything `ramp` seconds later."""
    assert ramp(state, Scene(T0, Tuning(ramp=seconds), 0, 1)) == pytest.approx(share)


def test_equals_share_the_work() -> None:
    """Of two accounts with the same room the one with fewer requests running is better."""
    busy, idle = (known("a", in_flight=count) for count in (3, 1))
    assert MAXIMUS.score(Contender(account("a"), idle, ""), SCENE) > MAXIMUS.score(
        Contender(account("a"), busy, ""), SCENE
    )
