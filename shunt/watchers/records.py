"""The way of finished requests into the history: bounded, and never in a request's way."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import trio

from shunt.accounts.state import RequestRecord

CAPACITY = 10_000
"""Records kept while the disk is slow or failing; a few MB."""


class Records:
    """A queue that drops its oldest record, and counts it, rather than make a request wait."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.dropped = 0
        """Records lost since the program started."""
        self._capacity = capacity
        self._queue: deque[RequestRecord] = deque()
        self._arrived = trio.Event()

    def __len__(self) -> int:
        """How many records wait."""
        return len(self._queue)

    def offer(self, record: RequestRecord) -> None:
        """Hand in one record. Called from the request's task; never waits, never raises."""
        if len(self._queue) >= self._capacity:
            self._queue.popleft()
            self.dropped += 1
        self._queue.append(record)
        self._arrived.set()

    async def arrived(self) -> None:
        """Return as soon as there is something to take."""
        if not self._queue:
            self._arrived = trio.Event()
        await self._arrived.wait()

    def take(self, limit: int) -> list[RequestRecord]:
        """Take out up to `limit` of the oldest records."""
        return [self._queue.popleft() for _ in range(min(limit, len(self._queue)))]

    def put_back(self, batch: Sequence[RequestRecord]) -> None:
        """Return records that could not be written; the oldest of them go if there is no room."""
        room = self._capacity - len(self._queue)
        kept = batch[-room:] if room > 0 else ()
        self.dropped += len(batch) - len(kept)
        self._queue.extendleft(reversed(kept))
        if kept:
            self._arrived.set()
