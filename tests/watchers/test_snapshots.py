"""Saving state: soon, not too often, once more at the end, and in order."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import pairwise

import pytest
import trio
from trio.testing import MockClock

from shunt.errors import StoreError
from shunt.pool import Snapshot
from shunt.watchers import snapshots
from shunt.watchers.health import Doing
from shunt.watchers.snapshots import EVERY, LONGEST
from shunt.watchers.worker import Result, Worker, own_thread
from tests.watchers.stand_ins import Bench, bench, start


def times(desk: Bench) -> list[float]:
    return [at for at, _ in desk.saved]


async def test_nothing_new_is_not_written(autojump_clock: MockClock) -> None:
    """Neither while nothing changes nor at the end."""
    desk = bench("a")
    async with trio.open_nursery() as nursery:
        start(nursery, snapshots.watch(desk.parts()), desk)
        await trio.sleep(100)
        nursery.cancel_scope.cancel()
    assert desk.saved == []


async def test_a_change_is_written_at_once_and_a_busy_pool_once_a_second(autojump_clock: MockClock) -> None:
    """What changed in between is in the next write."""
    desk = bench("a")
    async with trio.open_nursery() as nursery:
        start(nursery, snapshots.watch(desk.parts()), desk)
        await trio.sleep(10)
        for step in range(21):  # ten changes a second for two seconds
            desk.pool.pin("a" if step % 2 else None)
            desk.pool.pause("a") if step % 2 else desk.pool.resume("a")
            await trio.sleep(0.1)
        await trio.sleep(10)
        nursery.cancel_scope.cancel()
    assert len(times(desk)) in (3, 4)
    gaps = [after - before for before, after in pairwise(times(desk))]
    assert all(gap >= 1 for gap in gaps)
    assert desk.saved[-1][1].state == desk.pool.snapshot().state


@pytest.mark.parametrize(("took", "pause"), [(0.001, EVERY), (0.1, 5), (3, LONGEST)])
async def test_a_slow_write_is_done_less_often(autojump_clock: MockClock, took: float, pause: float) -> None:
    """A large state must not make every request dearer; but what the owner says is never long unsaved."""
    desk = bench("a")

    def slow() -> Worker:
        async def run(job: Callable[[], Result], /) -> Result:
            await trio.sleep(took)
            return job()

        return run

    async with trio.open_nursery() as nursery:
        start(nursery, snapshots.watch(desk.parts(worker=slow)), desk)
        await trio.sleep(1)
        for step in range(200):
            desk.pool.pause("a") if step % 2 else desk.pool.resume("a")
            await trio.sleep(0.2)
        nursery.cancel_scope.cancel()
    gaps = [after - before for before, after in pairwise(times(desk)[:-1])]
    assert gaps
    assert all(took + pause - 0.01 <= gap <= took + pause + 0.3 for gap in gaps), gaps


async def test_the_end_brings_a_last_write(autojump_clock: MockClock) -> None:
    """What changed less than a second before the end is not lost, although everything is cancelled."""
    desk = bench("a")
    async with trio.open_nursery() as nursery:
        start(nursery, snapshots.watch(desk.parts()), desk)
        await trio.sleep(1)
        desk.pool.pause("a")
        await trio.sleep(0.1)
        desk.pool.pin("a")
        nursery.cancel_scope.cancel()
    assert times(desk) == [1, 1.1]
    assert desk.saved[-1][1].state.pinned == "a"


async def test_a_failing_disk_shows_and_is_tried_again(autojump_clock: MockClock) -> None:
    """Nothing is lost meanwhile, and health is back after the next success."""
    desk = bench("a", trouble=StoreError("state.json: no space left"))
    async with trio.open_nursery() as nursery:
        health = start(nursery, snapshots.watch(desk.parts()), desk)
        await trio.sleep(1)
        desk.pool.pause("a")
        await trio.sleep(0.5)
        condition = health.conditions["snapshots"]
        assert condition.state is Doing.FAILED
        assert "no space left" in condition.last_error
        desk.trouble = None
        await trio.sleep(5)
        assert not condition.degraded
        assert desk.saved[-1][1].state.accounts["a"].paused
        nursery.cancel_scope.cancel()


async def test_a_write_that_was_cut_off_lands_before_the_last_one() -> None:
    """With a real thread: the older state cannot replace the newer one, however slow the disk is."""
    desk = bench("a")
    begun, release = threading.Event(), threading.Event()
    landed: list[str | None] = []

    def save(snapshot: Snapshot) -> None:
        begun.set()
        release.wait(10)
        landed.append(snapshot.state.pinned)

    parts = desk.parts(save_state=save, worker=own_thread)
    async with trio.open_nursery() as nursery:
        start(nursery, snapshots.watch(parts), desk)
        await trio.testing.wait_all_tasks_blocked()
        desk.pool.pause("a")
        await trio.to_thread.run_sync(begun.wait)
        desk.pool.pin("a")
        nursery.cancel_scope.cancel()
        release.set()
    assert landed == [None, "a"]
