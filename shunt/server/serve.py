"""Sockets, and the life of the server: accept, serve, drain, end.

Hypercorn's own serving loop is not used: it binds late, queues 100 connections, dies with one of them,
and at shutdown either cuts streams or hangs.
"""

from __future__ import annotations

import errno
import logging
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from socket import socket as Socket  # noqa: N812 - trio.socket is the other one here
from typing import Final

import trio
from attrs import define, evolve, field
from hypercorn.config import Config
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ASGIFramework

from shunt.config.addresses import is_loopback
from shunt.server.bounds import Bounds
from shunt.server.connection import Connection
from shunt.server.descriptors import affordable, raise_limit
from shunt.server.drain import DRAIN, Drain
from shunt.server.plain_http import Service
from shunt.server.remarks import Remarks
from shunt.server.tally import Refusal, Tally

log = logging.getLogger(__name__)

MOMENT: Final = 0.3
"""Seconds that connections get to bring their first request when another version takes over."""
FRESH: Final = 2.0
"""Seconds that a client has to begin its first request before its place may go to another."""
NO_ROOM: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_FULL: Final = (
    b'{"type":"error","error":{"type":"overloaded_error","message":"shunt has as many connections open as'
    b' it may; try again in a moment, or raise connections in [limits]."}}'
)
BUSY: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\ncontent-length: %d\r\n"
    b"retry-after: 5\r\nconnection: close\r\n\r\n%s" % (len(_FULL), _FULL)
)
"""Said before anything was read, hence without a protocol: all of them read this shape."""


