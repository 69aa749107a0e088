"""Events for whoever watches: encoded once, queued per reader, and never waited for.

A reader that falls behind is cut off: it connects again and asks for the whole picture. Nobody's
slowness reaches a request.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

import trio
from attrs import define, field

from shunt.wire import json

QUEUE: Final = 256
"""Events a reader may lag behind."""
MOST_READERS: Final = 64
KEEP_ALIVE: Final = 15.0
"""Seconds of silence after which a comment shows that the connection lives."""
COMMENT: Final = b": alive\n\n"


@define(eq=False)
class Subscription:
    """One reader's queue. Iterating gives bytes for the wire and ends when the bus or the reader does."""

    kinds: Collection[str]
    """Names of the events wanted; empty for all."""
    cut: Callable[[], None]
    """Ends the reader's connection at once."""
    _bus: Bus
    _queue: deque[bytes] = field(factory=deque)
    _arrived: trio.Event = field(factory=trio.Event)
    closed: bool = False

    def offer(self, kind: str, data: bytes) -> None:
        """Queue one encoded event; a full queue ends the subscription."""
        if self.closed or (self.kinds and kind not in self.kinds):
            return
        if len(self._queue) >= QUEUE:
            self._bus.dropped += 1
            self.close()
            self.cut()
            return
        self._queue.append(data)
        self._arrived.set()

    def close(self) -> None:
        """Take no more; what is queued is still given out."""
        self.closed = True
        self._bus.forget(self)
        self._arrived.set()

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> bytes:
        if not self._queue:
            if self.closed:
                raise StopAsyncIteration
            self._arrived = trio.Event()
            with trio.move_on_after(KEEP_ALIVE):
                await self._arrived.wait()
            if not self._queue:
                if self.closed:
                    raise StopAsyncIteration
                return COMMENT
        out = b"".join(self._queue)
        self._queue.clear()
        return out


@define(eq=False)
class Bus:
    """Gives every event to every reader that wants it."""

    dropped: int = 0
    """Readers that were cut off because they lagged."""
    published: int = 0
    _readers: dict[int, Subscription] = field(factory=dict)
    _came: trio.Event = field(factory=trio.Event)
    _closed: bool = False

    def __len__(self) -> int:
        """How many read."""
        return len(self._readers)

    @property
    def full(self) -> bool:
        """Whether another reader would be one too many."""
        return len(self._readers) >= MOST_READERS

    def subscribe(self, kinds: Collection[str] = (), cut: Callable[[], None] = lambda: None) -> Subscription:
        """Begin to read. `cut` must not wait."""
        reader = Subscription(kinds, cut, self)
        if self._closed:
            reader.closed = True
            return reader
        self._readers[id(reader)] = reader
        self._came.set()
        return reader

    def publish(self, kind: str, document: Mapping[str, Any]) -> None:
        """Tell everybody. Never waits; costs nothing when nobody reads."""
        if not self._readers:
            return
        self.published += 1
        data = b"id: %d\nevent: %s\ndata: %s\n\n" % (self.published, kind.encode(), json.encode(document))
        for reader in tuple(self._readers.values()):
            reader.offer(kind, data)

    def event(self, kind: str, document: Mapping[str, Any]) -> bytes:
        """An event for one reader alone, outside of the numbering."""
        return b"event: %s\ndata: %s\n\n" % (kind.encode(), json.encode(document))

    async def reader_came(self) -> None:
        """Return as soon as there is somebody to tell something to."""
        if not self._readers:
            self._came = trio.Event()
            await self._came.wait()
        else:
            await trio.lowlevel.checkpoint()

    def close(self) -> None:
        """Let every reader go: the program ends, and open pages must not hold it up."""
        self._closed = True
        for reader in tuple(self._readers.values()):
            reader.close()

    def forget(self, reader: Subscription) -> None:
        """A reader has left."""
        self._readers.pop(id(reader), None)
