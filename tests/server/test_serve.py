"""The server's life: accept, drain, end, whatever the clients do."""

from __future__ import annotations

import errno
from contextlib import AsyncExitStack

import pytest
import trio
from attrs import evolve
from trio.testing import MockClock

from shunt.server.bounds import Bounds
from tests.fakes.client import ask, raw_client, request
from tests.fakes.serving import Running, Script, running

BOUNDS = evolve(Bounds(), drain=30.0, cut=3.0)


async def refused(server: Running) -> bool:
    """Whether a new connection is refused."""
    try:
        stream = await trio.open_tcp_stream("127.0.0.1", server.port)
    except OSError:
        return True
    await stream.aclose()
    return False


# ── shutting down ─────────────────────────────────────────────────────────────────────────────────


async def test_shutdown_with_idle_connections_is_immediate() -> None:
    """Connections on which nothing is going on are closed, and nothing is waited for."""
    async with running(Script(), BOUNDS) as server, raw_client(server.port) as idle, raw_client(server.port):
        assert (await idle.ask(b"GET", b"/ok")).status == 200
        server.shutdown.set()
        with trio.fail_after(1):
            await server.ended.wait()
            assert await idle.read_to_end() == b""
        assert await refused(server)


async def test_a_running_stream_may_finish(clock: MockClock) -> None:
    """Shutdown refuses new connections at once and lets a stream go on (P6); then it ends."""
    async with running(Script(every=5), BOUNDS) as server, raw_client(server.port) as client:
        await client.send(request(b"GET", b"/stream"))
        stream = await client.begin()
        await stream.piece()
        server.shutdown.set()
        await trio.sleep(20)
        assert await refused(server)
        for _ in range(5):
            assert await stream.piece() is not None
        assert not server.ended.is_set()
        await client.leave()
        with trio.fail_after(5):
            await server.ended.wait()


async def test_a_stream_that_does_not_finish_is_ended(clock: MockClock) -> None:
    """After the time to drain it is cut, and the server returns (P6)."""
    async with running(Script(every=5), BOUNDS) as server, raw_client(server.port) as client:
        await client.send(request(b"GET", b"/stream"))
        await (await client.begin()).piece()
        begun = trio.current_time()
        server.shutdown.set()
        await server.ended.wait()
        assert 30 <= trio.current_time() - begun < 35


async def test_a_client_that_never_reads_does_not_hold_up_the_end(clock: MockClock) -> None:
    """Also while a shielded write waits for it (P6)."""
    async with running(Script(size=50_000_000), BOUNDS) as server:
        stream = await trio.open_tcp_stream("127.0.0.1", server.port)
        await stream.send_all(request(b"GET", b"/big"))
        await trio.sleep(1)
        begun = trio.current_time()
        server.shutdown.set()
        await server.ended.wait()
        assert 30 <= trio.current_time() - begun < 35
        await stream.aclose()


async def test_an_answer_that_is_not_begun_gets_its_time_as_well(clock: MockClock) -> None:
    """A request that waits for its upstream is a running request."""
    app = Script()
    async with running(app, BOUNDS) as server, raw_client(server.port) as client:
        await client.send(request(b"GET", b"/hold"))
        await app.held.wait()
        server.shutdown.set()
        await trio.sleep(25)
        assert not server.ended.is_set()
        await server.ended.wait()


async def test_requests_behind_a_running_one_are_not_begun_any_more() -> None:
    """A connection ends with the answer that was running when shutdown began."""
    app = Script()
    async with running(app, BOUNDS) as server, raw_client(server.port) as client:
        await client.send(request(b"GET", b"/hold") + request(b"GET", b"/ok"))
        await app.held.wait()
        server.shutdown.set()
        await trio.testing.wait_all_tasks_blocked(0.02)
        await client.leave()
        with trio.fail_after(2):
            await server.ended.wait()
        assert [scope["raw_path"] for scope in app.entered] == [b"/hold"]


async def test_a_cancelled_server_leaves_nothing_behind() -> None:
    """An error elsewhere in the program ends it at once, streams and stuck writes included."""
    before = trio.lowlevel.current_statistics().tasks_living
    async with AsyncExitStack() as clients:
        with trio.fail_after(5):
            async with running(Script(size=50_000_000, every=5), BOUNDS) as server:
                for path in (b"/big", b"/stream", b"/hold", b"/ok"):
                    client = await clients.enter_async_context(raw_client(server.port))
                    await client.send(request(b"GET", path))
                await trio.testing.wait_all_tasks_blocked(0.05)
        assert trio.lowlevel.current_statistics().tasks_living == before
        assert await refused(server)


# ── many clients ──────────────────────────────────────────────────────────────────────────────────


