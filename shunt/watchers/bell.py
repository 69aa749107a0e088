"""Asking a watcher to do its work now instead of at its next turn."""

from __future__ import annotations

import trio


class Bell:
    """Many may ring, one answers."""

    def __init__(self) -> None:
        self._rung = trio.Event()

    def ring(self) -> None:
        """Have the work done. Never waits."""
        self._rung.set()

    async def within(self, seconds: float) -> bool:
        """Wait until somebody rings; False if nobody did in time."""
        with trio.move_on_after(seconds):
            await self._rung.wait()
            self._rung = trio.Event()
            return True
        return False
