"""The loopback listener to which a browser returns after a login.

It lives for one answer and five minutes at most, on this machine only. Whatever does not answer the login
that was begun is refused and changes nothing: other paths, other hosts (DNS rebinding), requests that a page
of another site makes behind the person's back, a wrong state. Nothing of a request is ever logged.
"""

from __future__ import annotations

import errno
import html
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import trio
from attrs import define, field, frozen

from shunt.accounts.secret import Secret
from shunt.errors import LoginFailed
from shunt.providers.sign_in import Stranger, Ticket, read_redirect

LIFE: Final = 5 * 60.0
"""Seconds until nobody is expected any more."""
LONGEST_HEAD: Final = 32 * 1024
HEAD_WITHIN: Final = 10.0
BIND_TRIES: Final = 8
AT_ONCE: Final = 16
"""Connections; browsers open a few, and keep some of them silent."""


class PortTaken(LoginFailed):
    """The port that the vendor returns to is in use."""


@frozen
class Refusal:
    """Why a request is not the one that is expected."""

    status: str
    why: str


@define(eq=False)
class Callback:
    """Waits for the browser."""

    path: str
    held: Ticket
    listeners: list[trio.SocketListener]
    port: int
    _code: Secret | None = None
    _declined: LoginFailed | None = None
    _done: trio.Event = field(factory=trio.Event)
    _slots: trio.CapacityLimiter = field(factory=lambda: trio.CapacityLimiter(AT_ONCE))

    @property
    def redirect(self) -> str:
        """The address that the vendor is told."""
        return f"http://localhost:{self.port}{self.path}"

    async def code(self, within: float = LIFE) -> Secret:
        """Return the code that the browser brings. Raises LoginFailed."""
        with trio.move_on_after(within):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._serve, nursery.cancel_scope)
                await self._done.wait()
                nursery.cancel_scope.cancel()
        if self._declined is not None:
            raise self._declined
        if self._code is None:
            raise LoginFailed(f"Nobody came back from the browser within {within / 60:g} minutes.")
        return self._code

    async def _serve(self, scope: trio.CancelScope) -> None:
        async with trio.open_nursery() as nursery:
            for listener in self.listeners:
                nursery.start_soon(self._accept, listener, nursery)
        scope.cancel()

    async def _accept(self, listener: trio.SocketListener, nursery: trio.Nursery) -> None:
        while True:
            stream = await listener.accept()
            try:
                self._slots.acquire_on_behalf_of_nowait(stream)
            except trio.WouldBlock:
                with trio.CancelScope(shield=True):
                    await trio.aclose_forcefully(stream)
                continue
            nursery.start_soon(self._talk, stream)

    async def _talk(self, stream: trio.SocketStream) -> None:
        try:
            with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
                head = b""
                with trio.move_on_after(HEAD_WITHIN):
                    head = await _head(stream)
                if head:
                    answer = self.answer(head)
                    # The person shall see the last page: once decided, it is sent in any case.
                    with trio.move_on_after(2) as scope:
                        scope.shield = True
                        await stream.send_all(answer)
                        await stream.send_eof()
        finally:
            self._slots.release_on_behalf_of(stream)
            await trio.aclose_forcefully(stream)
            if self._code is not None or self._declined is not None:
                self._done.set()

    def answer(self, head: bytes) -> bytes:
        """Decide about one request, and return the whole answer."""
        if self._code is not None or self._declined is not None:
            return _page("410 Gone", "This login is over", "Close this window.")
        found = self._examined(head)
        if isinstance(found, Refusal):
            return _page(found.status, "Not the login that was begun", found.why)
        try:
            self._code = read_redirect(found, self.held)
        except Stranger as error:
            return _page("400 Bad Request", "Not the login that was begun", f"Refused: {error}.")
        except LoginFailed as error:
            self._declined = error
            return _page("200 OK", "Not logged in", str(error))
        return _page(
            "200 OK", "Logged in", "shunt has what it needs. Close this window and return to the terminal."
        )

    def _examined(self, head: bytes) -> str | Refusal:
        """The query of the request, or why it is refused."""
        try:
            line, *rest = head.decode("ascii").split("\r\n")
            method, target, version = line.split(" ")
        except ValueError:
            return Refusal("400 Bad Request", "This is not a request.")
        named: dict[str, str] = {}
        for entry in rest:
            name, _, value = entry.partition(":")
            if name.lower() in named and name.lower() == "host":
                return Refusal("400 Bad Request", "Two hosts are named.")
            named[name.lower()] = value.strip()
        path, _, query = target.partition("?")
        if not version.startswith("HTTP/1.") or path != self.path:
            return Refusal("404 Not Found", "There is nothing here.")
        if method != "GET":
            return Refusal("405 Method Not Allowed", "Only a browser's visit is expected.")
        if named.get("host") not in {f"{name}:{self.port}" for name in ("localhost", "127.0.0.1", "[::1]")}:
            return Refusal("421 Misdirected Request", "This host is not this machine.")
        if (
            named.get("sec-fetch-mode", "navigate") != "navigate"
            or named.get("sec-fetch-dest", "document") != "document"
        ):
            return Refusal("403 Forbidden", "A page asked for this, not a person.")
        return query


@asynccontextmanager
async def listening(path: str, port: int, held: Ticket) -> AsyncIterator[Callback]:
    """Listen on loopback for the time of the block; port 0 takes any. Raises PortTaken."""
    sockets = _bind(port)
    listeners = [trio.SocketListener(trio.socket.from_stdlib_socket(sock)) for sock in sockets]
    try:
        yield Callback(path, held, listeners, sockets[0].getsockname()[1])
    finally:
        for listener in listeners:
            listener.socket.close()


def _bind(port: int) -> list[socket.socket]:
    for _ in range(1 if port else BIND_TRIES):
        try:
            first = _bound(socket.AF_INET, "127.0.0.1", port)
        except OSError:
            break
        try:
            # `localhost` is ::1 to some browsers; where there is no IPv6 they ask 127.0.0.1.
            return [first, _bound(socket.AF_INET6, "::1", first.getsockname()[1])]
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                return [first]
            first.close()  # somebody else would be given the code
    raise PortTaken(f"Port {port} on this machine is in use, and the vendor returns to no other.")


def _bound(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    """A socket that listens. Raises OSError."""
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(AT_ONCE)
        sock.setblocking(False)  # noqa: FBT003 - the standard library's signature
    except OSError:
        sock.close()
        raise
    return sock


async def _head(stream: trio.SocketStream) -> bytes:
    """The request's head without its empty line; empty when none comes."""
    head = b""
    while b"\r\n\r\n" not in head:
        piece = await stream.receive_some(4096)
        head += piece
        if not piece or len(head) > LONGEST_HEAD:
            return b""
    return head.partition(b"\r\n\r\n")[0]


def _page(status: str, title: str, text: str) -> bytes:
    body = (
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>{html.escape(title)}</title><body><h1>{html.escape(title)}</h1><p>{html.escape(text)}</p></body></html>"
    ).encode()
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\n"
        "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
