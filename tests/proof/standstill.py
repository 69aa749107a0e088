"""A Trio run that stands still between calls, so that a test can go through it step by step."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from queue import Queue
from typing import Any, TypeVar

import outcome
import trio
from trio.testing import MockClock

T = TypeVar("T")
PATIENCE = 60.0
"""Real seconds one piece of work may take."""


class Standstill:
    """Runs Trio as a guest of the test, on a clock that jumps while there is a call and rests otherwise."""

    def __init__(self) -> None:
        self._work: Queue[Callable[[], Any]] = Queue()
        self._end: list[outcome.Outcome[None]] = []
        self._ready: list[trio.lowlevel.TrioToken] = []
        self.nursery: trio.Nursery
        trio.lowlevel.start_guest_run(
            self._main,
            run_sync_soon_threadsafe=self._work.put,
            done_callback=self._end.append,
            host_uses_signal_set_wakeup_fd=True,
            clock=MockClock(autojump_threshold=0),
        )
        self._pump(lambda: self._ready)

    async def _main(self) -> None:
        async with trio.open_nursery() as self.nursery:
            self._ready.append(trio.lowlevel.current_trio_token())
            await trio.sleep_forever()

    def call(self, work: Callable[..., Awaitable[T]], *args: Any) -> T:
        """Let Trio run until this work is done."""
        done: list[outcome.Outcome[T]] = []

        async def run() -> None:
            done.append(await outcome.acapture(work, *args))

        self._ready[0].run_sync_soon(self.nursery.start_soon, run)
        self._pump(lambda: done)
        return done[0].unwrap()

    def close(self) -> None:
        """End the run, and everything in it."""
        self._ready[0].run_sync_soon(self.nursery.cancel_scope.cancel)
        self._pump(lambda: self._end)
        self._end[0].unwrap()

    def _pump(self, done: Callable[[], Any]) -> None:
        while not done():
            self._work.get(timeout=PATIENCE)()
