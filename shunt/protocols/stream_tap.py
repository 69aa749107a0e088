"""What the three stream taps share: cutting events, bounding memory, knowing what has passed."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from typing import Final

from shunt.inference.failure import Failure
from shunt.inference.usage import Usage
from shunt.wire import sse

EVENT_LIMIT: Final = 8 * 1024 * 1024
"""Bytes of one event that are kept for reading. A Responses stream ends with an event that repeats the
whole answer; beyond this size only its beginning is looked at."""
HEAD: Final = 4096
"""Bytes looked at of an event that is too large to keep."""


class StreamTap(ABC):
    """Reads a copy of a stream; a protocol says in `take` what an event means."""

    def __init__(self) -> None:
        self.content = False
        self.finished = False
        self.failure: Failure | None = None
        self.usage = Usage()
        self.model = ""
        self.pending = 0
        """Bytes fed last that belong to an event that is not complete yet."""
        self._decoder = sse.Decoder(limit=sys.maxsize, lines=sys.maxsize)
        self._between = True
        """The next byte begins an event. Noted, like `pending`, since nearly every event finds both as they were."""

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes, in any chunking."""
        if (
            self.content
            and self._between
            and not self.finished
            and chunk.endswith(b"\n\n")
            and not self.skim(chunk)
        ):
            return  # as nearly all of a stream: it is not even cut into events
        for event in self._decoder.feed(chunk):
            self._pass(event)
        if self._decoder.pending > EVENT_LIMIT:
            self.take_head(self._decoder.head(HEAD))
            self._decoder.skip()
        self._between, self.pending = self._decoder.is_between, self._decoder.pending

    def follow(self, event: sse.Event) -> None:
        """Take the next event from somebody who cuts the same stream, and feeds no more bytes here."""
        if self.pending:
            self._decoder.close()
            self._between, self.pending = self._decoder.is_between, 0
        self._pass(event)

    def close(self) -> None:
        """The stream has ended; an event without its empty line counts if it can be read."""
        if rest := self._decoder.close():
            self._pass(rest)
        self._between, self.pending = self._decoder.is_between, 0
        self.end()

    @abstractmethod
    def take(self, event: sse.Event) -> None:
        """Learn from one event; called until the terminal one has passed. Must not raise."""

    @abstractmethod
    def skim(self, raw: bytes) -> bool:
        """Look over whole events that come after the first content; whether they have to be read one by one.

        A text that quotes what is looked for is merely read in vain.
        """

    def take_head(self, head: bytes) -> None:
        """Learn from the beginning of an event too large to keep: nothing but content is that large."""
        del head
        self.content = True

    def end(self) -> None:  # noqa: B027 - most protocols have none to draw
        """Draw the conclusions that only the end of the stream allows."""

    def _pass(self, event: sse.Event) -> None:
        if self.finished:
            return
        if len(event.raw) > sse.MOST_LINES and sse.line_count(event.raw) > sse.MOST_LINES:
            self.take_head(event.raw[:HEAD])  # reading them all would hold everybody up
        else:
            self.take(event)
