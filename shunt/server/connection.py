"""One client connection, around Hypercorn's HTTP/1.1 protocol.

Hypercorn's protocol takes a connection's requests one after the other. What it does with the socket around that
does not keep our promises, so its `TCPServer` is replaced by `Connection`, and `PlainHttp` overrides a few steps of
its `H11Protocol`, reads with `http1.py` and has calls of its own (`asgi.py`). Nothing is patched in place. Found with
Hypercorn 0.18.0:

- A WebSocket upgrade with one extra byte raises out of the connection and ends the whole server.
  Here an upgrade is never entered, nor is HTTP/2, and no error leaves a connection.
- A connection is often not closed after an answer that said it would be, and idle time is not counted:
  Quart-Trio cancels the sender just before Hypercorn gets there. Here both steps are synchronous.
- A write to a client that does not read is shielded without limit, so shutdown hangs. Here a write
  ends when the client takes nothing for `bounds.stall`.
- Bytes behind a running request park the reader, so that nobody sees the client leave. Here they wait in the
  protocol's buffer, within a bound, and the end of the answer goes on with them.
- A task waits out the keep-alive time even after its client left. Here a deadline does that work.

`tests/server/test_connection.py` holds one test per promise; they fail when an upgrade moves what is
overridden here.
"""

from __future__ import annotations

import logging
import ssl
from contextlib import suppress
from math import inf
from typing import Final

import trio
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.trio.task_group import TaskGroup
from hypercorn.utils import parse_socket_addr

from shunt.config.addresses import is_loopback
from shunt.server.line import Line, Stalled, open_line
from shunt.server.plain_http import PlainHttp, Service
from shunt.server.tally import Refusal

log = logging.getLogger(__name__)

READ: Final = 65536
BROKEN: Final = (OSError, trio.BrokenResourceError, trio.ClosedResourceError)


