"""Blocking work in a thread of its own. Real threads: no simulated clock here."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

import pytest
import trio

from shunt.watchers.worker import Worker, own_thread


async def test_a_job_gives_its_result_or_its_error() -> None:
    """As if it had been called here."""
    worker = own_thread()
    assert await worker(lambda: 6 * 7) == 42
    with pytest.raises(ZeroDivisionError):
        await worker(lambda: 1 // 0)


async def test_a_cancelled_write_still_lands_before_a_later_one() -> None:
    """Cancelling leaves the job running; the next one waits until it has really ended."""
    worker = own_thread()
    landed: list[str] = []
    begun, release = threading.Event(), threading.Event()

    def older() -> None:
        begun.set()
        release.wait(10)
        landed.append("older")

    async def write_older(scope: trio.CancelScope) -> None:
        with scope:
            await worker(older)

    scope = trio.CancelScope()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(write_older, scope)
        await trio.to_thread.run_sync(begun.wait)
        scope.cancel()  # returns at once, although the disk hangs
    async with trio.open_nursery() as nursery:
        nursery.start_soon(worker, partial(landed.append, "newer"))
        await trio.testing.wait_all_tasks_blocked()
        assert landed == []
        release.set()
    assert landed == ["older", "newer"]


async def test_workers_do_not_wait_for_each_other() -> None:
    """A disk that hangs for one watcher holds up no other."""
    hanging, free = own_thread(), own_thread()
    release = threading.Event()

    async def hang(worker: Worker, job: Callable[[], object]) -> None:
        await worker(job)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(hang, hanging, partial(release.wait, 10))
        assert await free(lambda: "done") == "done"
        release.set()
