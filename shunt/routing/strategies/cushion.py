"""Cushion: keep every account as far from its limits as possible."""

from __future__ import annotations

from shunt.routing.strategies.base import Contender, Scene, Score, Strategy, load


def score(contender: Contender, scene: Scene) -> Score:
    """Least use of the fuller of short and long windows, then least of the other."""
    fill = load(contender.state, contender.family, scene.now)
    return (-max(fill.short, fill.long), -min(fill.short, fill.long))


CUSHION = Strategy(
    name="cushion",
    summary="the account farthest from its limits",
    score=score,
)
