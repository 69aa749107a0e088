"""One client for everything that is sent to a vendor: straight (`direct.py`) or through a proxy (`proxied.py`).

What goes on the wire is Host and the call's headers, in their order and case, and exactly the call's target
and body: nothing is added, remembered or logged.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import ClassVar, Protocol

import trio
from attrs import define, field

from shunt.errors import UpstreamBroke, UpstreamError, UpstreamUnreachable
from shunt.providers.base import UpstreamCall
from shunt.upstream import errors
from shunt.upstream.direct import Pool
from shunt.upstream.network import StaleConnection, create_tls
from shunt.upstream.proxied import ProxiedPool
from shunt.upstream.silence import Watch
from shunt.upstream.timeouts import CLOSE_WITHIN, Timeouts
from shunt.wire.headers import Headers


class Answer(Protocol):
    """An answer whose body is still to be read."""

    @property
    def status(self) -> int:
        """HTTP status."""

    @property
    def headers(self) -> Headers:
        """As received: order, case and duplicates."""

    async def next(self) -> bytes | None:
        """Some of the body as it came, or None at its end. Raises httpcore's errors."""

    async def aclose(self) -> None:
        """Let go of it. Idempotent, safe under cancellation."""


class Connections(Protocol):
    """A pool of connections."""

    def connections(self) -> int:
        """Connections held, idle ones included."""

    async def exchange(self, call: UpstreamCall, timeouts: Timeouts) -> Answer:
        """Send a call and wait for the answer's head. Raises UpstreamError and InvalidRequest."""

    def idle(self) -> int:
        """Connections that wait for a call."""

    def retire(self) -> None:
        """Close idle connections; those in use are closed when their answer ends."""

    def close_old(self) -> None:
        """Close what has been idle for too long."""

    async def aclose(self) -> None:
        """Close everything. Bounded, safe under cancellation."""


@define(eq=False)
class Line:
    """One way to upstreams: direct, or through one proxy."""

    pool: Connections
    in_flight: int = 0
    """Calls that are being sent or whose answer is open."""
    retired: bool = False
    """Takes no new calls, and is closed when the last has ended."""

    async def release(self) -> None:
        """One call has ended. Safe under cancellation."""
        self.in_flight -= 1
        await self.close_if_spent()

    async def close_if_spent(self) -> None:
        """Close a retired pool that nobody uses any more."""
        if self.retired and not self.in_flight:
            await self.pool.aclose()


@define(eq=False)
class Reply:
    """An upstream's answer; its body is still to be read. Close it, whatever happens."""

    status: int
    headers: Headers = field(repr=False)
    """As received: order, case and duplicates."""
    _origin: str
    _answer: Answer
    _line: Line
    _reading: bool = False
    """A read has begun and not ended well: bytes may be lost, so this must not look like an end."""
    _ended: bool = False
    _closed: bool = False
    unsaid: ClassVar[tuple[str, ...]] = ()
    """Nothing: an upstream has got the whole request, and speaks for itself."""

    @property
    def closed(self) -> bool:
        """Whether there is nothing left to close."""
        return self._closed

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
        self._reading = True
        try:
            chunk = await self._answer.next()
        except Exception as error:
            raise errors.mapped(error, self._origin, answering=True) from error
        self._reading = False
        if chunk is None:
            self._ended = True
            await self.aclose()
            raise StopAsyncIteration
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
        await self._answer.aclose()
        await self._line.release()


@define(eq=False)
class Upstream:
    """Sends calls. One object for the program's life."""

    timeouts: Timeouts
    _tls: ssl.SSLContext
    _watch: Watch = field(factory=Watch)
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
        return sum(line.pool.connections() for line in self._all_lines())

    def _all_lines(self) -> list[Line]:
        self._retired = [line for line in self._retired if line.in_flight or line.pool.connections()]
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

    def close_old(self) -> None:
        """Close connections that have been idle for too long. To be called now and then."""
        for line in self._all_lines():
            line.pool.close_old()

    async def drop_idle(self) -> None:
        """Close idle connections now, and those in use when their call ends.

        After a sleep of the machine or a change of network they are dead without knowing it.
        """
        for line in list(self._lines.values()):
            await self._retire(line)

    async def attend(self) -> None:
        """End calls whose upstream stays silent; runs as long as there are calls."""
        await self._watch.attend()

    async def aclose(self) -> None:
        """Close everything."""
        for line in self._all_lines():
            await line.pool.aclose()

    def _line(self, proxy: str) -> Line:
        if proxy not in self._lines:
            self._lines[proxy] = Line(
                ProxiedPool(self._tls, proxy, self.timeouts) if proxy else Pool(self._tls, self._watch)
            )
        return self._lines[proxy]

    async def _retire(self, line: Line) -> None:
        if line.retired:
            return
        line.retired = True
        line.pool.retire()
        self._lines = {proxy: it for proxy, it in self._lines.items() if it is not line}
        self._retired.append(line)
        await line.close_if_spent()

    async def _send_on(self, line: Line, call: UpstreamCall) -> Reply:
        line.in_flight += 1
        try:
            answer = await line.pool.exchange(call, self.timeouts)
        except BaseException as error:
            with trio.move_on_after(CLOSE_WITHIN) as scope:
                scope.shield = True
                if call.proxy and isinstance(error, UpstreamUnreachable):
                    await self._retire(line)  # httpcore keeps a slot for a tunnel whose TLS failed
                await line.release()
            raise
        # No await until the reply holds the answer.
        return Reply(answer.status, answer.headers, call.origin, answer, line)


@asynccontextmanager
async def open_upstream(timeouts: Timeouts, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Upstream]:
    """Open the client for the time of the block. `tls` replaces the system's authorities, for tests.

    Raises ConfigError when SSL_CERT_FILE cannot be read.
    """
    upstream = Upstream(timeouts, tls or create_tls())
    failed: Exception | None = None
    async with trio.open_nursery() as nursery:
        nursery.start_soon(upstream.attend)
        try:
            yield upstream
        except Exception as error:  # noqa: BLE001 - raised below: the nursery would make a group of it
            failed = error
        finally:
            await upstream.aclose()
            nursery.cancel_scope.cancel()
    if failed is not None:
        raise failed
