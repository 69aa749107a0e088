"""Writes failed requests down, one small file each, away from the requests themselves."""

from __future__ import annotations

from typing import Final

import trio

from shunt.watchers.health import Report
from shunt.watchers.parts import Parts
from shunt.watchers.supervisor import Watcher

NAME: Final = "dumps"
LIMIT: Final = 60.0
EVERY: Final = 2.0
"""Seconds between two rounds at least: failures come in swarms."""
LOOK_EVERY: Final = 3600.0


def watch(parts: Parts) -> Watcher:
    """Return the watcher that keeps dumps of failures."""
    worker = parts.worker()

    async def run(report: Report) -> None:
        while True:
            report.idle(None)
            if await parts.failed.within(LOOK_EVERY):
                report.working()
                await worker(parts.dump_failures)
                await trio.sleep(EVERY)

    async def close() -> None:
        await worker(parts.dump_failures)

    return Watcher(NAME, run, LIMIT, close=close)
