"""The bytes of a connection, in the clear or through TLS."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing
from attrs import evolve
from trio.testing import MockClock

from shunt.server.bounds import Bounds
from shunt.server.line import Line, PlainLine, SecureLine, Stalled, open_line
from shunt.tcp import APART
from tests.fakes.certificates import client_tls, server_tls
from tests.fakes.client import raw_client, request
from tests.fakes.serving import Script, running

Use = Callable[[Line | None], Awaitable[None]]


@asynccontextmanager
async def met(
    use: Use, *, here: bool, tls: bool = True, patience: float = 5
) -> AsyncIterator[trio.SocketStream]:
    """A client's end of one connection whose other end is opened as the server would."""
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listener.socket.getsockname()[1]

    async def serve(task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        async with await listener.accept() as stream:
            context = server_tls("good") if tls else None
            await use(await open_line(stream, context, stall=1, patience=patience, here=here))

    async with trio.open_nursery() as nursery:
        await nursery.start(serve)
        async with await trio.open_tcp_stream("127.0.0.1", port) as client:
            yield client
        await listener.aclose()


async def echo(line: Line | None) -> None:
    assert line is not None
    await line.send((b"s" if line.secure else b"p") + bytes(await line.receive(100)))


@pytest.mark.parametrize("here", [True, False])
async def test_tls_for_whoever_speaks_it(here: bool) -> None:
    """From this machine and from others."""
    async with met(echo, here=here) as client:
        tls = trio.SSLStream(client, client_tls(), server_hostname="127.0.0.1", https_compatible=True)
        await tls.send_all(b"hi")
        assert await tls.receive_some() == b"shi"
        assert tls.selected_alpn_protocol() is None


async def test_this_machine_may_speak_in_the_clear() -> None:
    """Nobody listens in there, and no certificate has its name."""
    async with met(echo, here=True) as client:
        await client.send_all(b"GET")
        assert await client.receive_some() == b"pGET"


async def test_others_are_told_of_https() -> None:
    """A base URL with the wrong beginning is the usual slip."""
    found: list[Line | None] = []

    async def note(line: Line | None) -> None:
        found.append(line)
        await trio.lowlevel.checkpoint()

    async with met(note, here=False) as client:
        await client.send_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        heard = b""
        while data := await client.receive_some():
            heard += data
        assert b"400 Bad Request" in heard
        assert b"https://" in heard
    assert found == [None]


async def test_who_never_shakes_hands_is_let_go(clock: MockClock) -> None:
    """Within the time that a head may take."""
    done = trio.Event()

    async def note(line: Line | None) -> None:
        assert line is None
        done.set()
        await trio.lowlevel.checkpoint()

    async with met(note, here=False, patience=15):
        begun = trio.current_time()
        await done.wait()
        assert trio.current_time() - begun == pytest.approx(15, abs=1)


@pytest.mark.parametrize("tls", [True, False])
async def test_a_client_that_takes_nothing_is_given_up(clock: MockClock, tls: bool) -> None:
    """A write ends when nothing was taken for the time of a stall, shielded or not."""
    raised = trio.Event()

    async def flood(line: Line | None) -> None:
        assert isinstance(line, SecureLine if tls else PlainLine)
        with trio.CancelScope(shield=True), pytest.raises(trio.BrokenResourceError) as caught:
            await line.send(b"x" * 50_000_000)
        assert isinstance(caught.value, Stalled) or isinstance(caught.value.__cause__, Stalled)
        raised.set()

    async with met(flood, here=True, tls=tls) as client:
        if tls:
            stream = trio.SSLStream(client, client_tls(), server_hostname="127.0.0.1", https_compatible=True)
            await stream.do_handshake()
        await raised.wait()


# ── the whole server ──────────────────────────────────────────────────────────────────────────────


async def test_requests_streams_and_shutdown_through_tls() -> None:
    """Keep-alive, a stream that runs, its end at the shutdown; the scope says https."""
    app = Script(every=0.01)
    context = server_tls("good")
    bounds = evolve(Bounds(), drain=0.5, cut=0.5)
    async with (
        running(app, bounds, tls=lambda: context) as server,
        raw_client(server.port, tls=client_tls()) as client,
    ):
        assert (await client.ask(b"GET", b"/ok")).status == 200
        assert (await client.ask(b"GET", b"/ok")).status == 200
        await client.send(request(b"GET", b"/stream"))
        stream = await client.begin()
        assert await stream.piece() is not None
        assert {scope["scheme"] for scope in app.entered} == {"https"}
        server.shutdown.set()
        with trio.fail_after(10):
            await server.ended.wait()


@pytest.mark.parametrize("tls", [True, False])
async def test_what_was_begun_is_written_to_its_end(tls: bool) -> None:
    """Although its task is cancelled meanwhile: half of it would spoil whatever comes after."""
    data = bytes(range(256)) * 40_000
    scope = trio.CancelScope()
    begun = trio.Event()

    async def use(line: Line | None) -> None:
        assert line is not None
        with scope:
            rest = line.send_now(data)
            assert rest, "the system took it all: the test says nothing"
            begun.set()
            await line.send(rest)

    async with met(use, here=False, tls=tls) as client:
        reading: trio.abc.ReceiveStream = client
        if tls:
            reading = trio.SSLStream(client, client_tls(), server_hostname="127.0.0.1", https_compatible=True)
            await reading.do_handshake()
        await begun.wait()
        await trio.testing.wait_all_tasks_blocked(0.05)
        scope.cancel()
        got = bytearray()
        while piece := await reading.receive_some(100_000):
            got += piece
        assert got == data


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="not a thing of this system")
@pytest.mark.parametrize("tls", [False, True])
async def test_the_system_gives_a_client_as_long_as_the_limit_does(tls: bool) -> None:
    """However long it may take nothing: Linux would end the connection before, and nobody would say why."""
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with listener:
        client = await trio.open_tcp_stream(*listener.socket.getsockname())
        async with client, await listener.accept() as stream:
            with trio.CancelScope() as scope:
                scope.cancel()  # at the first step that waits
                await open_line(
                    stream, server_tls("good") if tls else None, stall=900, patience=5, here=False
                )
            option = stream.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
            assert option == (900 + APART) * 1000
