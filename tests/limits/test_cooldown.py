"""How long accounts are left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.limits import cooldown
from tests.fakes.pools import T0


@pytest.mark.parametrize(
    ("earlier", "seconds"), [(0, 60), (1, 120), (2, 240), (3, 300), (4, 300), (10**9, 300), (-3, 60)]
)
def test_throttle_doubles_up_to_five_minutes(earlier: int, seconds: float) -> None:
    """60 s, doubled with each in a row, never above 300 s whatever the count."""
    assert cooldown.throttle(earlier) == seconds


@pytest.mark.parametrize(
    ("earlier", "seconds"), [(0, 15), (1, 30), (2, 60), (3, 120), (4, 120), (10**9, 120)]
)
def test_broken_doubles_up_to_two_minutes(earlier: int, seconds: float) -> None:
    """15 s, doubled with each in a row, never above 120 s."""
    assert cooldown.broken(earlier) == seconds


@pytest.mark.parametrize(("told", "made"), [(0.01, 1), (1, 1), (40, 40), (300, 300), (301, 300), (1e9, 300)])
def test_retry_hints_are_clamped(told: float, made: float) -> None:
    """A vendor's hint counts between one second and five minutes."""
    assert cooldown.clamp_retry_after(told) == made


@given(st.floats(-5, 5), st.floats(0, 1e6))
def test_a_window_is_tried_after_its_reset_and_soon(jitter: float, ahead: float) -> None:
    """Never before the reset, and within seconds of it, whatever the jitter."""
    moment = cooldown.past_reset(T0 + ahead, jitter)
    assert T0 + ahead < moment <= T0 + ahead + 6
