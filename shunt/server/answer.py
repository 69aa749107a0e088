"""The way back to the caller: what has been sent of an answer, and how it can still go wrong."""

from __future__ import annotations

from typing import Final

from attrs import define
from hypercorn.typing import ASGISendCallable, ASGISendEvent

from shunt.inference.failure import Failure
from shunt.protocols import protocol_named
from shunt.server.errors import CONTROL, encode
from shunt.server.sessions import COOKIE
from shunt.wire.headers import REQUEST_ID, Headers

NEVER: Final = frozenset(
    {
        # Words of another site, or of another hop. The gateway leaves them out; none may slip through.
        b"set-cookie",
        b"set-cookie2",
        b"strict-transport-security",
        b"alt-svc",
        b"location",
        b"refresh",
        b"clear-site-data",
        b"server",
        b"date",
        b"connection",
        b"keep-alive",
        b"transfer-encoding",
        b"upgrade",
        b"trailer",
    }
)


@define(eq=False)
class Answer:
    """One answer. Handlers send through it as through ASGI's `send`."""

    _send: ASGISendCallable
    request_id: str
    protocol: str
    """The caller's, or CONTROL."""
    closing: bool = False
    """The connection ends with this answer."""
    started: bool = False
    finished: bool = False
    _stream: bool = False

    async def __call__(self, event: ASGISendEvent) -> None:
        """Send one ASGI message on."""
        if event["type"] == "http.response.body":
            self.finished = self.finished or not event.get("more_body", False)
            await self._send(event)
        elif event["type"] == "http.response.start":
            headers = tuple(event["headers"])
            ours = own_cookies(headers) if self.protocol == CONTROL else ()
            await self._start(event["status"], (*outgoing(headers, self.request_id), *ours))

    async def fail(self, failure: Failure, headers: Headers = ()) -> None:
        """Tell the caller of a failure in whatever way is still possible.

        Before the answer began: a whole error response. In the middle of an event stream: the
        protocol's error event. In the middle of anything else: nothing, so that the missing end of
        the body says it.
        """
        if self.finished:
            return
        if not self.started:
            reply = encode(self.protocol, failure)
            length = (b"content-length", b"%d" % len(reply.body))
            told = outgoing((*reply.headers, length), self.request_id)
            await self._start(reply.status, (*told, *headers))
            await self._body(reply.body, more=False)
        elif self._stream and self.protocol != CONTROL:
            await self._body(protocol_named(self.protocol).encode_stream_error(failure), more=False)

    async def _start(self, status: int, headers: Headers) -> None:
        self.started = True
        self._stream = any(
            name.lower() == b"content-type" and value.lower().startswith(b"text/event-stream")
            for name, value in headers
        )
        if self.closing:
            headers = (*headers, (b"connection", b"close"))
        await self._send(
            {"type": "http.response.start", "status": status, "headers": headers, "trailers": False}
        )

    async def _body(self, body: bytes, *, more: bool) -> None:
        self.finished = self.finished or not more
        await self._send({"type": "http.response.body", "body": body, "more_body": more})


def own_cookies(headers: Headers) -> Headers:
    """The session cookies among the headers of an answer."""
    return tuple(
        (name, value) for name, value in headers if name.lower() == b"set-cookie" and value.startswith(COOKIE)
    )


def outgoing(headers: Headers, request_id: str) -> Headers:
    """The headers that go out, whoever made them: ours, the vendor's, an error's."""
    kept = [
        (name, value)
        for name, value in headers
        if name.lower() not in NEVER and not name.lower().startswith(b"access-control-")
    ]
    names = {name.lower() for name, _ in kept}
    for name, value in (
        (REQUEST_ID, request_id.encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ):
        if name not in names:
            kept.append((name, value))
    return tuple(kept)
