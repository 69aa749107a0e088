"""Carousel: each new conversation goes to the next account in turn."""

from __future__ import annotations

from shunt.routing.strategies.base import Contender, Scene, Score, Strategy


def score(contender: Contender, scene: Scene) -> Score:
    """Minus the number of steps from the account whose turn it is."""
    return (-float((contender.place - scene.carousel) % scene.places),)


CAROUSEL = Strategy(
    name="carousel",
    summary="each new conversation to the next account in turn",
    score=score,
)
