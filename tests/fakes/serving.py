"""A server of ours on a loopback port, and ASGI applications that make its life interesting."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast

import trio
import trio.testing
from attrs import define, field
from hypercorn.typing import ASGIFramework, ASGIReceiveCallable, ASGISendCallable, Scope

from shunt.server.bounds import Bounds
from shunt.server.serve import serve
from shunt.server.sockets import listen


@define
class Running:
    """A server that runs."""

    port: int
    shutdown: trio.Event
    ended: trio.Event


@asynccontextmanager
async def running(
    app: Any, bounds: Bounds | None = None, *, tls: Callable[[], ssl.SSLContext | None] = lambda: None
) -> AsyncIterator[Running]:
    """Serve `app` on a free port; at the end the server is cancelled."""
    sockets = listen("127.0.0.1", 0)
    server = Running(sockets[0].getsockname()[1], trio.Event(), trio.Event())

    async def run() -> None:
        await serve(
            cast("ASGIFramework", app),
            sockets,
            bounds=bounds or Bounds(),
            shutdown=server.shutdown,
            tls=tls,
        )
        server.ended.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run)
        await trio.testing.wait_all_tasks_blocked()
        try:
            yield server
        finally:
            nursery.cancel_scope.cancel()


@define
class Script:
    """An ASGI application that does what the path says, and remembers what became of it."""

    entered: list[Mapping[str, Any]] = field(factory=list)
    """Scopes of all calls."""
    held: trio.Event = field(factory=trio.Event)
    """A `/hold` has begun."""
    over: trio.Event = field(factory=trio.Event)
    """A `/hold`, `/stream` or `/big` has ended, one way or another."""
    proceed: trio.Event = field(factory=trio.Event)
    """Set it for `/later` to take its body."""
    size: int = 0
    """Bytes of `/big`."""
    every: float = 0.02
    """Seconds between two ticks of `/stream`."""

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Serve /ok, /echo, /stream, /hold, /big, /boom, /half, /later, /refuse, and 404 for the rest."""
        self.entered.append(cast("Mapping[str, Any]", scope))
        path = cast("Mapping[str, Any]", scope)["raw_path"].decode()
        call = getattr(self, path.strip("/") or "ok", self.missing)
        if path == "/refuse":  # without looking at the body
            await answer(send, 403, b"no")
            return
        if path == "/later":  # take the body only when told to
            await self.proceed.wait()
            call = self.echo
        async with trio.open_nursery() as nursery:
            body = await _body(receive)
            nursery.start_soon(self._watch, receive, nursery.cancel_scope)
            try:
                await call(send, body)
            finally:
                if path in ("/hold", "/stream", "/big"):
                    self.over.set()
            nursery.cancel_scope.cancel()

    @staticmethod
    async def _watch(receive: ASGIReceiveCallable, scope: trio.CancelScope) -> None:
        """Cancel the call on a disconnect, as Quart-Trio does."""
        while (await receive())["type"] != "http.disconnect":
            pass
        scope.cancel()

    async def ok(self, send: ASGISendCallable, body: bytes) -> None:
        await answer(send, 200, b"ok")

    async def echo(self, send: ASGISendCallable, body: bytes) -> None:
        await answer(send, 200, body)

    async def missing(self, send: ASGISendCallable, body: bytes) -> None:
        await answer(send, 404, b"no")

    async def boom(self, send: ASGISendCallable, body: bytes) -> None:
        raise RuntimeError("boom")

    async def half(self, send: ASGISendCallable, body: bytes) -> None:
        """Begin an answer and fail."""
        await begin(send)
        await tell(send, b"half")
        raise RuntimeError("and no more")

    async def hold(self, send: ASGISendCallable, body: bytes) -> None:
        self.held.set()
        await trio.sleep_forever()

    async def stream(self, send: ASGISendCallable, body: bytes) -> None:
        """Send a tick now and then, for ever."""
        await begin(send)
        while True:
            await tell(send, b"data: tick\n\n")
            await trio.sleep(self.every)

    async def big(self, send: ASGISendCallable, body: bytes) -> None:
        """Send `size` bytes in one piece."""
        await begin(send)
        await tell(send, b"x" * self.size)
        await tell(send, b"", more=False)


async def _body(receive: ASGIReceiveCallable) -> bytes:
    body = b""
    while True:
        message = cast("Mapping[str, Any]", await receive())
        if message["type"] == "http.disconnect":
            return body
        body += bytes(message["body"])
        if not message["more_body"]:
            return body


async def begin(send: ASGISendCallable, status: int = 200, *headers: tuple[bytes, bytes]) -> None:
    """Send a response's head."""
    await send({"type": "http.response.start", "status": status, "headers": headers, "trailers": False})


async def tell(send: ASGISendCallable, body: bytes, *, more: bool = True) -> None:
    """Send a piece of a body."""
    await send({"type": "http.response.body", "body": body, "more_body": more})


async def answer(send: ASGISendCallable, status: int, body: bytes) -> None:
    """Send a whole response."""
    await begin(send, status, (b"content-length", b"%d" % len(body)))
    await tell(send, body, more=False)
