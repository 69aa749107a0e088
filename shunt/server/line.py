"""The bytes of one client's connection, in the clear or through TLS.

Either way a write takes as long as the client takes something now and then, and closing the socket ends
whoever reads or writes at once.
"""

from __future__ import annotations

import logging
import socket
import ssl
from contextlib import suppress
from typing import Final, Protocol

import trio

from shunt.tcp import TcpStream, end_when_gone

log = logging.getLogger(__name__)

HANDSHAKE: Final = b"\x16"
"""The first byte of whoever speaks TLS (RFC 8446 §5.1)."""
PLAIN_ON_TLS: Final = (
    b'{"type":"error","error":{"type":"invalid_request_error","message":"This port speaks https: the base '
    b'URL has to begin with https://."}}'
)
GONE: Final = 60.0
"""Seconds in which a client has to acknowledge what it is sent. A silent one is sent a sign of life after fifty, and
is gone within two minutes."""
WRONG_SCHEME: Final = (
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: %d\r\n"
    b"connection: close\r\n\r\n%s" % (len(PLAIN_ON_TLS), PLAIN_ON_TLS)
)


class Stalled(trio.BrokenResourceError):
    """The client takes nothing any more."""


class Line(Protocol):
    """What a connection needs of it."""

    secure: bool
    """Whether it is TLS."""

    async def receive(self, most: int) -> bytes | bytearray:
        """Some bytes; none at the end. Raises OSError, trio.BrokenResourceError or trio.ClosedResourceError."""

    def send_now(self, data: bytes) -> bytes:
        """Write what can be written without waiting; the rest is for `send`. Raises as `receive`."""

    async def send(self, data: bytes) -> None:
        """Write all of data, also when the task is cancelled meanwhile. Raises as `receive`, and Stalled."""


class PlainLine:
    """In the clear."""

    secure = False

    def __init__(self, stream: trio.SocketStream, stall: float) -> None:
        """`stall` is the time in seconds in which the client has to take at least one byte."""
        self._stream = TcpStream(stream)
        self._stall = stall

    async def receive(self, most: int) -> bytes | bytearray:
        """Some bytes."""
        return await self._stream.receive_some(most)

    def send_now(self, data: bytes) -> bytes:
        """Write what the system takes."""
        return data[self._stream.send_now(data) :]

    async def send(self, data: bytes) -> None:
        """Write all of data."""
        rest = memoryview(data)[self._stream.send_now(data) :]
        while rest:
            with trio.CancelScope(deadline=trio.current_time() + self._stall, shield=True) as scope:
                rest = rest[await self._stream.send_more(rest) :]
            if scope.cancelled_caught:
                raise Stalled(f"the client takes nothing for {self._stall:g} s")


class _Under(TcpStream):
    """What TLS runs on: the same writing."""

    def __init__(self, stream: trio.SocketStream, plain: PlainLine) -> None:
        super().__init__(stream)
        self._plain = plain

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await self._plain.send(bytes(data))


class SecureLine:
    """Through TLS."""

    secure = True

    def __init__(self, stream: trio.SocketStream, context: ssl.SSLContext, stall: float) -> None:
        """Nothing is exchanged yet: see `shake_hands`."""
        under = _Under(stream, PlainLine(stream, stall))
        # HTTP says itself where an answer ends; many clients close without the last word of TLS.
        self._tls = trio.SSLStream(under, context, server_side=True, https_compatible=True)

    async def shake_hands(self) -> None:
        """Agree on keys. Raises trio.BrokenResourceError."""
        await self._tls.do_handshake()

    async def receive(self, most: int) -> bytes | bytearray:
        """Some bytes."""
        return await self._tls.receive_some(most)

    def send_now(self, data: bytes) -> bytes:
        """Nothing: TLS always has to be waited for."""
        return data

    async def send(self, data: bytes) -> None:
        """Write all of data."""
        with trio.CancelScope(shield=True):  # bounded by the line beneath
            await self._tls.send_all(data)


async def open_line(
    stream: trio.SocketStream,
    context: ssl.SSLContext | None,
    *,
    stall: float,
    patience: float,
    here: bool,
) -> Line | None:
    """Begin with a client that has connected; None when nothing comes of it.

    Args:
        stream: its connection.
        context: the certificate to show; None speaks in the clear.
        stall: seconds in which it has to take at least one byte.
        patience: seconds until keys have to be agreed upon.
        here: it is on this machine, where nobody listens in: it may also speak in the clear.
    """
    with suppress(OSError):  # it has left already
        end_when_gone(stream.socket, GONE, stall)
    if context is None:
        return PlainLine(stream, stall)
    try:
        with trio.move_on_after(patience):
            if here and await stream.socket.recv(1, socket.MSG_PEEK) != HANDSHAKE:
                return PlainLine(stream, stall)
            line = SecureLine(stream, context, stall)
            await line.shake_hands()
            return line
    except (OSError, trio.BrokenResourceError, trio.ClosedResourceError) as error:
        reason = getattr(error.__cause__, "reason", "") or ""
        log.info("no TLS with a client: %s", reason or error)
        if reason == "HTTP_REQUEST":
            with suppress(OSError, trio.ClosedResourceError), trio.move_on_after(1):
                await stream.socket.send(WRONG_SCHEME)
    return None
