"""A raw HTTP/1.1 client: sends exact bytes, times what comes back, leaves when and how it likes.

async with raw_client(port) as client:
    await client.send(request(b"POST", b"/v1/messages", body=b"{}"))
    answer = await client.response()
    assert answer.body == b"..."
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import trio
from attrs import define, frozen

from tests.fakes.http1 import Head, Headers, Inbox, PeerLeft, parse_length, reset, socket_of


@frozen
class Piece:
    """Body bytes that arrived together."""

    at: float
    """Trio's clock."""
    data: bytes
    """For a chunked body exactly one chunk; otherwise what one read returned."""


@frozen
class RawResponse:
    """An answer as far as it came."""

    version: bytes
    status: int
    reason: bytes
    headers: Headers
    pieces: tuple[Piece, ...]
    complete: bool
    """The framing's own end was seen."""
    headers_at: float
    """Trio's clock when the head was complete."""
    interim: tuple[int, ...] = ()
    """1xx statuses before it."""

    @property
    def body(self) -> bytes:
        """Everything that came, without the framing."""
        return b"".join(piece.data for piece in self.pieces)

    def get(self, name: bytes) -> bytes | None:
        """First value of the header `name` (lower case)."""
        return next((value for key, value in self.headers if key.lower() == name), None)


def request(
    method: bytes = b"GET",
    target: bytes = b"/",
    headers: Headers = (),
    body: bytes = b"",
    *,
    host: bytes = b"127.0.0.1",
) -> bytes:
    """Build a request. Host comes first; content-length last, when there is a body and none is given."""
    named = {name.lower() for name, _ in headers}
    lines = [method + b" " + target + b" HTTP/1.1"]
    if b"host" not in named:
        lines.append(b"host: " + host)
    lines += [name + b": " + value for name, value in headers]
    if body and not named & {b"content-length", b"transfer-encoding"}:
        lines.append(b"content-length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


@define(eq=False)
class Incoming:
    """An answer that is still coming."""

    inbox: Inbox
    method: bytes
    head: Head
    headers_at: float
    """Trio's clock when the head was complete."""
    interim: tuple[int, ...]
    """1xx statuses before it."""
    _left: int = -1
    """Bytes left of a body with a length."""

    def __attrs_post_init__(self) -> None:
        if (length := self.head.get(b"content-length")) is not None:
            self._left = parse_length(length)

    @property
    def status(self) -> int:
        """Its status."""
        return parse_length(self.head.start[1])

    async def piece(self) -> Piece | None:
        """Wait for the body's next piece; None at its end. Raises PeerLeft when it is cut."""
        if self.method == b"HEAD" or self.status in (101, 204, 304):
            return None
        if (self.head.get(b"transfer-encoding") or b"").lower() == b"chunked":
            data = await self.inbox.chunk()
        elif self._left >= 0:
            if self._left and not self.inbox.buffer:
                await self.inbox.fill()
            data = self.inbox.take(self._left)
            self._left -= len(data)
        else:
            if not self.inbox.buffer:
                with suppress(PeerLeft):
                    await self.inbox.fill()
            data = self.inbox.take(len(self.inbox.buffer))
        return Piece(trio.current_time(), data) if data else None

    async def rest(self) -> RawResponse:
        """Read what is left of it."""
        got: list[Piece] = []
        complete = True
        try:
            while piece := await self.piece():
                got.append(piece)
        except PeerLeft:
            complete = False
        version, _, reason = self.head.start
        return RawResponse(
            version,
            self.status,
            reason,
            self.head.headers,
            tuple(got),
            complete,
            self.headers_at,
            self.interim,
        )


@define(eq=False)
class RawClient:
    """One connection to a server."""

    inbox: Inbox

    @property
    def stream(self) -> trio.abc.Stream:
        """The connection itself."""
        return self.inbox.stream

    async def send(self, data: bytes) -> None:
        """Send exactly these bytes."""
        await self.stream.send_all(data)

    async def begin(self, method: bytes = b"GET") -> Incoming:
        """Wait for an answer's head. Raises PeerLeft when there is none."""
        interim: list[int] = []
        while True:
            head = await self.inbox.head()
            status = parse_length(head.start[1])
            if status == 101 or status >= 200:
                return Incoming(self.inbox, method, head, trio.current_time(), tuple(interim))
            interim.append(status)

    async def response(self, method: bytes = b"GET") -> RawResponse:
        """Read one whole answer, or as much of its body as came. Raises PeerLeft without a head."""
        incoming = await self.begin(method)
        return await incoming.rest()

    async def ask(
        self, method: bytes, target: bytes, headers: Headers = (), body: bytes = b""
    ) -> RawResponse:
        """Send a request and read its answer."""
        await self.send(request(method, target, headers, body))
        return await self.response(method)

    async def read_to_end(self) -> bytes:
        """Return everything until the server closes."""
        try:
            while True:
                await self.inbox.fill()
        except PeerLeft:
            return self.inbox.take(len(self.inbox.buffer))

    async def half_close(self) -> None:
        """Say that nothing more will be sent, and go on reading."""
        socket_of(self.stream).shutdown(trio.socket.SHUT_WR)
        await trio.lowlevel.checkpoint()

    def reset(self) -> None:
        """Leave with RST."""
        reset(self.stream)

    async def leave(self) -> None:
        """Leave with FIN."""
        await trio.aclose_forcefully(self.stream)


@asynccontextmanager
async def raw_client(
    port: int, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[RawClient]:
    """Connect to a server; the connection is closed at the end."""
    stream: trio.abc.Stream = await trio.open_tcp_stream(host, port)
    if tls is not None:
        stream = trio.SSLStream(stream, tls, server_hostname=host, https_compatible=True)
    try:
        yield RawClient(Inbox(stream))
    finally:
        await trio.aclose_forcefully(stream)


async def ask(
    port: int, method: bytes, target: bytes, headers: Headers = (), body: bytes = b""
) -> RawResponse:
    """Send one request on a connection of its own."""
    async with raw_client(port) as client:
        return await client.ask(method, target, headers, body)
