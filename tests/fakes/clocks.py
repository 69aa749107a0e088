"""Clocks for tests that wait."""

from __future__ import annotations

from trio.testing import MockClock


def socket_clock() -> MockClock:
    """Return a clock that jumps, yet leaves bytes on loopback sockets real time to arrive.

    With a threshold of 0 the clock would jump whenever all tasks wait, also while the kernel still
    carries bytes between two of them.
    """
    return MockClock(autojump_threshold=0.05)
