"""A thread for work that may block on the disk, one job at a time.

Jobs of one worker run in the order in which they were given, and never two at once: the limiter's
only token is held until a job has really ended, even when its task was cancelled meanwhile. So a
write that is still under way when its task is cancelled lands before any later one, and a disk that
hangs holds up neither the other watchers nor the end of the program.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

import trio

Result = TypeVar("Result")


class Worker(Protocol):
    """Runs a blocking function away from the event loop."""

    async def __call__(self, job: Callable[[], Result], /) -> Result:
        """Return what `job` returns, or raise what it raises. Cancelled, it leaves the job running."""


def own_thread() -> Worker:
    """Return a worker of its own, apart from the threads that look up host names."""
    limiter = trio.CapacityLimiter(1)

    async def run(job: Callable[[], Result], /) -> Result:
        return await trio.to_thread.run_sync(job, abandon_on_cancel=True, limiter=limiter)

    return run
