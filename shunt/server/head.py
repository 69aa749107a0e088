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

    def next_event(self) -> type[h11.NEED_DATA | h11.PAUSED] | h11.Event:
        """Return the next event, or raise `h11.RemoteProtocolError`."""
        if self.their_state is h11.IDLE:
            check_head(self.trailing_data[0], self._bounds)
        before = self.trailing_data[0] if self.their_state is h11.SEND_BODY else b""
        event = super().next_event()
        if before and isinstance(event, h11.EndOfMessage):
            # It took the end of a body, with its trailer.
            taken = before[: len(before) - len(self.trailing_data[0])]
            if taken.count(b"\n") != taken.count(b"\r\n"):
                raise h11.RemoteProtocolError("a line of the trailer ends without CR", 400)
        if isinstance(event, h11.Request):
            check_request(event)
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
