"""Carousel: in turn."""

from __future__ import annotations

from shunt.routing.strategies.base import Contender, Scene
from shunt.routing.strategies.carousel import CAROUSEL
from shunt.routing.view import Tuning
from tests.fakes.pools import T0, account, known


def test_places_take_turns() -> None:
    """With each request placed the next contender is the best one."""
    best = []
    for turn in range(7):
        scene = Scene(T0, Tuning(), carousel=turn, places=3)
        scores = [CAROUSEL.score(Contender(account("a"), known("a"), "", place), scene) for place in range(3)]
        best.append(scores.index(max(scores)))
    assert best == [0, 1, 2, 0, 1, 2, 0]


def test_after_the_one_whose_turn_it_is_the_next_follows() -> None:
    """The ranking goes round the ring, so a refused account passes its turn on."""
    scene = Scene(T0, Tuning(), carousel=1, places=3)
    scores = [CAROUSEL.score(Contender(account("a"), known("a"), "", place), scene) for place in range(3)]
    assert sorted(range(3), key=lambda place: scores[place], reverse=True) == [1, 2, 0]
