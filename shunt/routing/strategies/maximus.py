"""Maximus, the default: the account with the most room for the time its windows still have to run.

(1 - t5·u5) · (1 - t7·u7) · ramp, where u is the share used and t the share of the window still to go:
a window half spent shortly before its reset weighs little, the same at its beginning weighs half. The
ramp takes an account that was benched back in gently, so that not everybody rushes to it at once.
"""

from __future__ import annotations

from shunt.accounts.state import AccountState
from shunt.routing.strategies.base import Contender, Scene, Score, Strategy, load


def score(contender: Contender, scene: Scene) -> Score:
    """Room left, weighed; then fewer requests running now, so that equals share the work."""
    fill = load(contender.state, contender.family, scene.now)
    room = (1.0 - fill.short_weighed) * (1.0 - fill.long_weighed)
    return (room * ramp(contender.state, scene), float(-contender.state.in_flight))


def ramp(state: AccountState, scene: Scene) -> float:
    """From 0, when the last cooldown ended, to 1, `tuning.ramp` seconds later."""
    if state.cooled_until is None and not state.cooldowns:
        return 1.0
    ends = [cooling.until for cooling in state.cooldowns.values() if cooling.until <= scene.now]
    if state.cooled_until is not None:
        ends.append(state.cooled_until)
    if not ends or scene.tuning.ramp <= 0:
        return 1.0
    return min(1.0, max(0.0, (scene.now - max(ends)) / scene.tuning.ramp))


MAXIMUS = Strategy(
    name="maximus",
    summary="most room for the time its windows still have to run",
    score=score,
)
