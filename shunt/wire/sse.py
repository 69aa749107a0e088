"""Server-sent events, as bytes in and events out; no IO.

Every byte that is fed comes out again: the `raw` of all events, joined with that of `close()`, is the
input. A relay can therefore forward whole events untouched and, when the stream breaks, leave out the
half one, which no client could read.

An event ends at an empty line; lines end in LF, CRLF or CR. Whether LF CR is complete depends on the
next byte, so it is waited for; CR CR is complete at once, and a LF after it counts as one more empty
line. That way events never depend on how the bytes were cut. Everything works on bytes: U+2028 is no
line end, and a character split between two reads is whole again in its event.
Format: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from attrs import frozen

from shunt.errors import UpstreamUnexpected

EVENT_LIMIT: Final = 64 * 1024 * 1024
"""Bytes of one event. Agents do receive events of 20 MiB (a file in one piece)."""
MOST_LINES: Final = 100_000
"""Lines of one event. Each costs time to look at, and no sender has use for a tenth of them."""

SHORT: Final = 16 * 1024
"""Bytes that are looked at for being one event by themselves."""

_BOM: Final = b"\xef\xbb\xbf"
_END: Final = re.compile(rb"\n\n|\n\r\n|\n\r(?=[^\n])|\r\r")
_LINE_END: Final = re.compile(rb"\r\n|\n|\r")
_USUAL: Final = re.compile(rb"(?:event: ([^\r\n]*)\n)?data: ([^\r\n]*)\n\n")
"""How nearly every event is written; streams do little else than this."""
_OVERLAP: Final = 2
"""Bytes of a possible event end that may already lie in the buffer when more arrive."""


@frozen
class Event:
    """One event, or a run of comments between two; fields are read when asked for."""

    raw: bytes
    """Every byte of it, up to and including the empty line."""

    @property
    def name(self) -> str:
        """Value of the last `event:` line; empty when there is none."""
        usual = _USUAL.fullmatch(self.raw)
        if usual is not None:
            return (usual[1] or b"").decode("utf-8", "replace")
        name = b""
        for line in self._lines():
            if line.startswith(b"event:"):
                name = _value(line, 6)
            elif line == b"event":
                name = b""
        return name.decode("utf-8", "replace")

    @property
    def data(self) -> bytes | None:
        """The `data:` lines joined with LF; None when there are none (comments, `retry:`)."""
        usual = _USUAL.fullmatch(self.raw)
        if usual is not None:
            return usual[2]
        found = [_value(line, 5) for line in self._lines() if line.startswith(b"data:") or line == b"data"]
        if not found:
            return None
        return found[0] if len(found) == 1 else b"\n".join(found)

    @property
    def told(self) -> tuple[str, bytes | None]:
        """Name and data at once, which is quicker than one after the other."""
        usual = _USUAL.fullmatch(self.raw)
        if usual is None:
            return self.name, self.data
        name, data = usual.groups()
        return name.decode("utf-8", "replace") if name else "", data

    def _lines(self) -> list[bytes]:
        # bytes.splitlines knows exactly the three line ends of the format.
        return self.raw.removeprefix(_BOM).splitlines()


class Decoder:
    """Cuts a byte stream into events."""

    def __init__(self, limit: int = EVENT_LIMIT, lines: int = MOST_LINES) -> None:
        self._limit = limit
        self._lines = lines
        self._buffer = bytearray()
        self._searched = 0
        self._skipping = False
        self._carriage = False

    @property
    def pending(self) -> int:
        """Bytes held back because their event is not complete."""
        return len(self._buffer)

    @property
    def is_between(self) -> bool:
        """Whether nothing is held back or given up: the next byte begins an event."""
        return not (self._buffer or self._skipping)

    def feed(self, data: bytes) -> Iterator[Event]:
        """Take the next bytes; return the events that are now complete.

        The iterator raises UpstreamUnexpected at the first event above the limit, complete or not.
        """
        if not self._buffer and self._is_one(data):
            return iter((Event(data),))
        self._buffer += data
        # JSON never holds a bare CR, so nearly every stream stays on the quick search below.
        self._carriage = self._carriage or b"\r" in data
        return self._complete()

    def close(self) -> Event | None:
        """Return what followed the last event end; None when nothing did.

        A sender that forgets the last empty line leaves a whole event here, a broken connection half
        of one: only its content can tell.
        """
        raw = bytes(self._buffer)
        self._buffer.clear()
        self._searched = 0
        return Event(raw) if raw and not self._skipping else None

    def head(self, size: int) -> bytes:
        """Return the first bytes of the incomplete event."""
        return bytes(self._buffer[:size])

    def skip(self) -> None:
        """Give up the incomplete event: its remaining bytes are dropped as they come."""
        self._skipping = True
        self._drop_searched()

    def _complete(self) -> Iterator[Event]:
        while end := self._end():
            if end > self._limit and not self._skipping:
                raise self._too_large()
            raw = bytes(self._buffer[:end])
            # Fewer bytes than that cannot hold more lines, so nearly no event has to be counted.
            if end > self._lines and not self._skipping and line_count(raw) > self._lines:
                raise UpstreamUnexpected(f"The upstream sent an event of more than {self._lines:,} lines.")
            del self._buffer[:end]
            self._searched = 0
            if self._skipping:
                self._skipping = False
            else:
                yield Event(raw)
        self._searched = max(0, len(self._buffer) - _OVERLAP)
        if self._skipping:
            self._drop_searched()
        elif len(self._buffer) > self._limit:
            raise self._too_large()

    def _is_one(self, data: bytes) -> bool:
        """Whether these bytes are one whole event: what nearly every read of a live stream brings."""
        end = len(data) - 2
        return (
            0 <= end <= SHORT
            and data.find(b"\n\n") == end
            and b"\r" not in data
            and not (self._skipping or self._carriage)
            and end < self._limit - 2
            and end < self._lines
        )

    def _end(self) -> int:
        """Length of the first event in the buffer, 0 while it is not complete."""
        if self._carriage:
            found = _END.search(self._buffer, self._searched)
            return found.end() if found else 0
        at = self._buffer.find(b"\n\n", self._searched)
        return at + 2 if at >= 0 else 0

    def _drop_searched(self) -> None:
        del self._buffer[:-_OVERLAP]
        self._searched = 0

    def _too_large(self) -> UpstreamUnexpected:
        return UpstreamUnexpected(f"The upstream sent an event of more than {self._limit:,} bytes.")


def line_count(raw: bytes) -> int:
    """About how many lines these bytes have: those that end in CR LF count twice."""
    return raw.count(b"\n") + raw.count(b"\r")


def encode(event: str, data: bytes) -> bytes:
    """Write one event; an empty name leaves the `event:` line out."""
    head = b"event: " + event.encode() + b"\n" if event else b""
    if b"\n" in data or b"\r" in data:
        data = b"\ndata: ".join(_LINE_END.split(data))
    return head + b"data: " + data + b"\n\n"


def comment(text: str) -> bytes:
    """Write one comment, which every client ignores."""
    return b": " + text.encode() + b"\n\n"


def _value(line: bytes, colon: int) -> bytes:
    """Return what follows the colon, without the one space that may follow it."""
    return line[colon + 1 :] if line[colon : colon + 1] == b" " else line[colon:]