async def test_a_burst_of_clients_is_served_whole() -> None:
    """300 at once, every one gets its answer (P10)."""
    statuses: list[int] = []

    async def one(port: int) -> None:
        statuses.append((await ask(port, b"GET", b"/ok", ((b"connection", b"close"),))).status)

    async with running(Script()) as server, trio.open_nursery() as nursery:
        for _ in range(300):
            nursery.start_soon(one, server.port)
    assert statuses == [200] * 300


async def test_a_full_house_closes_its_longest_idle_connection() -> None:
    """New clients are served; whoever is in the middle of something is left alone."""
    async with (
        running(Script(), evolve(BOUNDS, connections=3)) as server,
        raw_client(server.port) as busy,
        raw_client(server.port) as old,
        raw_client(server.port) as young,
    ):
        await busy.send(request(b"GET", b"/stream"))
        stream = await busy.begin()
        assert (await old.ask(b"GET", b"/ok")).status == 200
        await trio.sleep(0.01)
        assert (await young.ask(b"GET", b"/ok")).status == 200
        async with raw_client(server.port) as new:
            assert (await new.ask(b"GET", b"/ok")).status == 200
            assert await old.read_to_end() == b""
            assert (await young.ask(b"GET", b"/ok")).status == 200
            assert await stream.piece() is not None


async def test_a_house_full_of_busy_connections_says_so(caplog: pytest.LogCaptureFixture) -> None:
    """The one too many gets a 503 in the end, those after it at once; the log says it once a minute."""
    bounds = evolve(BOUNDS, connections=1, full=0.2)
    async with running(Script(), bounds) as server, raw_client(server.port) as busy:
        await busy.send(request(b"GET", b"/stream"))
        stream = await busy.begin()
        for _ in range(3):
            async with raw_client(server.port) as extra:
                assert (await extra.response()).status == 503
        assert await stream.piece() is not None
    assert caplog.text.count("none is idle") == 1


async def test_a_house_that_is_full_for_a_moment_serves_everybody() -> None:
    """Ten times as many clients as there are places, all at once: they wait in the queue, and none is refused."""
    statuses: list[int] = []

    async def one(port: int) -> None:
        statuses.append((await ask(port, b"GET", b"/ok", ((b"connection", b"close"),))).status)

    bounds = evolve(BOUNDS, connections=5, full=30.0)
    async with running(Script(), bounds) as server, trio.open_nursery() as nursery:
        for _ in range(50):
            nursery.start_soon(one, server.port)
    assert statuses == [200] * 50


async def test_one_address_cannot_take_all_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """Addresses other than loopback have a share of their own."""
    monkeypatch.setattr("shunt.server.serve.is_loopback", lambda _: False)
    async with (
        running(Script(), evolve(BOUNDS, per_address=2)) as server,
        raw_client(server.port) as first,
        raw_client(server.port) as second,
    ):
        for client in (first, second):
            assert (await client.ask(b"GET", b"/ok")).status == 200
        async with raw_client(server.port) as extra:
            assert (await extra.response()).status == 503


async def test_a_shortage_of_file_descriptors_is_waited_out(
    monkeypatch: pytest.MonkeyPatch, clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """The server goes on accepting, and does not fill the log meanwhile."""
    left = [50]
    accept = trio.SocketListener.accept

    async def failing(self: trio.SocketListener) -> trio.SocketStream:
        if left[0]:
            left[0] -= 1
            raise OSError(errno.EMFILE, "Too many open files")
        return await accept(self)

    monkeypatch.setattr(trio.SocketListener, "accept", failing)
    async with running(Script()) as server:
        assert (await ask(server.port, b"GET", b"/ok")).status == 200
    assert caplog.text.count("Too many open files") == 1


async def test_another_error_of_accepting_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """A listener that broke ends the server: nobody would be served, and nobody would know."""

    async def failing(self: trio.SocketListener) -> trio.SocketStream:
        await trio.lowlevel.checkpoint()
        raise OSError(errno.EINVAL, "broken")

    monkeypatch.setattr(trio.SocketListener, "accept", failing)
    with pytest.raises(OSError, match="broken") as broken:
        await unwrapped(Script())
    assert broken.value.errno == errno.EINVAL


async def unwrapped(app: Script) -> None:
    """Run a server for a while; the one error that ends it comes out of its groups."""
    errors: BaseException | None = None
    try:
        async with running(app):
            await trio.sleep(5)
    except BaseExceptionGroup as group:
        errors = group
    while isinstance(errors, BaseExceptionGroup):
        errors = errors.exceptions[0]
    if errors is not None:
        raise errors


async def test_a_client_that_is_gone_before_it_is_looked_at_costs_nothing() -> None:
    """It connected, reset and was still in the queue."""
    async with running(Script()) as server:
        for _ in range(20):
            async with raw_client(server.port) as client:
                client.reset()
        assert (await ask(server.port, b"GET", b"/ok")).status == 200
