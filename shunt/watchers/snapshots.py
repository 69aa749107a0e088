"""Saves the pool's state: at most once a second while it changes, less often when it is large, and at shutdown.

Losing a snapshot costs freshness, not accounts, so a failing disk is reported and tried again by
the supervisor and never holds anything up. An older state cannot land after a newer one: all
writes go through one worker, in order.
"""

from __future__ import annotations

from typing import Final

import trio
from attrs import define

from shunt.watchers.health import Report
from shunt.watchers.parts import Parts
from shunt.watchers.supervisor import Watcher
from shunt.watchers.worker import Worker

NAME: Final = "snapshots"
LIMIT: Final = 60.0
EVERY: Final = 1.0
"""Seconds between two writes at least."""
SHARE: Final = 50
"""How many times as long as a write took is waited until the next: thousands of conversations must not make
every request dearer."""
LONGEST: Final = 10.0
"""Seconds between two writes at most, while something changes: a slow disk must not cost more of what the owner
has just said (a pin, a pause)."""


@define
class Snapshots:
    """Writes what changed since the last write."""

    parts: Parts
    worker: Worker
    saved: int
    """Version of the pool that is on disk."""

    async def run(self, report: Report) -> None:
        """Save whenever something changed."""
        while True:
            report.idle()
            await self.parts.pool.changed(self.saved)
            report.working()
            begun = trio.current_time()
            await self.save()
            pause = min(max(EVERY, SHARE * (trio.current_time() - begun)), LONGEST)
            report.idle(self.parts.now() + pause)
            await trio.sleep(pause)

    async def save(self) -> None:
        """Write the state if it is newer than the one on disk. Raises StoreError or OSError."""
        pool = self.parts.pool
        version = pool.version
        if version == self.saved:
            return
        snapshot = pool.snapshot()
        await self.worker(lambda: self.parts.save_state(snapshot))
        self.saved = version


def watch(parts: Parts) -> Watcher:
    """Return the watcher that saves state."""
    snapshots = Snapshots(parts, parts.worker(), parts.pool.version)
    return Watcher(NAME, snapshots.run, LIMIT, close=snapshots.save)
