"""Connections through TLS and proxies, and what the environment may and may not change."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpcore2 as httpcore
import pytest
import trio
from trio.testing import MockClock

from shunt.errors import ConfigError, UpstreamBroke, UpstreamUnreachable
from shunt.tcp import APART
from shunt.upstream import network
from shunt.upstream.client import open_upstream
from shunt.upstream.network import Network, create_tls
from shunt.upstream.timeouts import Timeouts
from tests.fakes.certificates import AUTHORITY, client_tls, server_tls
from tests.fakes.clocks import socket_clock
from tests.fakes.http1 import Inbox
from tests.fakes.upstream import Answer, End, closed_port, raw, scripted_upstream
from tests.upstream.calls import call

ONCE = Answer(steps=(b"x",))
Dialogue = Callable[[Inbox], Awaitable[int | None]]
"""Talks to the client and returns the port to connect it to, or None to hang up."""


@pytest.fixture
def clock() -> MockClock:
    return socket_clock()


@asynccontextmanager
async def proxy(dialogue: Dialogue) -> AsyncIterator[int]:
    """Run a proxy; yields its port."""

    async def pump(source: trio.abc.Stream, sink: trio.abc.Stream, first: bytes) -> None:
        await sink.send_all(first)
        async for data in source:
            await sink.send_all(data)

    async def serve(stream: trio.SocketStream) -> None:
        inbox = Inbox(stream)
        port = await dialogue(inbox)
        if port is None:
            return
        async with await trio.open_tcp_stream("127.0.0.1", port) as onward, trio.open_nursery() as nursery:
            nursery.start_soon(pump, stream, onward, bytes(inbox.buffer))
            await pump(onward, stream, b"")
            nursery.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(trio.serve_tcp, serve, 0)
        yield listeners[0].socket.getsockname()[1]
        nursery.cancel_scope.cancel()


async def connect(inbox: Inbox) -> int:
    """HTTP's CONNECT."""
    head = await inbox.head()
    assert head.start[0] == b"CONNECT"
    await inbox.stream.send_all(b"HTTP/1.1 200 Connected\r\n\r\n")
    return int(head.start[1].rpartition(b":")[2])


