"""The end of a server's life as its running requests see it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import trio

DRAIN: Final = "shunt.drain"
"""Key in an ASGI scope's `state`."""


class Drain:
    """First no new requests, then, some time later, no more time for the running ones."""

    def __init__(self) -> None:
        self._begun = False
        self.gentle = False
        """Another version takes over: whoever got in before is still served, and no one is refused."""
        self._calls: set[trio.CancelScope] = set()
        self._awaited = 0
        self._rest = trio.lowlevel.ParkingLot()

    @property
    def begun(self) -> bool:
        """Whether the end has begun."""
        return self._begun

    @property
    def calls(self) -> int:
        """Requests running now."""
        return len(self._calls)

    @property
    def refusing(self) -> bool:
        """Whether a request that comes now is turned away."""
        return self._begun and not self.gentle

    def begin(self) -> None:
        """Begin the end: answers from now on say that their connection closes."""
        self._begun = True

    def cut(self) -> None:
        """End the running requests."""
        for scope in tuple(self._calls):
            scope.cancel()

    async def quiet(self) -> None:
        """Wait for a moment in which no awaited request runs."""
        while self._awaited:
            await self._rest.park()

    @contextmanager
    def call(self, *, awaited: bool = True) -> Iterator[trio.CancelScope]:
        """Run one request inside; the scope says afterwards whether it was cut.

        `awaited` is false for those that would never end by themselves: somebody watches.
        """
        self._awaited += awaited
        with trio.CancelScope() as scope:
            self._calls.add(scope)
            try:
                yield scope
            finally:
                self._calls.discard(scope)
                self._awaited -= awaited
                if not self._awaited:
                    self._rest.unpark_all()
