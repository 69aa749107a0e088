"""Reads the usage of a plain JSON answer on its way through.

In all three protocols `usage` is a top-level field, and written last, but nothing promises that: so the
whole body is kept while it is of ordinary size. Of a larger one (generated images come as base64) the
beginning names the model and the end holds the usage; the middle is let go.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from msgspec import Raw, Struct

from shunt.inference.failure import Failure
from shunt.inference.usage import Usage
from shunt.wire import json
from shunt.wire.headers import Headers

WHOLE: Final = 4 * 1024 * 1024
"""Bytes up to which a body is kept whole: sixteen times the longest answer a model gives as text."""
HEAD: Final = 16 * 1024
TAIL: Final = 64 * 1024

# A quotation mark inside a JSON string is escaped, so these can only match real keys.
_MODEL: Final = re.compile(rb'"model"\s*:\s*("(?:[^"\\]|\\.)*")')
_USAGE: Final = re.compile(rb'"usage"\s*:\s*(?=\{)')


class _Body(Struct):
    model: Raw = Raw()
    usage: Raw = Raw()
    error: Raw = Raw()


class BodyTap:
    """Keeps a bounded part of a JSON body and reads it at the end."""

    pending: Final = 0

    def __init__(
        self, read_usage: Callable[[Any], Usage], decode_error: Callable[[int, Headers, bytes], Failure]
    ) -> None:
        self.content = False
        self.finished = False
        self.failure: Failure | None = None
        self.usage = Usage()
        self.model = ""
        self._read_usage = read_usage
        self._decode_error = decode_error
        self._head = b""
        self._kept = bytearray()

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes. Whether they are content or an error shows only at the end."""
        self._kept += chunk
        if len(self._kept) > (TAIL * 2 if self._head else WHOLE):
            self.content = True  # no error is that long
            self._head = self._head or bytes(self._kept[:HEAD])
            del self._kept[:-TAIL]

    def close(self) -> None:
        """Read what the body said."""
        body = bytes(self._kept)
        self._kept.clear()
        if self._head:
            self._read_ends(body)
        elif document := json.peek(body, _Body):
            self.finished = True
            self.model = json.peek(document.model, str) or ""
            self.usage = self._read_usage(json.value(document.usage))
            if json.kind(document.error) not in ("nothing", "null"):
                self.failure = self._decode_error(200, (), body)
            self.content = self.failure is None

    def _read_ends(self, tail: bytes) -> None:
        self.finished = tail.rstrip().endswith(b"}")
        if model := _MODEL.search(self._head):
            self.model = json.peek(model[1], str) or ""
        for found in _USAGE.finditer(tail):
            usage = self._read_usage(json.first(tail[found.end() :]))
            if usage != Usage():
                self.usage = usage
