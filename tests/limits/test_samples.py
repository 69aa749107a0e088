"""Windows over time: a sample where something has changed, none where nothing has."""

from __future__ import annotations

from typing import Any

import pytest

from shunt.limits.samples import Sample, sampled
from shunt.limits.windows import Window
from tests.fakes.pools import T0, window


def last(**fields: Any) -> dict[tuple[str, str], Sample]:
    (first,) = sampled("a", [window("5h", 0.5)], {})
    return {("a", "5h"): first}


def test_the_first_sight_of_a_window_is_a_sample() -> None:
    """With everything that is known of it."""
    (first,) = sampled("a", [window("5h", 0.5)], {})
    assert first == Sample(T0, "a", "5h", 0.5, T0 + 3600, "allowed", "header", 18_000)


@pytest.mark.parametrize(
    ("seen", "fresh"),
    [
        (window("5h", 0.6, seen_at=T0 + 1), True),
        (window("5h", 0.5, seen_at=T0 + 1, rejected=True), True),
        (window("5h", 0.5, 7200, seen_at=T0 + 1), True),
        (window("5h", None, seen_at=T0 + 1), True),
        (window("5h", 0.5, seen_at=T0 + 1), False),
        (window("5h", 0.5004, seen_at=T0 + 1), False),
        (window("5h", 0.9, seen_at=T0), False),
        (window("7d", 0.5, seen_at=T0), True),
    ],
)
def test_only_news_are_sampled(seen: Window, fresh: bool) -> None:
    """Another use, reset or standing, seen later."""
    assert bool(sampled("a", [seen], last())) is fresh
