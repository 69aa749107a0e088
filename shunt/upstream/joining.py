"""Chunks of a chunked answer that arrived together are passed on together.

A vendor sends each event as a chunk of its own; when several arrive in one packet, every layer from here to
the client's socket would handle each by itself. Only what is already here is joined: nothing waits.

h11 asks a *reader* for the next piece of a body. Ours asks h11's own as long as that has something to give.
It is put in its place on the connection beneath an answer, which httpcore does not show; the contract test
in `tests/upstream` holds the locked versions to it, and where the way there is another, nothing is joined.
"""

from __future__ import annotations

from typing import Any, Final

import h11
from attrs import define

MOST: Final = 64 * 1024
"""Bytes that are joined at most; what is read from a socket at once is no more."""


@define(eq=False)
class JoiningReader:
    """Stands in the place of h11's reader of chunked bodies."""

    _reader: Any
    _next: h11.EndOfMessage | None = None
    _error: Exception | None = None

    def __call__(self, buffer: Any) -> h11.Data | h11.EndOfMessage | None:
        """Take all that is whole out of the buffer; None when there is nothing. Raises what h11 raises."""
        if self._error is not None:
            raise self._error
        if self._next is not None:
            return self._next
        first = self._reader(buffer)
        if not isinstance(first, h11.Data):
            return first  # type: ignore[no-any-return]
        parts = [first.data]
        size = len(first.data)
        while size < MOST:
            try:
                found = self._reader(buffer)
            except Exception as error:  # noqa: BLE001 - after what came before it
                self._error = error
                break
            if not isinstance(found, h11.Data):
                self._next = found
                break
            parts.append(found.data)
            size += len(found.data)
        return first if len(parts) == 1 else h11.Data(data=b"".join(parts))

    def read_eof(self) -> Any:
        """The peer closed the connection: h11 knows what that means here."""
        return self._reader.read_eof()


def join_chunks(answer: Any) -> bool:
    """Have the chunks of an answer (httpcore's) joined; whether that was possible."""
    stream = getattr(answer.stream, "_stream", None)
    state = getattr(getattr(stream, "_connection", None), "_h11_state", None)
    reader = getattr(state, "_reader", None)
    if state is None or type(reader).__name__ != "ChunkedReader":
        return False
    state._reader = JoiningReader(reader)  # noqa: SLF001 - see above
    return True
