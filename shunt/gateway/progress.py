"""How far an answer has come on its way to the client: a few numbers, moved by every chunk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import trio
from attrs import define, field

STALL: Final = 10.0
"""Seconds without a byte that count as a stall. Models think longer without being stuck, but whoever
watches wants to see it."""
MOST_STALLS: Final = 16
"""Stalls remembered one by one; beyond that they are only counted."""


@define(eq=False)
class Progress:
    """Read when the request is watched or recorded. Moments are in Trio's time."""

    complete: bool = False
    dropped: tuple[str, ...] = ()
    """What could not be said in the other side's protocol and matters."""
    broke: str = ""
    """Why the upstream's part ended early, in words."""
    bytes: int = 0
    """Bytes handed on to the client."""
    chunks: int = 0
    began_at: float | None = None
    last_at: float | None = None
    stalls: list[tuple[float, float]] = field(factory=list)
    """(moment the silence began, its seconds)."""
    stalled: int = 0
    """How many there were."""
    _clock: Callable[[], float] = trio.current_time

    def moved(self, size: int) -> None:
        """So many bytes go to the client now. Called for every chunk: keep it small."""
        at = self._clock()
        self.bytes += size
        self.chunks += 1
        if self.last_at is None:
            self.began_at = at
            self._clock = trio.lowlevel.current_clock().current_time  # which the other finds anew each time
        elif at - self.last_at >= STALL:
            self.stalled += 1
            if len(self.stalls) < MOST_STALLS:
                self.stalls.append((self.last_at, at - self.last_at))
        self.last_at = at

    def silence(self, at: float) -> float | None:
        """Seconds since the last byte; None before the first, and once the answer is complete."""
        return None if self.last_at is None or self.complete else max(0.0, at - self.last_at)
