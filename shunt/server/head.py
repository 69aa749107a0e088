"""Stricter reading of request heads than h11's.

h11 takes heads that another HTTP program on the way may read differently (bare line feeds, folded
lines, a length beside a chunked body). Such requests are how smuggling works, no client of ours
sends them, so they are refused instead of interpreted.
"""

from __future__ import annotations

from typing import Final

import h11

from shunt.server.bounds import Bounds

VERSIONS: Final = (b"1.0", b"1.1")
TLS_HANDSHAKE: Final = b"\x16\x03"


class StrictConnection(h11.Connection):
    """h11's connection, refusing ambiguous heads with a fitting status.

    `next_event` raises `h11.RemoteProtocolError` with `error_status_hint` set, as h11 itself does.
    """

    def __init__(self, bounds: Bounds) -> None:
        # The sizes below are checked first; h11's own bounds what follows the head, e.g. chunk headers.
        super().__init__(h11.SERVER, max_incomplete_event_size=bounds.head + bounds.line)
        self._bounds = bounds
        self._chunked = False
        self._came = b""
        """What was there to be read when bytes came last. Looked at once a message: a body may come in very many chunks."""

    def receive_data(self, data: bytes) -> None:
        """Take the next bytes; none at the end."""
        super().receive_data(data)
        self._came = self.trailing_data[0]

    def next_event(self) -> type[h11.NEED_DATA | h11.PAUSED] | h11.Event:
        """Return the next event, or raise `h11.RemoteProtocolError`."""
        if self.their_state is h11.IDLE:
            check_head(self.trailing_data[0], self._bounds)
        event = super().next_event()
        if isinstance(event, h11.Request):
            check_request(event)
            self._chunked = any(name == b"transfer-encoding" for name, _ in event.headers)
        elif isinstance(event, h11.EndOfMessage) and self._chunked:
            rest = len(self.trailing_data[0])
            check_trailer(self._came[: len(self._came) - rest], len(event.headers))
        return event


def check_head(data: bytes, bounds: Bounds) -> None:
    """Check what has come of a head so far, and of whatever follows it."""
    if data.startswith(TLS_HANDSHAKE):
        raise h11.RemoteProtocolError("the client speaks https to an http port", 400)
    end = data.find(b"\r\n\r\n")
    head = data if end < 0 else data[: end + 2]
    line = head.find(b"\r\n")
    if (len(head) if line < 0 else line) > bounds.line:
        raise h11.RemoteProtocolError("request line too long", 414)
    if len(head) > bounds.head or head.count(b"\r\n") - 1 > bounds.fields:
        raise h11.RemoteProtocolError("too many or too long headers", 431)
    if head.count(b"\n") != head.count(b"\r\n"):
        raise h11.RemoteProtocolError("a line ends without CR", 400)
    if b"\r\n " in head or b"\r\n\t" in head:
        raise h11.RemoteProtocolError("a header is folded", 400)


def check_request(request: h11.Request) -> None:
    """Check a whole head."""
    if request.http_version not in VERSIONS:
        raise h11.RemoteProtocolError("only HTTP/1.0 and HTTP/1.1 are spoken here", 505)
    names = [name for name, _ in request.headers]
    if b"transfer-encoding" in names and (
        b"content-length" in names or names.count(b"transfer-encoding") > 1 or request.http_version == b"1.0"
    ):
        raise h11.RemoteProtocolError("the body's length is ambiguous", 400)
    expected = [value.lower() for name, value in request.headers if name == b"expect"]
    if any(value != b"100-continue" for value in expected):
        raise h11.RemoteProtocolError("an expectation that cannot be met", 417)


def check_trailer(taken: bytes, fields: int) -> None:
    """Check the lines that end a chunked body: `taken` ends with them, `fields` is how many h11 has found."""
    lines = taken.rsplit(b"\n", fields + 2)[:-1]
    if not all(line.endswith(b"\r") for line in lines):
        raise h11.RemoteProtocolError("a line of the trailer ends without CR", 400)
    if any(line[:1] in (b" ", b"\t") for line in lines[1:]):
        raise h11.RemoteProtocolError("a header is folded", 400)
