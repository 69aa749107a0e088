"""Calls straight to an upstream: the way of nearly every request, with nothing in between.

A pool of HTTP/1.1 connections on Trio's streams. httpcore's, which serves calls through a proxy (`proxied.py`),
costs four times as much processor time per call, and needs a shield to survive cancellation (measured, 2026-11).
Here everything that has to happen when a call ends, however it ends, is synchronous: a connection goes back
to the pool or its socket is closed, and no task can be cancelled in between.

- A *stale* connection (kept alive, closed by the peer just when it was used again) is told apart from one
  that broke: only the first may be tried again unseen, since the peer cannot have read the request.
- A large body is written in slices, so that the write time-out means "takes nothing any more" and not "took
  longer than that for all of it"; a peer that answers before it has read everything and then stops reading
  is heard.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from math import inf

import httpcore2 as httpcore
import httpx2 as httpx
import trio
from attrs import define, field, frozen

from shunt.providers.base import UpstreamCall
from shunt.tcp import TcpStream
from shunt.upstream import errors
from shunt.upstream.http1 import AnswerReader, head_of
from shunt.upstream.network import (
    IDLE_CONNECTIONS,
    IDLE_FOR,
    REFUSED_WITHIN,
    SLICE,
    StaleConnection,
    notice_when_gone,
)
from shunt.upstream.silence import Watch
from shunt.upstream.timeouts import Timeouts
from shunt.wire.headers import Headers

READ = 64 * 1024
BROKEN = (OSError, trio.BrokenResourceError, trio.ClosedResourceError)


@frozen
class Place:
    """Where an origin is."""

    host: str
    """For name resolution and for its certificate."""
    port: int
    secure: bool
    name: bytes
    """For the Host header."""


@lru_cache(256)
def place_of(origin: str) -> Place:
    """Take `scheme://host[:port]` apart. Raises httpx.InvalidURL."""
    url = httpx.URL(origin)
    secure = url.scheme == "https"
    return Place(url.raw_host.decode("ascii"), url.port or (443 if secure else 80), secure, url.netloc)


@define(eq=False)
class Connection:
    """One connection to an upstream."""

    origin: str
    stream: TcpStream | trio.SSLStream[TcpStream]
    """Its bytes in the clear."""
    tcp: TcpStream
    """The same, as they come and go."""
    due: float = inf
    """Trio's clock until which its next bytes are waited for."""
    overdue: bool = False
    """They did not come."""
    answered: bool = False
    """An answer has come on it before."""
    idle_since: float = 0.0
    """Trio's clock when its last answer had ended."""
    _asked_at: float = 0.0
    """Trio's clock when a request began on it."""
    _quiet: bool = False
    """Nothing has been read since then."""

    async def ask(
        self, data: bytes, body: bytes, reader: AnswerReader, timeouts: Timeouts, watch: Watch
    ) -> None:
        """Send a request (`data`, then `body`) and read until the answer's head is there.

        Raises httpcore.WriteTimeout, ReadTimeout, ReadError (StaleConnection is one) and RemoteProtocolError.
        """
        self._asked_at, self._quiet = trio.current_time(), True
        whole = await self._write(data, body, timeouts.write)
        # For the head as a whole: an upstream that sends one `102 Processing` after another is as good as silent.
        watch.expect(self, timeouts.silence)
        while not reader.begun:
            if answer := await self.receive():
                reader.feed(answer)
            else:
                reader.end()
        self.due = inf
        if not whole:
            reader.reusable = False

    async def receive(self) -> bytes | bytearray:
        """Some bytes; none at the end. Raises StaleConnection, httpcore.ReadTimeout or ReadError."""
        try:
            data = await self.stream.receive_some(READ)
        except BROKEN as error:
            if self.overdue:
                raise httpcore.ReadTimeout from None
            if self._is_stale():
                raise StaleConnection from error
            raise httpcore.ReadError from error
        if data:
            self._quiet = False
        elif self._is_stale():
            raise StaleConnection
        return data

    def is_readable(self) -> bool:
        """Whether bytes, or an end, have come that were not read."""
        return self.tcp.is_readable()

    def close(self) -> None:
        """Close it at once. Whoever reads or writes gets an error."""
        self.tcp.socket.close()

    async def _write(self, data: bytes, body: bytes, patience: float) -> bool:
        """Write all; False when the peer takes no more, and may have answered before it had read everything.

        Raises httpcore.WriteTimeout.
        """
        try:
            if len(body) <= SLICE and isinstance(self.stream, TcpStream):
                whole = data + body
                taken = self.stream.send_now(whole)
                if taken == len(whole):  # as nearly always
                    return True
                data, body = whole[taken:], b""
            with trio.CancelScope() as scope:
                for part in _slices(data, body):
                    scope.deadline = trio.current_time() + patience
                    await self.stream.send_all(part)
        except BROKEN:
            return False
        if scope.cancelled_caught and not self.tcp.is_readable():
            raise httpcore.WriteTimeout
        return not scope.cancelled_caught

    def _is_stale(self) -> bool:
        return self.answered and self._quiet and trio.current_time() - self._asked_at < REFUSED_WITHIN


def _slices(data: bytes, body: bytes) -> Iterator[bytes | memoryview]:
    """A request in pieces of 64 KiB; a small one, as most are, in one."""
    if len(body) <= SLICE:
        yield data + body
        return
    yield data
    view = memoryview(body)
    for at in range(0, len(view), SLICE):
        yield view[at : at + SLICE]


