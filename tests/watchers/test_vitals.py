"""A line about the program's own health."""

from __future__ import annotations

import logging

import pytest
import trio
from attrs import evolve
from trio.testing import MockClock

from shunt.watchers import vitals
from tests.watchers.stand_ins import bench, start


async def test_every_five_minutes_there_is_a_line(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """With the accounts that can serve and the program's own figures."""
    caplog.set_level(logging.INFO, "shunt.health")
    desk = bench("a", "b")
    parts = evolve(desk.parts(), vitals=lambda: {"rss_mb": 50.5})
    desk.pool.pause("b")
    async with trio.open_nursery() as nursery:
        start(nursery, vitals.watch(parts), desk)
        await trio.sleep(901)
        nursery.cancel_scope.cancel()
    fields = [line.__dict__["fields"] for line in caplog.records if line.name == "shunt.health"]
    assert fields == [{"available": 1, "rss_mb": 50.5}] * 3
