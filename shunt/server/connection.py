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
- Bytes behind a running request park the reader, so that nobody sees the client leave. Here one task
  only reads, another one feeds what was read.
- A task waits out the keep-alive time even after its client left. Here a deadline does that work.

`tests/server/test_connection.py` holds one test per promise; they fail when an upgrade moves what is
overridden here.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import lru_cache
from math import inf
from typing import Any, Final, cast

import h11
import trio
from attrs import frozen
from hypercorn.config import Config
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.protocol.h11 import H11Protocol
from hypercorn.protocol.http_stream import HTTPStream
from hypercorn.trio.task_group import TaskGroup
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import AppWrapper, ASGIFramework, ConnectionState
from hypercorn.utils import parse_socket_addr

from shunt.config.addresses import is_loopback
from shunt.server.asgi import AsgiCall, scope_of
from shunt.server.bounds import Bounds
from shunt.server.head import TLS_HANDSHAKE
from shunt.server.http1 import Http1
from shunt.server.inlet import Inlet
from shunt.server.line import Line, Stalled, open_line
from shunt.server.remarks import Remarks
from shunt.server.tally import Refusal, Tally
from shunt.wire.headers import Headers

log = logging.getLogger(__name__)

READ: Final = 65536
BROKEN: Final = (OSError, trio.BrokenResourceError, trio.ClosedResourceError)

REASONS: Final = {
    400: "The request is not proper HTTP/1.1 (a client speaking https to this http port?).",
    408: "The request's head did not arrive in time.",
    414: "The request line is too long.",
    417: "The Expect header asks for something unknown.",
    431: "The request has too many or too long headers.",
    501: "The request's transfer encoding is not supported.",
    505: "Only HTTP/1.1 is spoken here.",
}


@lru_cache(1)
def always(config: Config, second: int) -> Headers:  # noqa: ARG001 - asked once a second, of any clock
    """Headers of every answer: the date."""
    return tuple(config.response_headers("h11"))


@frozen
class Service:
    """What all connections of one server share."""

    app: ASGIFramework
    config: Config
    context: WorkerContext
    state: dict[str, Any]
    """Copied into every ASGI scope as `state`."""
    bounds: Bounds
    remarks: Remarks
    tally: Tally


