"""Just enough HTTP/1.1 for the demo, on Trio and h11: a server for the vendor, a client for the story.

The program's own server and client belong to the rooms that own those libraries; the demo stands
outside of both so that it meets shunt exactly as a vendor and an agent do, at a socket.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import h11
import trio
from attrs import frozen

MOST_BODY = 64 * 1024 * 1024
"""Bytes of a request; agents send whole files."""
READ = 65_536
OK = 200

Headers = tuple[tuple[str, str], ...]


@frozen
class Request:
    """One request as it arrived."""

    method: str
    target: str
    """Path and query."""
    headers: tuple[tuple[bytes, bytes], ...]
    """Names in lower case."""
    body: bytes

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    def header(self, name: str) -> str:
        """Value of a header; empty when it was not sent."""
        return next((value.decode("latin-1") for key, value in self.headers if key == name.encode()), "")


@frozen
class Answer:
    """What to send back."""

    status: int
    headers: Headers
    pieces: Iterable[bytes]
    """The body. It goes out as chunks, with a pause before each piece."""
    pause: float = 0.0
    """Seconds before each piece."""


class TooLarge(Exception):
    """A request body above MOST_BODY."""


@asynccontextmanager
async def listening(nursery: trio.Nursery, answer: Callable[[Request], Answer]) -> AsyncIterator[str]:
    """Serve on a free loopback port while the context is open; yields the base URL.

    The server's tasks live in the caller's nursery, so an exception from the body reaches the caller
    as it is and not inside a group.
    """
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    host, port = listeners[0].socket.getsockname()

    async def converse(stream: trio.SocketStream) -> None:
        await _converse(stream, answer)

    async def serve(task_status: trio.TaskStatus[trio.CancelScope]) -> None:
        with trio.CancelScope() as scope:
            task_status.started(scope)
            await trio.serve_listeners(converse, listeners)

    scope = await nursery.start(serve)
    try:
        yield f"http://{host}:{port}"
    finally:
        scope.cancel()


async def _converse(stream: trio.SocketStream, answer: Callable[[Request], Answer]) -> None:
    """Answer one connection's requests until either side has had enough."""
    connection = h11.Connection(h11.SERVER)
    try:
        while (request := await _next_request(connection, stream)) is not None:
            await _send(connection, stream, answer(request))
            if connection.our_state is not h11.DONE:
                return
            connection.start_next_cycle()
    except (h11.ProtocolError, TooLarge, trio.BrokenResourceError):
        return  # the other side left, or does not speak HTTP: there is nobody to tell


async def _next_request(connection: h11.Connection, stream: trio.SocketStream) -> Request | None:
    """Read one whole request; None when the other side has closed."""
    head: h11.Request | None = None
    body = bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            if connection.they_are_waiting_for_100_continue:
                go_on = h11.InformationalResponse(status_code=100, headers=[])
                await stream.send_all(connection.send(go_on) or b"")
            connection.receive_data(await stream.receive_some(READ))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > MOST_BODY:
                raise TooLarge
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            names = tuple((bytes(key), bytes(value)) for key, value in head.headers)
            return Request(head.method.decode(), head.target.decode("latin-1"), names, bytes(body))
        else:
            return None


async def _send(connection: h11.Connection, stream: trio.SocketStream, answer: Answer) -> None:
    """Send one answer, piece by piece."""
    headers = [*answer.headers, ("transfer-encoding", "chunked")]
    head = h11.Response(status_code=answer.status, headers=headers)
    await stream.send_all(connection.send(head) or b"")
    for piece in answer.pieces:
        await trio.sleep(answer.pause)
        await stream.send_all(connection.send(h11.Data(data=piece)) or b"")
    await stream.send_all(connection.send(h11.EndOfMessage()) or b"")


class Response:
    """An answer that is being read."""

    def __init__(self, connection: h11.Connection, stream: trio.SocketStream, head: h11.Response) -> None:
        self.status = head.status_code
        self.headers = {key.decode(): value.decode("latin-1") for key, value in head.headers}
        """Names in lower case."""
        self._connection = connection
        self._stream = stream

    async def read(self) -> bytes:
        """Read the whole body.

        Raises:
            h11.RemoteProtocolError: it ended before its end.
        """
        body = bytearray()
        while True:
            event = await _receive(self._connection, self._stream)
            if not isinstance(event, h11.Data):
                return bytes(body)
            body += event.data


@asynccontextmanager
async def request(
    base_url: str, method: str, target: str, headers: Headers = (), body: bytes = b""
) -> AsyncIterator[Response]:
    """Send one request on a connection of its own.

    Raises:
        OSError: nobody listens there.
        trio.BrokenResourceError, h11.RemoteProtocolError: the connection broke.
    """
    address = urlsplit(base_url)
    connection = h11.Connection(h11.CLIENT)
    own = (("host", address.netloc), ("content-length", str(len(body))), ("connection", "close"))
    async with await trio.open_tcp_stream(address.hostname or "", address.port or 80) as stream:
        head = h11.Request(method=method, target=target, headers=[*own, *headers])
        data = [connection.send(event) or b"" for event in (head, h11.Data(data=body), h11.EndOfMessage())]
        await stream.send_all(b"".join(data))
        answer = await _receive(connection, stream)
        while isinstance(answer, h11.InformationalResponse):
            answer = await _receive(connection, stream)
        if not isinstance(answer, h11.Response):
            raise trio.BrokenResourceError
        yield Response(connection, stream, answer)


async def _receive(connection: h11.Connection, stream: trio.SocketStream) -> h11.Event:
    """The next event of the other side."""
    while (event := connection.next_event()) is h11.NEED_DATA:
        connection.receive_data(await stream.receive_some(READ))
    if isinstance(event, type):  # PAUSED: a second answer to one request
        raise trio.BrokenResourceError
    return event
