"""One HTTP client for everything that is sent to a vendor.

Works on an httpx transport, not on httpx's client object: that one adds headers of its own, remembers
cookies across accounts and logs addresses. What goes on the wire is Host and the call's headers, in
their order and case, and exactly the call's target and body.

The pool under cancellation (both libraries were measured, 2026-11): a cancel that arrives after a
connection was assigned and before the request was begun leaves a slot and a socket behind for ever.
So a send is shielded until httpcore reports that it has begun to write the request; from there on
it cleans up by itself. The shielded part is bounded by the connect time-out. `tests/upstream` holds
the versions we run on to this.
"""

from __future__ import annotations

import math
import ssl
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import httpcore2 as httpcore
import httpx2 as httpx
import trio
from attrs import define, field, frozen

from shunt.errors import (
    UpstreamBroke,
    UpstreamError,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from shunt.providers.base import UpstreamCall
from shunt.upstream import errors
from shunt.upstream.network import Connection, StaleConnection, Transport, create_tls
from shunt.wire.headers import Headers

BEGUN: Final = "send_request_headers.started"
"""Httpcore's trace event from which on a cancel is safe."""
OPENED: Final = "connect_tcp.complete"
"""Httpcore's trace event that brings a new connection."""
SENT: Final = "receive_response_headers.started"
"""Httpcore's trace event when the whole request is on the wire."""
CLOSE_WITHIN: Final = 5.0
"""Seconds that closing a connection may hold up a task that is being cancelled."""


@frozen
class Timeouts:
    """How long an upstream is waited for, in seconds."""

    connect: float = 10.0
    """For TCP, for a proxy's part and for TLS, each; three times this for all of them together."""
    write: float = 60.0
    """Without the upstream taking any more of the request."""
    silence: float = 600.0
    """Without a byte of the answer; also the limit for its headers as a whole, since an upstream that
    sends one `102 Processing` after another is as good as silent."""


@define(eq=False)
class Line:
    """One connection pool: direct, or through one proxy."""

    transport: Transport
    in_flight: int = 0
    """Calls that are being sent or whose answer is open."""
    retired: bool = False
    """Takes no new calls, and is closed when the last has ended."""

    def connections(self) -> int:
        """Connections its pool holds, idle ones included."""
        return len(self.transport.pool.connections)

    async def release(self) -> None:
        """One call has ended. Safe under cancellation."""
        self.in_flight -= 1
        await self.close_if_spent()

    async def close_if_spent(self) -> None:
        """Close a retired pool that nobody uses any more."""
        if self.retired and not self.in_flight:
            with trio.move_on_after(CLOSE_WITHIN) as scope:
                scope.shield = True
                await self.transport.aclose()


@define(eq=False)
class Reply:
    """An upstream's answer; its body is still to be read. Close it, whatever happens."""

    status: int
    headers: Headers = field(repr=False)
    """As received: order, case and duplicates."""
    _origin: str
    _response: httpx.Response
    _line: Line
    _body: AsyncGenerator[bytes, None] | None = None
    _reading: bool = False
    """A read has begun and not ended well: bytes may be lost, so this must not look like an end."""
    _ended: bool = False
    _closed: bool = False

    def chunks(self) -> AsyncIterator[bytes]:
        """Return the body as it comes, undecoded, in whatever pieces; there is only one iterator.

        Its `__anext__` raises UpstreamTimeout or UpstreamBroke. A cancelled `__anext__` is final: the
        next one raises UpstreamBroke, never a clean end.
        """
        return self

    def __aiter__(self) -> Reply:
        """Return itself."""
        return self

    async def __anext__(self) -> bytes:
        """Wait for more of the body."""
        if self._ended:
            raise StopAsyncIteration
        if self._reading or self._closed:
            raise UpstreamBroke(errors.broke_off(errors.address(self._origin)))
        if self._body is None:
            self._body = self._response.aiter_raw()
        self._reading = True
        try:
            chunk = await anext(self._body)
        except StopAsyncIteration:
            self._ended = True
            await self.aclose()
            raise
        except Exception as error:
            raise errors.mapped(error, self._origin, answering=True) from error
        self._reading = False
        return chunk

    async def read(self, limit: int, within: float) -> bytes:
        """Read up to `limit` bytes for up to `within` seconds and close. Returns what came; never raises.

        Meant for the bodies of errors, where half a message is better than none.
        """
        parts: list[bytes] = []
        size = 0
        try:
            with trio.move_on_after(within), suppress(UpstreamError):
                async for chunk in self:
                    parts.append(chunk)
                    size += len(chunk)
                    if size >= limit:
                        break
        finally:
            with trio.move_on_after(CLOSE_WITHIN) as scope:
                scope.shield = True
                await self.aclose()
        return b"".join(parts)[:limit]

    async def aclose(self) -> None:
        """Give the connection back if the body has been read, else close it. Idempotent.

        Runs to its end also when the task has been cancelled.
        """
        if self._closed:
            return
        self._closed = True
        with trio.move_on_after(CLOSE_WITHIN) as scope:
            scope.shield = True
            # A task that still reads makes the generator's aclose fail; the second ends that read.
            with suppress(Exception):
                if self._body is not None:
                    await self._body.aclose()
            with suppress(Exception):
                await self._response.aclose()
        await self._line.release()


@define(eq=False)
class Upstream:
    """Sends calls. One object for the program's life."""

    timeouts: Timeouts
    _tls: ssl.SSLContext
    _lines: dict[str, Line] = field(factory=dict)
    """The pool in use, by proxy URL; empty for none."""
    _retired: list[Line] = field(factory=list)

    @property
    def in_flight(self) -> int:
        """Calls that are being sent or whose answer is open."""
        return sum(line.in_flight for line in self._all_lines())

    @property
    def pool_size(self) -> int:
        """Connections held, idle ones included. Stays above `in_flight` + idle only if some leaked."""
        return sum(line.connections() for line in self._all_lines())

    def _all_lines(self) -> list[Line]:
        self._retired = [line for line in self._retired if line.in_flight or line.connections()]
        return [*self._lines.values(), *self._retired]

    async def send(self, call: UpstreamCall) -> Reply:
        """Send a call and wait for the answer's headers.

        Once more, unseen, when a kept-alive connection turns out to have been closed by the peer.
        Raises UpstreamUnreachable (nothing was sent), UpstreamTimeout, UpstreamBroke, and
        InvalidRequest for headers that HTTP forbids.
        """
        line = self._line(call.proxy)
        try:
            return await self._send_on(line, call)
        except UpstreamBroke as error:
            if not isinstance(error.__cause__, StaleConnection):
                raise
        await self._retire(line)  # its other idle connections are no younger
        return await self._send_on(self._line(call.proxy), call)

    async def drop_idle(self) -> None:
        """Close idle connections now, and those in use when their call ends.

        After a sleep of the machine or a change of network they are dead without knowing it.
        """
        for line in list(self._lines.values()):
            await self._retire(line)

    async def aclose(self) -> None:
        """Close everything."""
        for line in self._all_lines():
            with trio.move_on_after(CLOSE_WITHIN) as scope:
                scope.shield = True
                await line.transport.aclose()

    def _line(self, proxy: str) -> Line:
        if proxy not in self._lines:
            self._lines[proxy] = Line(Transport(self._tls, proxy))
        return self._lines[proxy]

    async def _retire(self, line: Line) -> None:
        if line.retired:
            return
        line.retired = True
        self._lines = {proxy: it for proxy, it in self._lines.items() if it is not line}
        self._retired.append(line)
        await line.close_if_spent()

    async def _send_on(self, line: Line, call: UpstreamCall) -> Reply:
        line.in_flight += 1
        try:
            response = await self._exchange(line, call)
        except BaseException as error:
            with trio.move_on_after(CLOSE_WITHIN) as scope:
                scope.shield = True
                if call.proxy and isinstance(error, UpstreamUnreachable):
                    await self._retire(line)  # httpcore keeps a slot for a tunnel whose TLS failed
                await line.release()
            raise
        # No await until the reply holds the response.
        reply = Reply(response.status_code, tuple(response.headers.raw), call.origin, response, line)
        connection = response.extensions["network_stream"]
        if isinstance(connection, Connection):
            if connection.quiet:
                # It was there before the question: left over from the answer before. Not ours.
                await reply.aclose()
                raise UpstreamBroke(errors.no_http(errors.address(call.origin)))
            connection.answered = True
        return reply

    async def _exchange(self, line: Line, call: UpstreamCall) -> httpx.Response:
        passage = Passage(self.timeouts)
        request = httpx.Request(
            call.method,
            call.origin,
            headers=list(call.headers),
            content=call.body,
            extensions={"target": call.target, "timeout": passage.phases, "trace": passage.trace},
        )
        try:
            with passage.scope:
                return await line.transport.handle_async_request(request)
        except httpcore.LocalProtocolError as error:
            raise errors.mapped(error, call.origin) from None
        except Exception as error:
            raise errors.mapped(error, call.origin, proxy=call.proxy, sent=passage.begun) from error
        finally:
            with trio.move_on_after(CLOSE_WITHIN) as scope:
                scope.shield = True
                await passage.aclose()
        host = errors.address(call.origin)
        if passage.begun:
            raise UpstreamTimeout(errors.silence(host))
        raise UpstreamUnreachable(errors.not_in_time(host))


@define(eq=False)
class Passage:
    """One call's way onto the wire, as httpcore reports it."""

    _timeouts: Timeouts
    begun: bool = False
    """Httpcore has begun to write the call itself; before that, there is only talk with a proxy."""
    phases: dict[str, float] = field(init=False)
    """Time-outs, read by httpcore when it needs them."""
    scope: trio.CancelScope = field(init=False)
    """Shielded until the call has begun."""
    _opened: httpcore.AsyncNetworkStream | None = None

    def __attrs_post_init__(self) -> None:
        connect = self._timeouts.connect
        # Until the call has begun, what is read is a proxy's greeting.
        self.phases = {"connect": connect, "pool": connect, "read": connect, "write": self._timeouts.write}
        self.scope = trio.CancelScope(shield=True, deadline=trio.current_time() + 3 * connect)

    async def trace(self, name: str, info: dict[str, Any]) -> None:
        """Take one of httpcore's trace events."""
        if name.endswith(OPENED):
            self._opened = info["return_value"]
        if not name.endswith((BEGUN, SENT)) or info["request"].method == b"CONNECT":
            return
        self.begun = True
        silence = self._timeouts.silence
        self.phases["read"] = silence
        self.scope.shield = False
        self.scope.deadline = math.inf if name.endswith(BEGUN) else trio.current_time() + silence
        await trio.lowlevel.checkpoint()  # whoever has left meanwhile is told before a byte is sent

    async def aclose(self) -> None:
        """Close a connection that was opened and never used: httpcore forgets it when a proxy fails."""
        if self._opened is not None and not self.begun:
            await self._opened.aclose()


@asynccontextmanager
async def open_upstream(timeouts: Timeouts, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Upstream]:
    """Open the client for the time of the block. `tls` replaces the system's authorities, for tests.

    Raises ConfigError when SSL_CERT_FILE cannot be read.
    """
    upstream = Upstream(timeouts, tls or create_tls())
    try:
        yield upstream
    finally:
        await upstream.aclose()
