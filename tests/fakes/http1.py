"""Just enough HTTP/1.1 for both ends of a test, kept apart from every library under test.

Nothing is normalised: names keep their case, headers their order, bodies their bytes.
"""

from __future__ import annotations

import socket
import struct

import trio
from attrs import define, field, frozen

Headers = tuple[tuple[bytes, bytes], ...]


class PeerLeft(Exception):
    """The other side closed or reset the connection before the message was whole."""


class NotHttp(Exception):
    """What came is not HTTP/1.1."""


@frozen
class Head:
    """A start line and its headers."""

    start: tuple[bytes, bytes, bytes]
    """The three words: method, target, version; or version, status, reason."""
    headers: Headers

    def get(self, name: bytes) -> bytes | None:
        """First value of `name` (lower case)."""
        return next((value for key, value in self.headers if key.lower() == name), None)


def parse_head(raw: bytes) -> Head:
    """Take apart everything before the empty line."""
    lines = raw.split(b"\r\n")
    words = lines[0].split(b" ", 2)
    if len(words) < 2:
        msg = f"not a start line: {lines[0][:80]!r}"
        raise NotHttp(msg)
    headers = []
    for line in lines[1:]:
        name, colon, value = line.partition(b":")
        if not colon:
            msg = f"not a header: {line[:80]!r}"
            raise NotHttp(msg)
        headers.append((name, value.strip(b" \t")))
    return Head((words[0], words[1], words[2] if len(words) == 3 else b""), tuple(headers))


def parse_length(value: bytes) -> int:
    """Content-Length as a number."""
    if not value.isdigit():
        msg = f"not a length: {value!r}"
        raise NotHttp(msg)
    return int(value)


@define
class Inbox:
    """Reads a stream by line, by length or to its end; what is left over stays for the next message."""

    stream: trio.abc.Stream
    buffer: bytearray = field(factory=bytearray)
    ended: bool = False
    """The peer has closed its side, or reset the connection."""

    async def fill(self) -> None:
        """Wait for more bytes. Raises PeerLeft when there will be none."""
        try:
            data = b"" if self.ended else await self.stream.receive_some(65536)
        except trio.BrokenResourceError:
            data = b""
        if not data:
            self.ended = True
            raise PeerLeft
        self.buffer += data

    async def until(self, mark: bytes) -> bytes:
        """Return everything before `mark`, and drop the mark."""
        searched = 0
        while (at := self.buffer.find(mark, searched)) < 0:
            searched = max(0, len(self.buffer) - len(mark) + 1)
            await self.fill()
        taken = bytes(self.buffer[:at])
        del self.buffer[: at + len(mark)]
        return taken

    async def exactly(self, count: int) -> bytes:
        """Return the next `count` bytes."""
        while len(self.buffer) < count:
            await self.fill()
        return self.take(count)

    def take(self, count: int) -> bytes:
        """Return up to `count` bytes that are already here."""
        taken = bytes(self.buffer[:count])
        del self.buffer[:count]
        return taken

    async def head(self) -> Head:
        """Return the next message's head."""
        return parse_head(await self.until(b"\r\n\r\n"))

    async def chunk(self) -> bytes:
        """Return the next chunk of a chunked body; empty for the last, whose trailers are dropped."""
        size = await self.until(b"\r\n")
        try:
            count = int(size.partition(b";")[0], 16)
        except ValueError as error:
            msg = f"not a chunk size: {size[:40]!r}"
            raise NotHttp(msg) from error
        if count == 0:
            while await self.until(b"\r\n"):
                pass
            return b""
        data = await self.exactly(count)
        await self.exactly(2)
        return data


def socket_of(stream: trio.abc.Stream) -> trio.socket.SocketType:
    """Return the socket beneath a stream, TLS or not."""
    while isinstance(stream, trio.SSLStream):
        stream = stream.transport_stream
    assert isinstance(stream, trio.SocketStream)
    return stream.socket


def reset(stream: trio.abc.Stream) -> None:
    """Close a connection so that the peer sees RST instead of an orderly end."""
    sock = socket_of(stream)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()
