"""Reaper: spend first what is about to be lost.

Accounts with a window that resets soon and still has room, then the earlier reset, then the lower use.
"""

from __future__ import annotations

from shunt.limits.cooldown import LONGEST
from shunt.limits.windows import OVERAGE
from shunt.routing.strategies.base import Contender, Scene, Score, Strategy, load


def score(contender: Contender, scene: Scene) -> Score:
    """(resets soon, earlier reset, lower use)."""
    left = _next_reset(contender, scene.now) - scene.now
    fill = load(contender.state, contender.family, scene.now)
    return (float(left <= scene.tuning.expiry_soon), -left, -max(fill.short, fill.long))


def _next_reset(contender: Contender, now: float) -> float:
    """When the next window with anything left in it resets; very late if that is not known."""
    resets = (
        window.resets_at
        for window in contender.state.windows.values()
        if window.resets_at is not None
        and window.resets_at > now
        and window.used_now(now) < 1
        and window.scope in ("", contender.family)
        and window.name != OVERAGE
    )
    return min(resets, default=now + LONGEST)


REAPER = Strategy(
    name="reaper",
    summary="spend first what would be lost at the next reset",
    score=score,
)