async def serve(
    app: ASGIFramework,
    sockets: Sequence[Socket],
    *,
    bounds: Bounds,
    shutdown: trio.Event,
    tally: Tally | None = None,
    drain: Drain | None = None,
    tls: Callable[[], ssl.SSLContext | None] = lambda: None,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve `app` on listening sockets until `shutdown` is set and what runs has ended. Owns the sockets.

    After `shutdown` no connection is accepted, idle ones are closed, new requests on the others get
    a 503, running ones have `bounds.drain` seconds. What is left then is told so and cut. Returns
    after at most `bounds.drain + bounds.cut` seconds plus a moment, whatever the clients do.
    `tls` is asked for the certificate at every new connection.
    """
    drain = drain or Drain()
    bounds = evolve(bounds, connections=affordable(bounds.connections, raise_limit()))
    house = House(_service(app, bounds, drain, tally or Tally()), tls)
    listeners = [trio.SocketListener(trio.socket.from_stdlib_socket(sock)) for sock in sockets]
    async with trio.open_nursery() as serving:
        try:
            async with trio.open_nursery() as accepting:
                for listener in listeners:
                    accepting.start_soon(house.accept, listener, serving)
                task_status.started()
                await shutdown.wait()
                accepting.cancel_scope.cancel()
            for listener in listeners:
                listener.socket.close()
            await house.empty(drain)
        finally:
            # Closed sockets end even shielded writes: neither shutdown nor an error elsewhere waits.
            for listener in listeners:
                listener.socket.close()
            house.abort()
        serving.cancel_scope.cancel()


def _service(app: ASGIFramework, bounds: Bounds, drain: Drain, tally: Tally) -> Service:
    config = Config()
    config.accesslog = config.errorlog = None  # the front door logs what happens, once
    config.include_server_header = False
    config.h11_pass_raw_headers = True  # header names go on as they came
    config.keep_alive_max_requests = 10**9  # no reason to ever end a good connection
    return Service(app, config, WorkerContext(None), {DRAIN: drain}, bounds, Remarks(), tally)


@define(eq=False)
class House:
    """All open connections."""

    _service: Service
    _tls: Callable[[], ssl.SSLContext | None] = lambda: None
    """The certificate to show to a new client; None speaks in the clear."""
    _connections: dict[Connection, str] = field(factory=dict)
    """With the address each came from."""
    _left: trio.lowlevel.ParkingLot = field(factory=trio.lowlevel.ParkingLot)
    _entering: int = 0
    """Connections that were accepted and are not among those yet."""
    _full_since: float | None = None
    """Trio's clock when somebody came first while all places were taken."""

    async def accept(self, listener: trio.SocketListener, nursery: trio.Nursery) -> None:
        """Accept connections for ever. A shortage of file descriptors is waited out."""
        while True:
            try:
                stream = await listener.accept()
            except OSError as error:
                if error.errno not in NO_ROOM:
                    raise
                self._service.remarks.warn("accept", f"cannot accept connections: {error.strerror}")
                self._service.tally.add(Refusal.DESCRIPTORS)
                self._make_room()
                await trio.sleep(0.1)
                continue
            try:
                await self._room_or_patience()
            except BaseException:
                stream.socket.close()
                raise
            self._entering += 1
            nursery.start_soon(self._serve, stream)

    async def _serve(self, stream: trio.SocketStream) -> None:
        self._entering -= 1
        try:
            address = str(stream.socket.getpeername()[0])
        except OSError:  # gone already
            stream.socket.close()
            return
        if not self._has_room(address):
            try:
                with suppress(OSError), trio.move_on_after(1):
                    await stream.socket.send(BUSY)
            finally:
                stream.socket.close()
            return
        connection = Connection(self._service, stream, self._tls())
        self._connections[connection] = address
        try:
            await connection.run()
        finally:
            del self._connections[connection]
            self._left.unpark_all()

    async def _room_or_patience(self) -> None:
        """Wait a while for a place; whoever comes meanwhile stays in the system's queue."""
        bounds = self._service.bounds
        if not self._is_full():
            self._full_since = None
            return
        self._full_since = now = trio.current_time() if self._full_since is None else self._full_since
        with trio.CancelScope(deadline=now + bounds.full):
            while self._is_full() and not self._idle():
                with trio.move_on_after(0.05):  # somebody leaves, or only becomes idle
                    await self._left.park()

    def _is_full(self) -> bool:
        return len(self._connections) + self._entering >= self._service.bounds.connections

    def _has_room(self, address: str) -> bool:
        bounds = self._service.bounds
        if not is_loopback(address) and list(self._connections.values()).count(address) >= bounds.per_address:
            self._service.remarks.warn(
                "address", f"{address} has {bounds.per_address} connections open; refusing more"
            )
            self._service.tally.add(Refusal.ADDRESS)
            return False
        if len(self._connections) < bounds.connections or self._make_room():
            return True
        self._service.remarks.warn(
            "full", f"{bounds.connections} connections are open and none is idle; refusing more"
        )
        self._service.tally.add(Refusal.CONNECTIONS)
        return False

    def _make_room(self) -> bool:
        """Close the connection that has been idle for longest, if one is."""
        idle = self._idle()
        if idle:
            min(idle, key=lambda connection: connection.idle_since or 0.0).abort()
        return bool(idle)

    def _idle(self) -> list[Connection]:
        """Those that may be closed for others: not one that has just come and had no time to ask."""
        before = trio.current_time() - FRESH
        return [
            connection
            for connection in self._connections
            if (since := connection.idle_since) is not None and (connection.served or since < before)
        ]

    async def empty(self, drain: Drain) -> None:
        """Let everybody finish, within bounds."""
        bounds = self._service.bounds
        drain.begin()
        await self._service.context.terminated.set()  # connections close after the running answer
        if drain.gentle:  # a connection that has just been made sends its request in a moment
            with trio.move_on_after(MOMENT):
                await self._wait_until_empty()
        for connection in tuple(self._connections):
            connection.retire()
        with trio.move_on_after(bounds.drain):
            await self._wait_until_empty()
            return
        log.warning("%d requests had not finished in %g s and were cut", drain.calls, bounds.drain)
        drain.cut()
        with trio.move_on_after(bounds.cut):
            await self._wait_until_empty()

    async def _wait_until_empty(self) -> None:
        while self._connections:
            await self._left.park()

    def abort(self) -> None:
        """Close every connection at once."""
        for connection in tuple(self._connections):
            connection.abort()
