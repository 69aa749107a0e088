"""The list of watchers, and all of them together."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import trio
from trio.testing import MockClock

from shunt.watchers import WATCHERS
from shunt.watchers.health import Health
from shunt.watchers.supervisor import supervise
from tests.fakes.pools import HOUR, window
from tests.watchers.stand_ins import bench, record

NAMES = [
    "cooldown",
    "recovery",
    "auth-sync",
    "renewal",
    "prefetch",
    "snapshots",
    "history",
    "reload",
    "clock",
    "dumps",
    "vitals",
]


def test_every_watcher_has_its_own_name() -> None:
    """It is what `/status` shows."""
    assert [watch(bench("a").parts()).name for watch in WATCHERS] == NAMES


async def test_all_of_them_live_side_by_side_for_a_day(tmp_path: Path, autojump_clock: MockClock) -> None:
    """None fails, none is called hung, and at the end everything is on disk."""
    desk = bench("a", "b", windows=(window("5h", 0.2),))
    parts = desk.parts(tmp_path)
    health = Health(desk.clock.now)
    async with trio.open_nursery() as nursery:
        for watch in WATCHERS:
            nursery.start_soon(partial(supervise, watch(parts), health, jitter=lambda: 0.5))
        await trio.sleep(0.5 * HOUR)
        desk.clock.ahead += 23 * HOUR
        await trio.sleep(0.5 * HOUR)
        assert health.degraded == ()
        assert [condition.failures for condition in health.conditions.values()] == [0] * len(WATCHERS)
        desk.pool.pause("b")
        parts.records.offer(record())
        nursery.cancel_scope.cancel()
    assert desk.saved[-1][1].state.accounts["b"].paused
    assert [one.id for _, batch in desk.inserted for one in batch] == ["req_1"]
