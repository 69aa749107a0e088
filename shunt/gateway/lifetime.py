"""How long things opened for one request live: until its ASGI call ends, whatever ends it.

A response body that owns its upstream exchange leaks it when the client leaves before the first
byte: a generator that was never started runs no `finally`. So the outermost ASGI call owns both
the tasks and the closers of a request.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

import trio
from attrs import define, field

from shunt.gateway.delivery import Delivery

log = logging.getLogger(__name__)

CLOSE_WITHIN = 5.0
"""Seconds all closers of one request may take together; they run shielded."""


@define
class Lifetime:
    """The tasks and the closers of one request."""

    nursery: trio.Nursery
    commit: Callable[[Delivery], Awaitable[None]]
    """Sends an answer that has to begin before what it will say is known, to its end."""
    _closers: list[Callable[[], Awaitable[None] | None]] = field(factory=list)

    def defer(self, close: Callable[[], Awaitable[None] | None]) -> None:
        """Run `close` when the request ends, last registered first.

        Synchronous, so that there is no await between opening a thing and deferring its close.
        """
        self._closers.append(close)

    async def close(self) -> None:
        """Run every closer, bounded and shielded; a failing one does not stop the others."""
        # Most have nothing to wait for: no scope is set up for those.
        if (waiting := self._next_that_waits()) is None:
            return
        with trio.move_on_after(CLOSE_WITHIN) as scope:
            scope.shield = True
            while waiting is not None:
                try:
                    await waiting
                except Exception as error:  # noqa: BLE001 - the rest must still be closed
                    _tell(error)
                waiting = self._next_that_waits()
        if self._closers:
            log.error("%d things of one request were not closed in time", len(self._closers))

    def _next_that_waits(self) -> Awaitable[None] | None:
        """Run closers up to one that has to be waited for; None when all have run."""
        while self._closers:
            close = self._closers.pop()
            try:
                if (closing := close()) is not None:
                    return closing
            except Exception as error:  # noqa: BLE001 - the rest must still be closed
                _tell(error)
        return None


def _tell(error: Exception) -> None:
    log.warning("closing after a request failed: %s", type(error).__name__)
