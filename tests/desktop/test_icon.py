"""The icon's drawing."""

from __future__ import annotations

import pytest

from shunt.desktop.icon import SIZES, pixels, rgba
from shunt.desktop.menu import Mood


@pytest.mark.parametrize("mood", Mood)
@pytest.mark.parametrize("size", SIZES)
def test_every_mood_has_a_drawing(mood: Mood, size: int) -> None:
    """Something is drawn, the corners are clear, and both orders of bytes agree."""
    argb = pixels(mood, size)
    assert len(argb) == size * size * 4
    alphas = argb[::4]
    assert 0.05 < sum(alphas) / 255 / len(alphas) < 0.6
    assert alphas[0] == alphas[-1] == 0
    other = rgba(mood, size)
    assert other[3::4] == alphas
    assert other[0::4] == argb[1::4]


def test_moods_differ() -> None:
    """At a glance."""
    assert len({pixels(mood, 22) for mood in Mood}) == len(Mood)
