"""Connections and their pool: httpx's and httpcore's public parts, with manners theirs do not have.

- Connections know a *stale* connection (kept alive, closed by the peer just when it was used again) from one
  that broke: only the first may be tried again unseen, since the peer cannot have read the request.
- A large body is written in slices, so that the write time-out means "takes nothing any more" and
  not "took longer than that for all of it"; a peer that answers before it has read everything and
  then stops reading is heard.
- TCP keep-alive is on, as in the vendors' own clients: networks forget connections that carry
  nothing while a model thinks. A network that has gone is noticed within a minute.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from typing import Any, Final, cast

import httpcore2 as httpcore
import httpx2 as httpx
import trio
from attrs import define

from shunt.errors import ConfigError
from shunt.tcp import end_when_gone
from shunt.upstream.joining import join_chunks
from shunt.upstream.timeouts import Timeouts

SLICE: Final = 64 * 1024
REFUSED_WITHIN: Final = 5.0
"""Seconds within which a stale connection shows itself: the peer's kernel answers the first packet
with a reset. A peer that stayed silent for longer has the request, and may be working on it."""

VANISHED: Final = 60
"""Seconds after which a connection is given up whose other end acknowledges nothing, while it is spoken to or silent;
a little more than `upstream_write_seconds` where that is longer."""

IDLE_CONNECTIONS: Final = 50
IDLE_FOR: Final = 30.0
"""Seconds an unused connection is kept; servers close theirs after 60 or more."""
KEEP_ALIVE: Final = tuple(
    (level, getattr(socket, name), value)
    for level, name, value in (
        (socket.SOL_SOCKET, "SO_KEEPALIVE", 1),
        (socket.IPPROTO_TCP, "TCP_KEEPIDLE", 30),
        (socket.IPPROTO_TCP, "TCP_KEEPALIVE", 30),  # macOS's name for the line above
        (socket.IPPROTO_TCP, "TCP_KEEPINTVL", 10),
        (socket.IPPROTO_TCP, "TCP_KEEPCNT", 4),
    )
    if hasattr(socket, name)
)
"""A network that is no longer there (another Wi-Fi, a tunnel that went down) says nothing. Three lost probes in a row
are what a connection survives."""


def notice_when_gone(sock: socket.socket | trio.socket.SocketType, write: float) -> None:
    """Have the system notice that the other end is gone, also while it says nothing.

    Keep-alive does not count while a request waits to be acknowledged: such a request would hang for a quarter of an
    hour. `write` is how long, in seconds, the other end may take nothing.
    """
    for option in KEEP_ALIVE:
        sock.setsockopt(*option)
    end_when_gone(sock, VANISHED, write)


class StaleConnection(httpcore.ReadError):
    """A reused connection was closed before the first byte of an answer: the request was not read."""


@define(eq=False)
class Connection(httpcore.AsyncNetworkStream):
    """One connection to an upstream or to a proxy."""

    _stream: httpcore.AsyncNetworkStream
    answered: bool = False
    """An answer has come on it before; set by whoever received that answer."""
    quiet: bool = False
    """Nothing has been read since the latest write began."""
    _spoke_at: float = 0.0
    """Trio's clock when it began."""

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore's signature
        """Read some bytes; none at the end. Raises StaleConnection, httpcore.ReadError or ReadTimeout."""
        try:
            data = await self._stream.read(max_bytes, timeout)
        except httpcore.ReadError as error:
            if self._is_stale():
                raise StaleConnection from error
            raise
        if data:
            self.quiet = False
        elif self._is_stale():
            raise StaleConnection
        return data

    def _is_stale(self) -> bool:
        return self.answered and self.quiet and trio.current_time() - self._spoke_at < REFUSED_WITHIN

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - likewise
        """Write all of `buffer`; `timeout` is for each slice of it."""
        if not self.quiet:
            self.quiet, self._spoke_at = True, trio.current_time()
        view = memoryview(buffer)
        try:
            for at in range(0, len(view), SLICE):
                await self._stream.write(bytes(view[at : at + SLICE]), timeout)
        except httpcore.WriteTimeout as error:
            if self._stream.get_extra_info("is_readable"):
                # An early answer waits to be read; httpcore reads it after a WriteError.
                raise httpcore.WriteError from error
            raise

    async def aclose(self) -> None:
        """Close it."""
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - likewise
    ) -> Connection:
        """Speak TLS from here on."""
        return Connection(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        """Pass on what httpcore wants to know of the socket."""
        return self._stream.get_extra_info(info)


class Network(httpcore.AsyncNetworkBackend):
    """Makes connections."""

    def __init__(self, write: float) -> None:
        """`write` is how long, in seconds, the other end may take nothing of what it is sent."""
        self._trio = httpcore.TrioBackend()
        self._write = write

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> Connection:
        """Connect to a host."""
        stream = await self._trio.connect_tcp(host, port, timeout, local_address, socket_options)
        try:
            notice_when_gone(stream.get_extra_info("socket"), self._write)
        except OSError as error:  # it has ended already
            await stream.aclose()
            raise httpcore.ConnectError from error
        return Connection(stream)

    async def sleep(self, seconds: float) -> None:
        """Wait, between two attempts to connect."""
        await trio.sleep(seconds)


class Transport(httpx.AsyncBaseTransport):
    """httpx's transport over such connections: one pool, direct or through one proxy.

    Unlike httpx's own it takes a network, shows its pool, and closes the iterators of an answer that
    is left early instead of leaving them to the garbage collector. Raises httpcore's errors.
    """

    def __init__(self, tls: ssl.SSLContext, proxy: str = "", write: float = Timeouts().write) -> None:
        """`write` is how long, in seconds, an upstream may take nothing of a request."""
        self.pool = httpcore.AsyncConnectionPool(
            ssl_context=tls,
            proxy=_proxy(proxy, tls) if proxy else None,
            # Without a limit no call ever queues for a connection: a call that is cancelled in that
            # queue could leave its slot behind.
            max_connections=None,
            max_keepalive_connections=IDLE_CONNECTIONS,
            keepalive_expiry=IDLE_FOR,
            http1=True,
            http2=False,
            network_backend=Network(write),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and wait for the answer's headers."""
        url = request.url
        answer = await self.pool.handle_async_request(
            httpcore.Request(
                request.method,
                httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                content=cast("httpx.AsyncByteStream", request.stream),  # a body of bytes is both kinds
                extensions=request.extensions,
            )
        )
        join_chunks(answer)
        return httpx.Response(
            answer.status, headers=answer.headers, stream=Body(answer), extensions=answer.extensions
        )

    async def aclose(self) -> None:
        """Close all connections."""
        await self.pool.aclose()


class Body(httpx.AsyncByteStream):
    """An answer's body as httpcore gives it."""

    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Return httpcore's own generator, so that closing it closes everything beneath."""
        return aiter(cast("AsyncIterable[bytes]", self._answer.stream))

    async def aclose(self) -> None:
        """Give the connection back, or close it when the body was not read to its end."""
        await self._answer.aclose()


def _proxy(url: str, tls: ssl.SSLContext) -> httpcore.Proxy:
    parts = httpx.Proxy(url)
    where = httpcore.URL(
        scheme=parts.url.raw_scheme, host=parts.url.raw_host, port=parts.url.port, target=b"/"
    )
    secured = parts.url.scheme == "https"
    return httpcore.Proxy(where, auth=parts.raw_auth, ssl_context=tls if secured else None)


def create_tls() -> ssl.SSLContext:
    """Build the one TLS context: the system's authorities, or those of SSL_CERT_FILE or SSL_CERT_DIR.

    SSLKEYLOGFILE never takes effect: it would write the keys to every token that passes. Raises
    ConfigError when the file of authorities cannot be read.
    """
    try:
        context = httpx.create_ssl_context(trust_env=True)
    except OSError as error:
        msg = f"SSL_CERT_FILE or SSL_CERT_DIR: no certificate authorities could be read from it ({error})"
        raise ConfigError(msg) from error
    context.set_alpn_protocols(["http/1.1"])  # some gateways drop who does not say what it speaks
    context.keylog_filename = None  # type: ignore[assignment] # None switches it off; typeshed knows only paths
    return context
