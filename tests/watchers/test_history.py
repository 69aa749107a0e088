"""Requests into the history: in batches, none lost while the disk works, none in a request's way."""

from __future__ import annotations

import pytest
import trio
from attrs import evolve
from trio.testing import MockClock

from shunt.config.types import HistoryConfig
from shunt.errors import StoreError
from shunt.watchers import history
from shunt.watchers.health import Doing
from shunt.watchers.records import Records
from tests.fakes.pools import T0
from tests.watchers.stand_ins import Bench, bench, record, start


def written(desk: Bench) -> list[str]:
    return [one.id for _, batch in desk.inserted for one in batch]


def numbers(first: int, last: int) -> list[str]:
    return [f"req_{number}" for number in range(first, last + 1)]


async def test_records_are_written_in_order_at_most_once_a_second(autojump_clock: MockClock) -> None:
    """The first at once, those that come meanwhile together."""
    desk = bench("a")
    parts = desk.parts()
    async with trio.open_nursery() as nursery:
        start(nursery, history.watch(parts), desk)
        await trio.sleep(10)
        for number in range(1, 26):
            parts.records.offer(record(number))
            await trio.sleep(0.1)
        await trio.sleep(5)
        nursery.cancel_scope.cancel()
    assert written(desk) == numbers(1, 25)
    assert [at for at, _ in desk.inserted] == pytest.approx([10, 11, 12, 13])


async def test_batches_are_bounded(autojump_clock: MockClock) -> None:
    """A flood is written in pieces, so that no single write takes long."""
    desk = bench("a")
    parts = desk.parts()
    for number in range(1, 2501):
        parts.records.offer(record(number))
    async with trio.open_nursery() as nursery:
        start(nursery, history.watch(parts), desk)
        await trio.sleep(10)
        nursery.cancel_scope.cancel()
    assert [len(batch) for _, batch in desk.inserted] == [1000, 1000, 500]
    assert written(desk) == numbers(1, 2500)


async def test_the_end_drains_the_queue(autojump_clock: MockClock) -> None:
    """What was handed in before the end is written, although everything is cancelled."""
    desk = bench("a")
    parts = desk.parts()
    async with trio.open_nursery() as nursery:
        start(nursery, history.watch(parts), desk)
        await trio.sleep(1)
        for number in range(1, 1501):
            parts.records.offer(record(number))
        nursery.cancel_scope.cancel()
    assert written(desk) == numbers(1, 1500)


async def test_a_failing_disk_loses_nothing_that_fits(autojump_clock: MockClock) -> None:
    """Records wait, health shows it, and they are written in order when the disk is well again."""
    desk = bench("a")
    parts = desk.parts()
    async with trio.open_nursery() as nursery:
        health = start(nursery, history.watch(parts), desk)
        await trio.sleep(1)
        desk.trouble = StoreError("history: disk is full")
        parts.records.offer(record(1))
        await trio.sleep(0.5)
        parts.records.offer(record(2))
        assert health.conditions["history"].state is Doing.FAILED
        desk.trouble = None
        await trio.sleep(10)
        nursery.cancel_scope.cancel()
    assert written(desk) == ["req_1", "req_2"]


async def test_losses_are_counted_and_told(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Once per loss, when the disk works again."""
    desk = bench("a")
    parts = desk.parts(records=Records(3))
    for number in range(1, 6):
        parts.records.offer(record(number))
    async with trio.open_nursery() as nursery:
        start(nursery, history.watch(parts), desk)
        await trio.sleep(5)
        parts.records.offer(record(6))
        await trio.sleep(5)
        nursery.cancel_scope.cancel()
    assert written(desk) == numbers(3, 6)
    assert caplog.text.count("2 request records were lost") == 1


async def test_the_history_is_pruned_at_start_and_every_hour(autojump_clock: MockClock) -> None:
    """To the bounds of the configuration in force at that moment."""
    desk = bench("a")
    parts = desk.parts()
    async with trio.open_nursery() as nursery:
        start(nursery, history.watch(parts), desk)
        await trio.sleep(100)
        desk.config = evolve(desk.config, history=HistoryConfig(keep_days=7, max_mb=8))
        await trio.sleep(3600)
        nursery.cancel_scope.cancel()
    assert desk.pruned == [(T0, 90, 256), (T0 + 3600, 7, 8)]


async def test_a_failing_prune_is_not_repeated_at_once(autojump_clock: MockClock) -> None:
    """It waits for its next hour, and writing goes on."""
    desk = bench("a", trouble=StoreError("history: busy"))
    parts = desk.parts()
    async with trio.open_nursery() as nursery:
        start(nursery, history.watch(parts), desk)
        await trio.sleep(0.5)
        desk.trouble = None
        parts.records.offer(record(1))
        await trio.sleep(100)
        nursery.cancel_scope.cancel()
    assert written(desk) == ["req_1"]
    assert desk.pruned == []
