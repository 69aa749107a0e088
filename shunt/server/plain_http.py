"""Hypercorn's HTTP/1.1 protocol, strict about heads, and with a way of its own for requests and answers.

It takes a connection's requests one after the other; `http1.py` reads and writes them, `asgi.py` has their calls, and
`connection.py` the socket.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import lru_cache, partial
from typing import Any, Final, cast

import h11
import trio
from attrs import frozen
from hypercorn.config import Config
from hypercorn.events import Closed, Updated
from hypercorn.protocol.h11 import H11Protocol
from hypercorn.protocol.http_stream import HTTPStream
from hypercorn.trio.task_group import TaskGroup
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import AppWrapper, ASGIFramework, ConnectionState

from shunt.server.asgi import AsgiCall, scope_of
from shunt.server.bounds import Bounds
from shunt.server.head import TLS_HANDSHAKE
from shunt.server.http1 import Http1
from shunt.server.remarks import Remarks
from shunt.server.tally import Refusal, Tally
from shunt.wire.headers import Headers

REASONS: Final = {
    400: "The request is not proper HTTP/1.1 (a client speaking https to this http port?).",
    408: "The request's head did not arrive in time.",
    414: "The request line is too long.",
    417: "The Expect header asks for something unknown.",
    431: "The request has too many or too long headers.",
    501: "The request's transfer encoding is not supported.",
    505: "Only HTTP/1.1 is spoken here.",
}
CONTINUE: Final = h11.InformationalResponse(status_code=100, headers=[])


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
        self._pipelined = service.bounds.pipelined
        self._begun: Callable[[], Coroutine[Any, Any, None]] | None = None

    @property
    def request_complete(self) -> bool:
        """Whether the current request has come whole: what else comes belongs to a later one."""
        return self.connection.their_state not in (h11.IDLE, h11.SEND_BODY, h11.ERROR)

    @property
    def ahead(self) -> int:
        """How many bytes wait that belong to no event yet: behind a whole request those of a next one."""
        return self.connection.ahead

    async def caught_up(self) -> None:
        """Wait until the application has taken most of what has come of the request's body."""
        if self.stream is not None:
            await cast("AsgiCall", self.stream).below(self._pipelined)

    async def refuse(self, status: int) -> None:
        """Answer what has come of a request with an error, and end the connection."""
        if self.connection.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            await self._send_error_response(status)
        await self.send(Closed())

    async def _handle_events(self) -> None:
        """Pass on what has come. Waits for nothing but the client to take what it is told at once."""
        while True:
            if self.connection.they_are_waiting_for_100_continue:
                await self._send_h11_event(CONTINUE)
            try:
                event = self.connection.next_event()
            except h11.RemoteProtocolError as error:
                if self.connection.our_state in (h11.IDLE, h11.SEND_RESPONSE):
                    await self._send_error_response(error.error_status_hint)
                await self.send(Closed())
                return
            if isinstance(event, h11.Request):
                await self.send(Updated(idle=False))
                self._begin(event)
            elif self.stream is None or not isinstance(event, (h11.Data, h11.EndOfMessage)):
                return  # what is behind a running request is for `over`
            elif isinstance(event, h11.Data):
                cast("AsgiCall", self.stream).add(bytes(event.data))
            else:
                cast("AsgiCall", self.stream).add_end()

    def _begin(self, request: h11.Request) -> None:
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
        self._begun = partial(call.run, self._app, scope)

    def begun(self) -> Callable[[], Coroutine[Any, Any, None]] | None:
        """The request that has begun and waits for somebody to answer it, once."""
        call, self._begun = self._begun, None
        return call

    # ── the way of an answer, see `asgi.Way` ──────────────────────────────────────────────────

    def head(self, status: int, headers: Headers) -> bytes:
        """The beginning of an answer."""
        try:
            return self.connection.head(status, (*headers, *always(self.config, int(trio.current_time()))))
        except h11.LocalProtocolError:
            return self._given_up()

    def some(self, body: bytes) -> bytes:
        """Some of an answer's body."""
        try:
            return self.connection.some(body)
        except h11.LocalProtocolError:
            return self._given_up()

    def end(self) -> bytes:
        """The end of an answer."""
        try:
            return self.connection.end()
        except h11.LocalProtocolError:
            return self._given_up()

    def _given_up(self) -> bytes:
        """What goes out in place of bytes that may not: nothing once the client has sent nonsense.

        Its answer has been given up then. Otherwise raises again what is being handled.
        """
        if self.connection.their_state is h11.ERROR:
            return b""
        raise  # noqa: PLE0704 - called while it is handled

    async def over(self) -> None:
        """A call has ended: begin the next one, or close."""
        await self._maybe_recycle()
        if self.connection.our_state is h11.IDLE and self.connection.ahead:
            await self._handle_events()
            if (call := self.begun()) is not None:
                self.task_group.spawn(call)

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
