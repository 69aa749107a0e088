"""Failures are written down, in rounds."""

from __future__ import annotations

import trio
from attrs import evolve
from trio.testing import MockClock

from shunt.watchers import dumps
from tests.watchers.stand_ins import bench, start


async def test_failures_are_written_when_the_bell_rings(autojump_clock: MockClock) -> None:
    """Many together, not more often than every two seconds, and what is left at the end."""
    desk, written = bench("a"), []
    parts = evolve(desk.parts(), dump_failures=lambda: written.append(trio.current_time()))
    async with trio.open_nursery() as nursery:
        start(nursery, dumps.watch(parts), desk)
        await trio.sleep(10)
        for _ in range(5):
            parts.failed.ring()
            await trio.sleep(0.1)
        await trio.sleep(10)
        nursery.cancel_scope.cancel()
    assert written[:2] == [10, 12]
    assert len(written) == 3