class PlainHttp(H11Protocol):
    """Hypercorn's HTTP/1.1 protocol: strict about heads, and nothing but HTTP/1.1."""

    def __init__(
        self,
        service: Service,
        group: TaskGroup,
        client: Any,
        server: Any,
        send: Any,
        write: Callable[[bytes], Coroutine[Any, Any, None]],
        *,
        secure: bool = False,
    ) -> None:
        super().__init__(
            cast("AppWrapper", service.app),
            service.config,
            service.context,
            group,
            ConnectionState(service.state),
            ssl=secure,
            client=client,
            server=server,
            send=send,
        )
        self.connection: Http1 = Http1(service.bounds)  # type: ignore[assignment]  # has what is used of h11's
        self.pass_on = write
        """Writes bytes of an answer, see `asgi.Way`."""
        self._app = service.app
        self._remarks, self._tally = service.remarks, service.tally

    @property
    def request_complete(self) -> bool:
        """Whether the current request has come whole: what else comes belongs to a later one."""
        return self.connection.their_state not in (h11.IDLE, h11.SEND_BODY, h11.ERROR)

    @property
    def has_more(self) -> bool:
        """Whether bytes of a next request wait already."""
        return self.connection.has_more

    async def refuse(self, status: int) -> None:
        """Answer what has come of a request with an error, and end the connection."""
        if self.connection.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            await self._send_error_response(status)
        await self.send(Closed())

    async def _check_protocol(self, event: h11.Request) -> None:
        """Never switch to HTTP/2, whatever the request offers."""

    async def _create_stream(self, request: h11.Request) -> None:
        """Begin a request, an ordinary one even if it asks for an upgrade."""
        call = AsgiCall(self, request.method.decode("ascii"))
        self.stream = cast("HTTPStream", call)
        scope = scope_of(
            request,
            call,
            secure=self.ssl,
            client=self.client,
            server=self.server,
            state=dict(self.connection_state),
        )
        self.task_group.spawn(call.run, self._app, scope)

    # ── the way of an answer, see `asgi.Way` ──────────────────────────────────────────────────

    def head(self, status: int, headers: Headers) -> bytes:
        """The beginning of an answer."""
        return self._said(
            self.connection.head, status, (*headers, *always(self.config, int(trio.current_time())))
        )

    def some(self, body: bytes) -> bytes:
        """Some of an answer's body."""
        return self._said(self.connection.some, body)

    def end(self) -> bytes:
        """The end of an answer."""
        return self._said(self.connection.end)

    def _said(self, say: Callable[..., bytes], *what: object) -> bytes:
        """Bytes that go out; none once the client has sent nonsense: its answer has been given up."""
        try:
            return say(*what)
        except h11.LocalProtocolError:
            if self.connection.their_state is h11.ERROR:
                return b""
            raise

    async def over(self) -> None:
        """A call has ended: begin the next one, or close."""
        await self._maybe_recycle()

    async def _send_error_response(self, status_code: int) -> None:
        """Answer before there is a route, hence without a protocol: all of them read this shape."""
        if self.connection.trailing_data[0].startswith(TLS_HANDSHAKE):
            self._remarks.warn(
                "tls", "a client speaks https to this port; its base URL has to begin with http://"
            )
        self._tally.add(Refusal.HEAD_TIME if status_code == 408 else Refusal.HEAD)
        message = REASONS.get(status_code, REASONS[400])
        body = b'{"type":"error","error":{"type":"invalid_request_error","message":"%s"}}' % message.encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
            *self.config.response_headers("h11"),
        ]
        await self._send_h11_event(h11.Response(status_code=status_code, headers=headers))
        await self._send_h11_event(h11.Data(data=body))
        await self._send_h11_event(h11.EndOfMessage())


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
        self._inlet = Inlet.empty()
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
                async with trio.open_nursery() as feeding:
                    feeding.start_soon(self._feed)
                    await self._read()
                    self.abort()  # a client that has stopped sending is gone, see `_read`
                    feeding.cancel_scope.cancel()
                # Only now: what was being fed may have begun a request that has to hear of it.
                await self._protocol.handle(Closed())
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

    async def _read(self) -> None:
        """Read until the client closes its side or takes too long.

        A client that closes only its sending side counts as gone, too: no agent does it, and nothing
        else tells us of one that has left while its answer is being prepared.
        """
        self._expect(self._bounds.head_seconds)
        with self._patience, suppress(*BROKEN):
            while data := await self._line.receive(READ):
                if self._ending:
                    self._linger()
                elif not await self._took(bytes(data)):
                    log.info("connection dropped: too many bytes sent ahead of the answer")
                    self._service.tally.add(Refusal.AHEAD)
                    return
        if self._patience.cancelled_caught and self._head_begun and not self._ending:
            await self._protocol.refuse(408)

    async def _took(self, data: bytes) -> bool:
        """Pass data on; False when the client has sent too much ahead."""
        if not self._busy and not self._head_begun:
            self._head_begun = True
            self.idle_since = None
            self._head_until = trio.current_time() + self._bounds.head_seconds
        self._inlet.put(data)
        if self._inlet.holds(self._bounds.pipelined):
            if self._protocol.request_complete:
                return False
            await self._inlet.below(self._bounds.pipelined)
        return True

    async def _feed(self) -> None:
        while True:
            await self._protocol.handle(RawData(await self._inlet.take()))
            if self._head_begun and not self._busy and not self._ending:  # it came in pieces, as hardly ever
                self._patience.deadline = self._head_until

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
        return self._protocol.has_more or self._inlet.holds(0)

    def _linger(self) -> None:
        self._patience.deadline = min(trio.current_time() + self._bounds.linger, self._linger_until)
