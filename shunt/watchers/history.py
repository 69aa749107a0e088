"""Moves finished requests into the history, in batches, and keeps the history within its bounds.

Requests only drop their record into a bounded queue. Everything that touches the disk happens here,
in one thread; when the disk is unhappy, records wait, the oldest are lost and counted, and
requests go on.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import Final

import trio
from attrs import define

from shunt.watchers.health import Report
from shunt.watchers.parts import Parts
from shunt.watchers.supervisor import Watcher
from shunt.watchers.worker import Worker

log = logging.getLogger(__name__)

NAME: Final = "history"
LIMIT: Final = 300.0
"""Making room in a large history may take minutes on a slow disk."""
EVERY: Final = 1.0
"""Seconds between two writes at least."""
BATCH: Final = 1_000
"""Records per write, so that one write stays short."""
PRUNE_EVERY: Final = 3600.0
SAMPLE_EVERY: Final = 300.0
"""Seconds between two looks at the windows at most; requests bring them sooner."""


@define
class Historian:
    """Writes records, and removes what is too old or too much."""

    parts: Parts
    worker: Worker
    prune_at: float = 0.0
    """Trio time of the next pruning; the first comes with the first run."""
    dropped: int = 0
    """Losses already told of."""

    async def run(self, report: Report) -> None:
        """Write what arrives, prune every hour."""
        while True:
            if trio.current_time() >= self.prune_at:
                report.working()
                await self.prune()
            wait = min(self.prune_at - trio.current_time(), SAMPLE_EVERY)
            report.idle(self.parts.now() + wait)
            with trio.move_on_after(wait):
                await self.parts.records.arrived()
            samples = self.parts.sample()
            if not self.parts.records and not samples:
                continue
            report.working()
            if samples:
                await self.worker(partial(self.parts.insert_samples, samples))
            if self.parts.records:
                await self.write()
            report.idle(self.parts.now() + EVERY)
            await trio.sleep(EVERY)

    async def write(self) -> None:
        """Write one batch. Raises StoreError or OSError; the batch is then kept for the next time."""
        records = self.parts.records
        batch = records.take(BATCH)
        try:
            # A write that is cut off may still land; writing a record twice keeps one of them.
            await self.worker(lambda: self.parts.insert_records(batch))
        except BaseException:
            records.put_back(batch)
            raise
        if records.dropped > self.dropped:
            log.warning("%d request records were lost: the disk was too slow", records.dropped - self.dropped)
            self.dropped = records.dropped

    async def prune(self) -> None:
        """Remove what the configuration no longer wants to keep. Raises StoreError or OSError."""
        bounds = self.parts.config().history
        now = self.parts.now()
        self.prune_at = trio.current_time() + PRUNE_EVERY
        await self.worker(lambda: self.parts.prune_history(now, bounds.keep_days, bounds.max_mb))

    async def drain(self) -> None:
        """Write everything that waits."""
        while self.parts.records:
            await self.write()


def watch(parts: Parts) -> Watcher:
    """Return the watcher that keeps the history."""
    historian = Historian(parts, parts.worker())
    return Watcher(NAME, historian.run, LIMIT, close=historian.drain)
