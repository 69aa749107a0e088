"""How the last starts ended, so that a program that keeps dying early starts with less.

Each start is noted and a good end strikes them all out. What is still there at the next start ended badly: it
was killed, or it crashed. A file that cannot be read or written says nothing and stops nobody.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Final

from attrs import frozen

from shunt.errors import StoreError
from shunt.store.files import read_private, write_private

EARLY: Final = 60.0
"""Seconds from one start to the next within which the first came to an early end."""
MANY: Final = 5
"""Early ends in a row after which the next start does without what is not needed to serve."""
KEPT: Final = 20
LIMIT: Final = 4096


@frozen
class Starts:
    """The file. Every method blocks and none raises."""

    path: Path

    def begin(self, now: float) -> int:
        """Note a start at `now` (epoch seconds); how many before it, in a row, came to an early end."""
        known = self._read()
        early, later = 0, now
        for moment in reversed(known):
            if not 0 <= later - moment < EARLY:
                break
            early, later = early + 1, moment
        with suppress(StoreError):
            write_private(self.path, json.dumps([*known, now][-KEPT:]).encode())
        return early

    def good(self) -> None:
        """This run has ended well, or lived long enough."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)

    def _read(self) -> list[float]:
        try:
            found = json.loads(read_private(self.path, limit=LIMIT) or b"[]")
        except (StoreError, ValueError, RecursionError):
            return []
        if not isinstance(found, list):
            return []
        return [float(moment) for moment in found if type(moment) in (int, float)]