@define(eq=False)
class Answer:
    """An upstream's answer, its body still to be read."""

    status: int
    headers: Headers = field(repr=False)
    _pool: Pool
    _connection: Connection
    _reader: AnswerReader
    _silence: float
    """Seconds without a byte."""
    _given_back: bool = False

    async def next(self) -> bytes | None:
        """Some of the body as it came, or None at its end.

        Raises httpcore.ReadTimeout, ReadError and RemoteProtocolError.
        """
        reader = self._reader
        while True:
            piece = reader.take()
            if reader.complete:
                self._give_back()
            if piece:
                return piece
            if reader.complete:
                return None
            if reader.fault is not None:
                raise reader.fault
            self._pool.watch.expect(self._connection, self._silence)
            data = await self._connection.receive()
            self._connection.due = inf  # a client that takes its time is not the upstream's fault
            if data:
                reader.feed(data)
            else:
                reader.end()

    async def aclose(self) -> None:
        """Give the connection back if the body has been read, else close it. Idempotent."""
        self._give_back()

    def _give_back(self) -> None:
        if not self._given_back:
            self._given_back = True
            self._reader.close()
            self._pool.take_back(self._connection, reusable=self._reader.complete and self._reader.reusable)


@define(eq=False)
class Pool:
    """Connections straight to upstreams. No limit: a call never queues for one."""

    _tls: ssl.SSLContext
    watch: Watch
    _open: set[Connection] = field(factory=set)
    _idle: list[Connection] = field(factory=list)
    """Those of them that wait for a call, the longest idle first."""
    _retired: bool = False

    def connections(self) -> int:
        """Connections held, idle ones included."""
        return len(self._open)

    def idle(self) -> int:
        """Connections that wait for a call."""
        return len(self._idle)

    async def exchange(self, call: UpstreamCall, timeouts: Timeouts) -> Answer:
        """Send a call and wait for the answer's head.

        Raises UpstreamUnreachable, UpstreamTimeout, UpstreamBroke and InvalidRequest.
        """
        try:
            place = place_of(call.origin)
            head = head_of(call, place.name)
        except httpcore.LocalProtocolError as error:
            raise errors.mapped(error, call.origin) from None
        except httpx.InvalidURL as error:
            raise errors.mapped(error, call.origin, sent=False) from error
        connection = self._waiting(call.origin)
        if connection is None:
            try:
                connection = await self._connect(call.origin, place, timeouts)
            except Exception as error:
                raise errors.mapped(error, call.origin, sent=False) from error
        reader = AnswerReader()
        try:
            await connection.ask(head, call.body, reader, timeouts, self.watch)
        except Exception as error:
            self._drop(connection)
            reader.close()
            raise errors.mapped(error, call.origin) from error
        except BaseException:  # cancelled: half a request may be on the wire
            self._drop(connection)
            reader.close()
            raise
        return Answer(reader.status, reader.headers, self, connection, reader, timeouts.silence)

    def take_back(self, connection: Connection, *, reusable: bool) -> None:
        """An answer on it has ended, or is not read to its end."""
        if not reusable or self._retired:
            self._drop(connection)
            return
        self.watch.forget(connection)
        connection.answered, connection.idle_since = True, trio.current_time()
        self._idle.append(connection)
        if len(self._idle) > IDLE_CONNECTIONS:
            self._drop(self._idle.pop(0))

    def close_old(self) -> None:
        """Close what has been idle for too long: the peer is about to do so."""
        oldest = trio.current_time() - IDLE_FOR
        while self._idle and self._idle[0].idle_since < oldest:
            self._drop(self._idle.pop(0))

    def retire(self) -> None:
        """Close idle connections now, and those in use when their answer ends."""
        self._retired = True
        while self._idle:
            self._drop(self._idle.pop())

    async def aclose(self) -> None:
        """Close all connections, also those in use."""
        self.retire()
        for connection in tuple(self._open):
            self._drop(connection)

    def _waiting(self, origin: str) -> Connection | None:
        """Take the connection to `origin` that was used last out of the idle ones."""
        self.close_old()
        for at in range(len(self._idle) - 1, -1, -1):
            if self._idle[at].origin == origin:
                connection = self._idle.pop(at)
                if not connection.tcp.is_readable():
                    return connection
                self._drop(connection)  # closed by the peer, or it said something unasked
        return None

    async def _connect(self, origin: str, place: Place, timeouts: Timeouts) -> Connection:
        """Make a connection. Raises httpcore.ConnectTimeout and ConnectError."""
        within = timeouts.connect
        with _explained(), trio.fail_after(within):
            stream = await trio.open_tcp_stream(place.host, place.port)
        plain = TcpStream(stream)
        connection = Connection(origin, plain, plain)
        self._open.add(connection)
        try:
            with _explained():
                notice_when_gone(stream.socket, timeouts.write)
            if place.secure:
                secured = trio.SSLStream(plain, self._tls, server_hostname=place.host, https_compatible=True)
                with _explained(), trio.fail_after(within):
                    await secured.do_handshake()
                connection.stream = secured
        except BaseException:
            self._drop(connection)
            raise
        return connection

    def _drop(self, connection: Connection) -> None:
        self._open.discard(connection)
        self.watch.forget(connection)
        connection.close()


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except trio.TooSlowError as error:
        raise httpcore.ConnectTimeout from error
    except BROKEN as error:
        raise httpcore.ConnectError from error
