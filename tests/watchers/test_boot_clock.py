"""The clock that counts sleep."""

from __future__ import annotations

import time

import pytest

from shunt.watchers.boot_clock import find_boot_clock


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="this system has no such clock")
def test_the_boot_clock_advances() -> None:
    """Seconds since the machine was started, sleep included: never less than the time it was awake."""
    read = find_boot_clock()
    assert read is not None
    awake = time.clock_gettime(time.CLOCK_MONOTONIC)
    assert awake <= read() <= read()


def test_systems_without_one_do_without(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other comparisons remain."""
    monkeypatch.delattr(time, "CLOCK_BOOTTIME", raising=False)
    assert find_boot_clock() is None
