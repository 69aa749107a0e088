"""Events of a Responses stream as bytes, numbered in order."""

from __future__ import annotations

from typing import Any

from shunt.wire import json, sse


class EventWriter:
    """Collects the bytes of events until they are taken."""

    def __init__(self) -> None:
        self._out = bytearray()
        self._number = 0

    def write(self, kind: str, fields: dict[str, Any]) -> None:
        """Write one event."""
        document = {"type": kind, "sequence_number": self._number, **fields}
        self._number += 1
        self._out += sse.encode(kind, json.encode(document))

    def write_raw(self, chunk: bytes) -> None:
        """Write what is no numbered event: a keep-alive."""
        self._out += chunk

    def delta(self, head: bytes, words: str) -> None:
        """Write a delta whose other fields were put into `head` before: most events are deltas."""
        self._out += b'%s%s,"sequence_number":%d}\n\n' % (head, json.encode(words), self._number)
        self._number += 1

    def take(self) -> bytes:
        """The bytes since the last call."""
        out = bytes(self._out)
        self._out.clear()
        return out


def delta_head(kind: str, fields: dict[str, Any]) -> bytes:
    """All of a delta event up to its words."""
    document = json.encode({"type": kind, **fields})
    return b'event: %s\ndata: %s,"delta":' % (kind.encode(), document[:-1])
