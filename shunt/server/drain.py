"""The end of a server's life as its running requests see it."""

from __future__ import annotations

from types import TracebackType
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

    def call(self, *, awaited: bool = True) -> Stretch:
        """Run one request inside; the scope says afterwards whether it was cut.

        `awaited` is false for those that would never end by themselves: somebody watches.
        """
        return Stretch(self, awaited=awaited)

    def begun_by(self, scope: trio.CancelScope, *, awaited: bool) -> None:
        """A request begins."""
        self._awaited += awaited
        self._calls.add(scope)

    def ended_by(self, scope: trio.CancelScope, *, awaited: bool) -> None:
        """A request has ended."""
        self._calls.discard(scope)
        self._awaited -= awaited
        if not self._awaited:
            self._rest.unpark_all()


class Stretch:
    """The time of one request. Written out, since every request has one: a generator would cost twice as much."""

    __slots__ = ("_awaited", "_drain", "_scope")

    def __init__(self, drain: Drain, *, awaited: bool) -> None:
        self._drain = drain
        self._awaited = awaited
        self._scope = trio.CancelScope()

    def __enter__(self) -> trio.CancelScope:
        self._drain.begun_by(self._scope, awaited=self._awaited)
        return self._scope.__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        self._drain.ended_by(self._scope, awaited=self._awaited)
        return self._scope.__exit__(kind, error, trace)
