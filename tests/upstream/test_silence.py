"""Connections whose next bytes do not come are closed in time, and no others."""

from __future__ import annotations

from math import inf

import trio
from attrs import define
from trio.testing import MockClock

from shunt.upstream.silence import Watch


@define(eq=False)
class Line:
    """Something that is waited for."""

    due: float = inf
    overdue: bool = False
    closed_at: float | None = None
    readable: bool = False

    def is_readable(self) -> bool:
        return self.readable

    def close(self) -> None:
        self.closed_at = trio.current_time()


async def test_each_is_closed_when_its_time_is_over(autojump_clock: MockClock) -> None:
    """In whatever order they began to wait; the time is exact."""
    watch, late, early = Watch(), Line(), Line()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch.attend)
        watch.expect(late, 10)
        await trio.sleep(1)
        watch.expect(early, 2)
        await trio.sleep(30)
        assert (early.closed_at, late.closed_at) == (3, 10)
        assert early.overdue
        assert late.overdue
        nursery.cancel_scope.cancel()


async def test_what_has_come_and_was_not_read_is_no_silence(autojump_clock: MockClock) -> None:
    """After a stop of ours (a laptop that slept) the bytes that wait are read; without any it is closed after all."""
    watch, line = Watch(), Line(readable=True)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch.attend)
        watch.expect(line, 10)
        await trio.sleep(10.5)
        closed = [line.closed_at]
        line.readable = False
        await trio.sleep(5)
        assert [*closed, line.closed_at] == [None, 11]
        nursery.cancel_scope.cancel()


async def test_bytes_begin_a_new_time(autojump_clock: MockClock) -> None:
    """A stream may take hours, as long as something comes now and then."""
    watch, line = Watch(), Line()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch.attend)
        for _ in range(100):
            watch.expect(line, 10)
            await trio.sleep(9)
        closed = [line.closed_at]
        await trio.sleep(9)
        assert [*closed, line.closed_at] == [None, 99 * 9 + 10]
        nursery.cancel_scope.cancel()


async def test_nobody_waits_nobody_is_late(autojump_clock: MockClock) -> None:
    """Neither one that has what it waited for, nor one that is given up."""
    watch, idle, gone = Watch(), Line(), Line()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch.attend)
        watch.expect(idle, 10)
        watch.expect(gone, 10)
        await trio.sleep(1)
        idle.due = inf
        watch.forget(gone)
        await trio.sleep(100)
        assert (idle.closed_at, gone.closed_at) == (None, None)
        nursery.cancel_scope.cancel()
