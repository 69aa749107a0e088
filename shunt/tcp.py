"""A TCP connection, with as little as possible between it and the system.

Trio's `SocketStream` fails once before it waits for bytes, takes a step of its scheduler for bytes that the system
takes at once, and goes through several layers for both. That was half of what passing on an event cost (measured,
2026-11), so the streams that carry answers are these.
"""

from __future__ import annotations

import os
import select
import socket
import sys
from collections.abc import Callable
from typing import Any, Final

import trio

MOST: Final = 64 * 1024
"""Bytes that one read brings at most."""
DIRECT: Final = sys.platform != "win32"
"""Whether sockets are files, as everywhere but on Windows."""

LONGEST: Final = 2_147_483.0
"""Seconds: what the system can count in milliseconds."""
CLOSED: Final = "the connection has been closed here"
APART: Final = 5.0
"""Seconds by which the system has to be more patient than we are, so that an end is ours and told in our words."""


def end_when_gone(sock: socket.socket | trio.socket.SocketType, silent: float, stalled: float) -> None:
    """Have the system end a connection whose other end acknowledges nothing for `silent` seconds.

    Linux counts just as well the time in which the other end acknowledges and takes nothing (measured, 6.18), and that
    may last `stalled` seconds: the longer of the two holds. Elsewhere nothing is changed.
    """
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        seconds = min(max(silent, stalled + APART), LONGEST)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(seconds * 1000))


class TcpStream(trio.abc.HalfCloseableStream):
    """Reads and writes a connection. Closing its `socket` ends whoever waits for it."""

    def __init__(self, stream: trio.SocketStream) -> None:
        """Take over a connection of Trio's, with its socket and its options."""
        self._stream = stream
        self.socket = stream.socket
        # Of the socket that Trio's stands for: asked three times for each event. Below zero once it is closed.
        self._fileno: Callable[[], int] = getattr(stream.socket, "_sock", stream.socket).fileno
        self._poll: Any = None

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """Some bytes; none at the end. Raises trio.BrokenResourceError or ClosedResourceError."""
        if not DIRECT:
            return await self._stream.receive_some(max_bytes)
        most = max_bytes or MOST
        while True:
            await trio.lowlevel.wait_readable(self._number())
            # Asked for again: since it was woken, another task may have closed it, and a third opened another.
            if (number := self._fileno()) < 0:
                raise trio.ClosedResourceError(CLOSED)
            try:
                return os.read(number, most)
            except BlockingIOError:  # woken for nothing
                continue
            except OSError as error:
                raise trio.BrokenResourceError(f"{error.strerror}") from error

    def is_readable(self) -> bool:
        """Whether there are bytes, or an end, to be read; true as well for one that is closed."""
        if not hasattr(select, "poll"):
            return self.socket.is_readable()
        if self.socket.fileno() < 0:
            return True
        if self._poll is None:
            self._poll = select.poll()  # made once: it costs more than asking it
            self._poll.register(self._number(), select.POLLIN)
        return bool(self._poll.poll(0))

    def send_now(self, data: bytes | bytearray | memoryview) -> int:
        """How many of these bytes the system takes without waiting; raises as `receive_some`.

        No checkpoint: whoever writes again and again has to wait for something else now and then.
        """
        if not DIRECT:
            return 0
        try:
            return os.write(self._number(), data)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise trio.BrokenResourceError(f"{error.strerror}") from error

    async def send_more(self, data: memoryview) -> int:
        """Wait until some of these bytes are taken, and say how many. Raises as `receive_some`."""
        while True:
            number = self._number()
            if not DIRECT:
                try:
                    return await self.socket.send(data)
                except OSError as error:
                    raise trio.BrokenResourceError(f"{error.strerror}") from error
            await trio.lowlevel.wait_writable(number)
            if taken := self.send_now(data):
                return taken

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Write all of data. Raises as `receive_some`."""
        await trio.lowlevel.checkpoint_if_cancelled()
        taken = self.send_now(data)
        rest = memoryview(data)[taken:]
        while rest:
            rest = rest[await self.send_more(rest) :]

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until the system takes bytes."""
        await self._stream.wait_send_all_might_not_block()

    async def send_eof(self) -> None:
        """End our side."""
        await self._stream.send_eof()

    async def aclose(self) -> None:
        """Close it at once."""
        self.socket.close()
        await trio.lowlevel.checkpoint()

    def _number(self) -> int:
        """The system's number for it, asked anew each time: a closed one's may be somebody else's by now."""
        number = self._fileno()
        if number < 0:
            raise trio.ClosedResourceError(CLOSED)
        return number
