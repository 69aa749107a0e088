"""The clock that counts the machine's sleep and that nobody can set, where the system has one."""

from __future__ import annotations

import time
from collections.abc import Callable


def find_boot_clock() -> Callable[[], float] | None:
    """Return a function that gives its seconds, or None. Linux has it; elsewhere other clocks have to do."""
    number = getattr(time, "CLOCK_BOOTTIME", None)
    return None if number is None else lambda: time.clock_gettime(number)
