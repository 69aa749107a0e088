"""What a window says about requests."""

from __future__ import annotations

import pytest

from shunt.limits.windows import Window
from tests.fakes.pools import HOUR, T0, window


@pytest.mark.parametrize(
    ("seen", "family", "later", "refuses"),
    [
        (window("5h", rejected=True), "opus", 0, True),
        (window("5h", rejected=True), "", 0, True),
        (window("5h", rejected=True), "opus", HOUR, False),  # reset
        (window("5h", 1.2), "opus", 0, False),  # full, but not refused
        (window("5h", rejected=True, resets_in=None), "opus", 0, False),
        (window("7d_opus", rejected=True), "opus", 0, True),
        (window("7d_opus", rejected=True), "sonnet", 0, False),
        (window("7d_opus", rejected=True), "", 0, False),
        (window("overage", rejected=True), "opus", 0, False),  # no paid extra: not a limit of the plan
    ],
)
def test_which_requests_a_window_refuses(seen: Window, family: str, later: float, refuses: bool) -> None:
    """A rejected window refuses its models until its reset; extra usage never refuses by itself."""
    assert seen.rejects(family, T0 + later) is refuses


@pytest.mark.parametrize(
    ("seen", "later", "used"),
    [
        (window("5h", 0.7), 0, 0.7),
        (window("5h", 0.7), HOUR, 0.0),
        (window("5h", 0.7, resets_in=None), 10 * HOUR, 0.7),
        (window("5h", None), 0, 0.0),
    ],
)
def test_use_is_over_with_the_reset(seen: Window, later: float, used: float) -> None:
    """After its reset a window counts as empty."""
    assert seen.used_now(T0 + later) == used
