"""How Python's collector is set for a program that runs for months and answers in milliseconds.

Measured (2026-11, a plain request at saturation): with the settings Python starts with, every tenth millisecond went
into looking through some 300,000 objects of modules and tables that live as long as the program.
"""

from __future__ import annotations

import ctypes
import gc
import sys
from contextlib import suppress
from typing import Final

from attrs import define

from shunt.telemetry.observatory import Observatory

THRESHOLDS: Final = (20_000, 20, 50)
"""New containers after which the young ones are looked through (a running request has some hundreds), and how often
that happens before older ones are. Next to nothing here is garbage in a cycle."""
PATIENCE: Final = 12
"""Looks after which there is tidying although requests run: a busy server may never have a quiet moment."""

CROWD: Final = 8
"""How many times as many requests as now have to have run at once for now to be called quiet."""


def settle() -> None:
    """Leave what was made so far to itself: called once, when everything is loaded."""
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)


@define(eq=False)
class Tidying:
    """What is done every few seconds so that a burst leaves nothing behind. Called from the main task; quick."""

    observatory: Observatory
    _seen: int = 0
    """Requests that had finished the last time."""
    _looks: int = 0
    _most: int = 0
    """Requests that ran at once, at most, since there was tidying."""

    def __call__(self) -> None:
        """Look, and tidy up in the first quiet moment after there was something to do."""
        finished, active = self.observatory.tallies.finished, len(self.observatory.active())
        self._looks += 1
        self._most = max(self._most, active)
        # After a crowd it is quiet enough although somebody's long answer still runs.
        quiet = active <= self._most // CROWD or self._looks % PATIENCE == 0
        if finished != self._seen and quiet:
            self._seen, self._most = finished, active
            gc.collect()  # some milliseconds: what was there from the start is not looked at
            give_back()


def give_back() -> None:
    """Have the C library return free pages to the system, where it keeps them otherwise (glibc)."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)