async def refuse(inbox: Inbox) -> None:
    """A proxy that wants a password."""
    await inbox.head()
    await inbox.stream.send_all(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")


async def socks(inbox: Inbox) -> int:
    """SOCKS5 without a password (RFC 1928)."""
    methods = (await inbox.exactly(2))[1]
    await inbox.exactly(methods)
    await inbox.stream.send_all(b"\x05\x00")
    kind = (await inbox.exactly(4))[3]
    await inbox.exactly(4 if kind == 1 else (await inbox.exactly(1))[0])
    port = int.from_bytes(await inbox.exactly(2), "big")
    await inbox.stream.send_all(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00")
    return port


async def mute(inbox: Inbox) -> None:
    """A proxy that never says anything."""
    await trio.sleep_forever()


async def test_http2_is_never_agreed_upon() -> None:
    """An upstream that would rather speak HTTP/2 is spoken to in HTTP/1.1: its ways to break cannot happen."""
    tls = server_tls("good")
    tls.set_alpn_protocols(["h2", "http/1.1"])
    only = server_tls("good")
    only.set_alpn_protocols(["h2"])
    for context in (tls, only):
        async with (
            scripted_upstream([ONCE], tls=context) as up,
            open_upstream(Timeouts(), tls=client_tls()) as upstream,
        ):
            assert await (await upstream.send(call(up.url))).read(99, 1) == b"x"


async def test_reuses_tls_connections() -> None:
    """Calls in turn share one TLS connection; a stale one is noticed there as well."""
    script = [ONCE, ONCE, raw(End.CUT), ONCE]
    async with (
        scripted_upstream(script, tls=server_tls("good")) as up,
        open_upstream(Timeouts(), tls=client_tls()) as upstream,
    ):
        for _ in range(3):
            assert await (await upstream.send(call(up.url))).read(99, 1) == b"x"
        assert (up.connections, len(up.requests)) == (2, 4)


@pytest.mark.parametrize(("scheme", "dialogue"), [("http", connect), ("socks5", socks)])
async def test_tunnels_through_a_proxy(scheme: str, dialogue: Dialogue) -> None:
    """TLS to the vendor runs through an HTTP or SOCKS proxy, and the connection is kept."""
    async with (
        scripted_upstream([ONCE, ONCE], tls=server_tls("good")) as up,
        proxy(dialogue) as port,
        open_upstream(Timeouts(), tls=client_tls()) as upstream,
    ):
        for _ in range(2):
            outward = call(up.url, target=b"/v1/x?y=%2f", proxy=f"{scheme}://127.0.0.1:{port}")
            assert await (await upstream.send(outward)).read(99, 1) == b"x"
        assert (up.connections, upstream.in_flight, upstream.pool_size) == (1, 0, 1)
        assert [it.target for it in up.requests] == [b"/v1/x?y=%2f"] * 2


async def test_plain_http_goes_through_the_proxy_in_full() -> None:
    """To a plain-HTTP upstream the proxy is given the whole address, with the exact target in it."""
    async with scripted_upstream([ONCE]) as forward, open_upstream(Timeouts()) as upstream:
        outward = call("http://vendor.test:81", target=b"/a//b?c=%2f", proxy=forward.url)
        assert await (await upstream.send(outward)).read(99, 1) == b"x"
        assert forward.requests[0].target == b"http://vendor.test:81/a//b?c=%2f"
        assert forward.requests[0].get(b"host") == b"vendor.test:81"


BAD_PROXIES: list[tuple[str, Dialogue | None, str]] = [
    ("http", refuse, "refused to connect to 127.0.0.1"),
    ("http", mute, "did not accept a connection in time"),
    ("socks5", mute, "did not accept a connection in time"),
    ("http", None, "through the proxy 127.0.0.1:.* cannot be reached: it refused"),
]


@pytest.mark.parametrize(("scheme", "dialogue", "text"), BAD_PROXIES)
async def test_a_bad_proxy_leaves_nothing_behind(
    clock: MockClock, scheme: str, dialogue: Dialogue | None, text: str
) -> None:
    """A proxy that refuses, stays silent or is not there is unreachable within the connect limit, and
    leaves no slot in the pool."""
    async with scripted_upstream([], tls=server_tls("good")) as up, open_upstream(Timeouts()) as upstream:

        async def attempt(port: int) -> None:
            with pytest.raises(UpstreamUnreachable, match=text):
                await upstream.send(call(up.url, proxy=f"{scheme}://user:secret@127.0.0.1:{port}"))

        started = trio.current_time()
        if dialogue is None:
            await attempt(closed_port())
        else:
            async with proxy(dialogue) as port:
                await attempt(port)
        assert trio.current_time() - started <= 31
        assert (upstream.in_flight, upstream.pool_size) == (0, 0)


async def test_failed_tls_in_a_tunnel_leaves_nothing_behind() -> None:
    """A tunnel whose TLS fails is forgotten."""
    async with (
        scripted_upstream([], tls=server_tls("expired")) as up,
        proxy(connect) as port,
        open_upstream(Timeouts(), tls=client_tls()) as upstream,
    ):
        with pytest.raises(UpstreamUnreachable, match="expired"):
            await upstream.send(call(up.url, proxy=f"http://127.0.0.1:{port}"))
        assert (upstream.in_flight, upstream.pool_size) == (0, 0)


async def test_a_handshake_that_stalls(clock: MockClock) -> None:
    """A server that never answers the TLS handshake is unreachable within the connect limit."""
    async with scripted_upstream([]) as up, open_upstream(Timeouts(), tls=client_tls()) as upstream:
        with pytest.raises(UpstreamUnreachable, match="did not accept a connection in time"):
            await upstream.send(call(up.url.replace("http:", "https:")))
        assert trio.current_time() < 25
        assert upstream.pool_size == 0


async def test_a_fresh_tunnel_that_breaks_is_not_stale() -> None:
    """Bytes of a proxy's greeting do not make a new connection look like a reused one."""
    async with (
        scripted_upstream([raw(End.CUT)]) as up,
        proxy(socks) as port,
        open_upstream(Timeouts()) as upstream,
    ):
        with pytest.raises(UpstreamBroke):
            await upstream.send(call(up.url, proxy=f"socks5://127.0.0.1:{port}"))
        assert len(up.requests) == 1


def test_tls_keys_are_never_logged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """SSLKEYLOGFILE has no effect, also when authorities come from SSL_CERT_FILE."""
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    contexts = [create_tls()]
    monkeypatch.setenv("SSL_CERT_FILE", str(AUTHORITY))
    contexts.append(create_tls())
    assert [it.keylog_filename for it in contexts] == [None, None]
    assert [it["subject"] for it in contexts[1].get_ca_certs()] == [((("commonName", "shunt test CA"),),)]


def test_unreadable_authorities_stop_the_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An SSL_CERT_FILE that cannot be read is named, not ignored."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    with pytest.raises(ConfigError, match="SSL_CERT_FILE"):
        create_tls()


async def test_a_connection_that_ends_at_once_is_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some systems refuse options of a connection that its other end has reset: it is closed, and the error is one
    of connecting."""

    made: list[trio.socket.SocketType] = []

    def refuse(sock: trio.socket.SocketType, _: float) -> None:
        made.append(sock)
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(network, "notice_when_gone", refuse)
    async with scripted_upstream([Answer(200)]) as up:
        with pytest.raises(httpcore.ConnectError):
            await Network(60).connect_tcp("127.0.0.1", up.port)
        assert [sock.fileno() for sock in made] == [-1]


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="not a thing of this system")
async def test_a_proxy_that_has_gone_is_noticed_as_a_vendor_is() -> None:
    """Connections to it are probed, and end when it acknowledges nothing for longer than it may take nothing."""
    async with scripted_upstream([Answer(200)]) as up:
        connection = await Network(900).connect_tcp("127.0.0.1", up.port)
        sock = connection.get_extra_info("socket")
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == (900 + APART) * 1000
        await connection.aclose()
