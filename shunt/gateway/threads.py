"""Work on large bodies, in threads so that nobody else's stream stops meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import trio

from shunt.errors import ShuntError

T = TypeVar("T")


async def in_thread(work: Callable[[], T], limiter: trio.CapacityLimiter) -> T:
    """Do it in a thread.

    What it raises for the client is raised without its cause and the frames it came through: they hold the
    body, and Trio's among them hold the error, so all of it would stay until the collector comes by. Refused
    bodies of 50 MiB were seen to add up.
    """
    try:
        return await trio.to_thread.run_sync(work, limiter=limiter)
    except ShuntError as error:
        error.__context__ = None
        raise error.with_traceback(None) from None