class Connection:
    """One client's connection, from accept to the last byte."""

    def __init__(
        self, service: Service, stream: trio.SocketStream, tls: ssl.SSLContext | None = None
    ) -> None:
        self._service = service
        self._tls = tls
        self._line: Line
        self._bounds = service.bounds
        self._stream = stream
        self._send_lock = trio.Lock()
        self._protocol: PlainHttp
        self._patience = trio.CancelScope()
        """Around all reading; its deadline says how long the client may still be silent."""
        self._busy = False
        """A request is being answered."""
        self._head_begun = False
        """Bytes of a head have come, the head is not whole."""
        self._head_until = inf
        """Trio's clock at which it has to be."""
        self._ending = False
        """Our side is closed; what still comes is thrown away."""
        self._linger_until = 0.0
        self.idle_since: float | None = trio.current_time()
        """Trio's clock when the last answer ended, or the client came; None while anything is going on."""
        self.served = False
        """A request has come on it."""

    async def run(self) -> None:
        """Serve the connection to its end. Raises nothing but Cancelled."""
        try:
            sock = self._stream.socket
            client = parse_socket_addr(sock.family, sock.getpeername())
            server = parse_socket_addr(sock.family, sock.getsockname())
        except OSError:  # gone before it was looked at
            self.abort()
            return
        line = await self._opened(here=is_loopback(str(client[0]) if client else ""))
        if line is None:
            self.abort()
            return
        self._line = line
        try:
            async with TaskGroup() as group:
                self._protocol = PlainHttp(
                    self._service, group, client, server, self._send, self._write, secure=line.secure
                )
                self._expect(self._bounds.head_seconds)
                await self._read(group)
        except* Exception as errors:  # one bad connection must not end the server
            log.error("connection dropped: %r", errors.exceptions, exc_info=errors)  # noqa: TRY400
        finally:
            self.abort()
            with suppress(AttributeError):
                del self._protocol  # they hold each other: the collector would have to find them

    async def _opened(self, *, here: bool) -> Line | None:
        """The line to the client, once TLS is agreed upon where it has to be."""
        try:
            return await open_line(
                self._stream,
                self._tls,
                stall=self._bounds.stall,
                patience=self._bounds.head_seconds,
                here=here,
            )
        except BaseException:
            self.abort()
            raise

    def retire(self) -> None:
        """End the connection if nothing is going on; the server is shutting down."""
        if not self._busy and not self._head_begun:
            self.abort()

    def abort(self) -> None:
        """Close at once. Whoever reads or writes gets an error, shielded or not."""
        self._stream.socket.close()

    # ── reading ───────────────────────────────────────────────────────────────────────────────

    async def _read(self, group: TaskGroup) -> None:
        """Read until the client closes its side or takes too long, or until a request begins.

        Whoever reads a request answers it, and another task reads on: a task for the answer would have to wait for
        its turn, behind the events of all streams that have something to say.

        A client that closes only its sending side counts as gone, too: no agent does it, and nothing
        else tells us of one that has left while its answer is being prepared.
        """
        patience, call = self._patience, None
        with patience, suppress(*BROKEN):
            while await self._keeps_up() and (data := await self._line.receive(READ)):
                if self._ending:
                    self._linger()
                    continue
                await self._take(bytes(data))
                if (call := self._protocol.begun()) is not None:
                    self._patience = trio.CancelScope(deadline=patience.deadline)
                    break
        if call is not None:
            group.spawn(self._read, group)
            await call()
            return
        if patience.cancelled_caught and self._head_begun and not self._ending:
            await self._protocol.refuse(408)
        self.abort()  # a client that has stopped sending is gone
        await self._protocol.handle(Closed())

    async def _take(self, data: bytes) -> None:
        """Pass data on."""
        if not self._busy and not self._head_begun:
            self._head_begun = True
            self.idle_since = None
            self._head_until = trio.current_time() + self._bounds.head_seconds
        await self._protocol.handle(RawData(data))
        if self._head_begun and not self._busy and not self._ending:  # it came in pieces, as hardly ever
            self._patience.deadline = self._head_until

    async def _keeps_up(self) -> bool:
        """Wait until most of what has come was taken; False when the client has sent too much ahead."""
        if self._ending:
            return True
        if self._protocol.request_complete and self._protocol.ahead > self._bounds.pipelined:
            log.info("connection dropped: too many bytes sent ahead of the answer")
            self._service.tally.add(Refusal.AHEAD)
            return False
        await self._protocol.caught_up()
        return True

    def _expect(self, seconds: float) -> None:
        self._patience.deadline = trio.current_time() + seconds

    # ── what the protocol wants done ──────────────────────────────────────────────────────────

    async def _send(self, event: Event) -> None:
        if isinstance(event, RawData):
            await self._write(event.data)
        elif isinstance(event, Closed):
            self._end()
            await self._protocol.handle(Closed())
        elif isinstance(event, Updated):
            self._turn(idle=event.idle)

    async def _write(self, data: bytes) -> None:
        """Write all of data. A client that is gone, or takes nothing any more, ends the connection."""
        lock = self._send_lock
        try:
            if lock.locked():
                await lock.acquire()
            else:  # as nearly always; `acquire` would let all other tasks run first
                await trio.lowlevel.checkpoint_if_cancelled()
                if not (data := self._line.send_now(data)):
                    return
                lock.acquire_nowait()
            try:
                await self._line.send(data)  # shields itself: half a chunk would spoil what comes after it
            finally:
                lock.release()
        except BROKEN as error:
            if isinstance(error, Stalled) or isinstance(error.__cause__, Stalled):
                log.info("connection dropped: the client takes nothing for %g s", self._bounds.stall)
                self._service.tally.add(Refusal.STALLED)
        else:
            return
        self.abort()
        await self._protocol.handle(Closed())

    def _turn(self, *, idle: bool) -> None:
        """A request has begun (not idle), or its answer has ended."""
        if self._ending:
            return
        self._busy, self._head_begun = not idle, idle and self._sent_ahead
        self.idle_since = trio.current_time() if idle and not self._head_begun else None
        if not idle:
            self.served = True
            self._patience.deadline = inf
            return
        self._expect(self._bounds.head_seconds if self._head_begun else self._bounds.keep_alive)
        self._head_until = self._patience.deadline

    def _end(self) -> None:
        """Close our side; if the client is still sending, the reader waits a little for its."""
        if self._ending:
            return
        self._ending = True
        with suppress(OSError):
            self._stream.socket.shutdown(trio.socket.SHUT_WR)
        if self._protocol.request_complete and not self._sent_ahead:
            self._patience.deadline = -inf
            return
        self._linger_until = trio.current_time() + self._bounds.linger_total
        self._linger()

    @property
    def _sent_ahead(self) -> bool:
        """Whether bytes of a next request have come."""
        return self._protocol.ahead > 0

    def _linger(self) -> None:
        self._patience.deadline = min(trio.current_time() + self._bounds.linger, self._linger_until)
