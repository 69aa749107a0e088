"""One request on a connection, as its application sees it: ASGI's scope, `receive` and `send`.

Stands in the place of Hypercorn's HTTPStream, with less in between: what has come of a body is taken at once, and
the head of an answer goes out together with the first bytes of its body, as ASGI wants it; a whole answer
is one packet.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final, cast
from typing import Protocol as Shape
from urllib.parse import unquote

import h11
import trio
from attrs import define, field
from hypercorn.protocol.events import Event, StreamClosed
from hypercorn.typing import ASGIFramework, ASGIReceiveEvent, ASGISendEvent, Scope

from shunt.server.http1 import BODILESS
from shunt.wire.headers import Headers

log = logging.getLogger(__name__)

GONE: Final = cast("ASGIReceiveEvent", {"type": "http.disconnect"})
WHEN_GONE: Final = "shunt.when_gone"
"""Key in a scope's `extensions`: call it with what to call, once, when the client has left. A task per request that
waits for `http.disconnect` costs more than all the rest of this module."""
AT_HAND: Final = "shunt.at_hand"
"""Key in a scope's `extensions`: what `receive` would give without waiting, or None."""
FAILED: Final = ((b"content-length", b"0"), (b"connection", b"close"))


class Way(Shape):
    """What a call needs of its connection."""

    def head(self, status: int, headers: Headers) -> bytes:
        """The beginning of an answer as bytes."""

    def some(self, body: bytes) -> bytes:
        """Some of its body as bytes; none once the connection is past saying anything."""

    def end(self) -> bytes:
        """Its end as bytes, likewise."""

    async def pass_on(self, data: bytes, /) -> None:
        """Write bytes; a client that is gone closes the call."""

    async def over(self) -> None:
        """The call has ended: begin the next one, or close."""


@define(eq=False)
class AsgiCall:
    """One call of the application."""

    _way: Way
    _method: str
    _incoming: bytearray = field(factory=bytearray)
    """What has come of the body and was not taken: one buffer, since a client may send byte by byte."""
    _whole: bool = False
    """All of the request's body has come."""
    _told: bool = False
    """And the application knows."""
    _closed: bool = False
    _gone: Callable[[], None] | None = None
    _stir: trio.lowlevel.ParkingLot = field(factory=trio.lowlevel.ParkingLot)
    _head: bytes = b""
    """Goes out with the first bytes of the body."""
    _status: int | None = None
    _finished: bool = False

    # ── from the connection ───────────────────────────────────────────────────────────────────

    def add(self, body: bytes) -> None:
        """Some of the request's body has come."""
        if not self._closed:
            self._incoming += body
            self._stir.unpark_all()

    def add_end(self) -> None:
        """All of it has come."""
        if not self._closed:
            self._whole = True
            self._stir.unpark_all()

    async def below(self, size: int) -> None:
        """Wait until no more than `size` bytes of the body wait for the application."""
        while len(self._incoming) > size and not self._closed:
            await self._stir.park()

    async def handle(self, event: Event) -> None:
        """Take the end of the connection from Hypercorn's protocol, which has no other event for a call here."""
        if not self._closed and isinstance(event, StreamClosed):
            self._closed = True
            self._stir.unpark_all()
            if self._gone is not None and not self._finished:  # else the answer has gone out, and all is well
                self._gone()

    def when_gone(self, gone: Callable[[], None]) -> None:
        """Have `gone` called when the client leaves, at once if it has."""
        self._gone = gone
        if self._closed:
            gone()

    # ── from the application ──────────────────────────────────────────────────────────────────

    async def run(self, app: ASGIFramework, scope: Scope) -> None:
        """Run the application. One that fails is answered for; raises nothing but cancellation."""
        try:
            await app(scope, self.receive, self.send)
        except Exception as error:
            log.exception("a call failed", exc_info=error)
        await self._end()

    async def receive(self) -> ASGIReceiveEvent:
        """All that has come of the body, or that the client has left."""
        while (event := self.at_hand()) is None:
            await self._stir.park()
        return event

    def at_hand(self) -> ASGIReceiveEvent | None:
        """What `receive` would give without waiting; None when it would wait."""
        if not (self._incoming or self._closed or (self._whole and not self._told)):
            return None
        if self._told or not (self._incoming or self._whole):
            return GONE
        body = bytes(self._incoming)
        self._incoming.clear()
        self._stir.unpark_all()
        self._told = self._whole
        return cast("ASGIReceiveEvent", {"type": "http.request", "body": body, "more_body": not self._whole})

    async def send(self, message: ASGISendEvent) -> None:
        """Take a part of the answer."""
        if self._closed:
            return  # nobody is there
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._head = self._way.head(message["status"], tuple(message["headers"]))
            return
        if message["type"] != "http.response.body":
            return  # there is no other kind that was offered
        more, body = message.get("more_body", False), message.get("body", b"")
        data, self._head = self._head, b""
        if body and self._method != "HEAD" and self._status not in BODILESS:
            data += self._way.some(body)
        if not more:
            data += self._way.end()
        if data:
            await self._way.pass_on(data)
        if not more and not self._finished:
            self._finished = True
            await self._way.over()

    async def _end(self) -> None:
        """The application is done: with its answer, or without having begun one."""
        if self._closed or self._finished:
            return
        self._finished = True
        if self._status is None:
            await self._way.pass_on(self._way.head(500, FAILED) + self._way.end())
        await self._way.over()


def scope_of(
    request: h11.Request,
    call: AsgiCall,
    *,
    secure: bool,
    client: object,
    server: object,
    state: dict[str, Any],
) -> Scope:
    """ASGI's picture of a request; the method and the names of headers are as they came."""
    path, _, query = bytes(request.target).partition(b"?")
    return cast(
        "Scope",
        {
            "type": "http",
            "asgi": {"spec_version": "2.1", "version": "3.0"},
            "http_version": request.http_version.decode(),
            "method": request.method.decode("ascii"),
            "scheme": "https" if secure else "http",
            "path": unquote(path.decode("ascii")),
            "raw_path": path,
            "query_string": query,
            "root_path": "",
            "headers": request.headers.raw_items(),
            "client": client,
            "server": server,
            "state": state,
            "extensions": {WHEN_GONE: call.when_gone, AT_HAND: call.at_hand},
        },
    )
