"""How long an upstream's next bytes are waited for."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Final, Protocol

import trio
from attrs import define, field

GRACE: Final = 1.0
"""Seconds in which what has come has to be read."""


class Waiting(Protocol):
    """Somebody waits for bytes of it."""

    due: float
    """Trio's clock until which; infinite while nobody waits."""
    overdue: bool
    """Whether it was closed because they did not come."""

    def is_readable(self) -> bool:
        """Whether something has come that nobody has read."""

    def close(self) -> None:
        """Close it at once."""


@define(eq=False)
class Watch:
    """Closes connections that stay silent for too long: one timer for all of them.

    A time limit of its own for each read was a tenth of what passing on an event costs: it is put in order among
    all others, and taken out again, for every event. Here a read notes a number.
    """

    _watched: set[Waiting] = field(factory=set)
    _timer: trio.CancelScope = field(factory=trio.CancelScope)
    _clock: Callable[[], float] = field(factory=lambda: trio.lowlevel.current_clock().current_time)
    """Asked directly: `trio.current_time` finds it anew each time."""
    _next: float = inf
    """Its deadline, which is dear to ask it for."""

    def expect(self, connection: Waiting, seconds: float) -> None:
        """Give the connection's next bytes so much time; to be called before each read."""
        connection.due = due = self._clock() + seconds
        self._watched.add(connection)
        if due < self._next:
            self._next = self._timer.deadline = due

    def forget(self, connection: Waiting) -> None:
        """Nobody will read it any more."""
        self._watched.discard(connection)

    async def attend(self) -> None:
        """Do the work until cancelled. Sleeps as long as nothing can be due."""
        while True:
            now = trio.current_time()
            for connection in [it for it in self._watched if it.due <= now]:
                if connection.is_readable():  # it was not silent: we were (stopped, asleep, or too busy)
                    connection.due = now + GRACE
                    continue
                self._watched.discard(connection)
                connection.overdue = True
                connection.close()
            self._next = min((it.due for it in self._watched), default=inf)
            self._timer = trio.CancelScope(deadline=self._next)
            with self._timer:
                await trio.sleep_forever()
