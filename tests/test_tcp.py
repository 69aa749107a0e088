"""A connection's bytes: all of them, in order, and an end for whoever waits when it is closed."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import inf

import pytest
import trio
import trio.testing

from shunt import tcp
from shunt.tcp import APART, LONGEST, TcpStream, end_when_gone


@asynccontextmanager
async def pair() -> AsyncIterator[tuple[TcpStream, trio.SocketStream]]:
    """Ours, and the other end."""
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with listener:
        there = await trio.open_tcp_stream(*listener.socket.getsockname()[:2])
        here = TcpStream(await listener.accept())
    async with there, here:
        yield here, there


@pytest.fixture(params=[True, False], ids=["direct", "through Trio"], autouse=True)
def both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on this system, and as where sockets are no files."""
    monkeypatch.setattr(tcp, "DIRECT", request.param)


async def test_bytes_come_and_go() -> None:
    """Both ways, with an end that is told."""
    async with pair() as (here, there):
        await here.send_all(b"question")
        assert await there.receive_some(100) == b"question"
        await there.send_all(b"answer")
        assert await here.receive_some(3) == b"ans"
        assert await here.receive_some() == b"wer"
        await there.send_eof()
        assert await here.receive_some() == b""
        await here.send_eof()
        assert await there.receive_some() == b""


async def test_more_than_the_system_takes_at_once_arrives_whole() -> None:
    """While the other side reads slowly: some is taken at once, the rest when there is room."""
    data = bytes(range(256)) * 64 * 1024
    got = bytearray()
    async with pair() as (here, there):
        assert here.send_now(data) < len(data)

    async def read(there: trio.SocketStream) -> None:
        while piece := await there.receive_some(50_000):
            got.extend(piece)

    async with pair() as (here, there), trio.open_nursery() as nursery:
        nursery.start_soon(read, there)
        await here.wait_send_all_might_not_block()
        await here.send_all(data)
        await here.send_eof()
    assert got == data


async def test_closing_ends_whoever_waits() -> None:
    """Reading or writing; and later calls find it closed, not somebody else's connection of the same number."""
    ends: list[str] = []

    async def read(here: TcpStream) -> None:
        with pytest.raises(trio.ClosedResourceError):
            await here.receive_some()
        ends.append("read")

    async def write(here: TcpStream) -> None:
        with pytest.raises(trio.ClosedResourceError):
            await here.send_all(bytes(64 * 1024 * 1024))
        ends.append("write")

    async with pair() as (here, _):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(read, here)
            nursery.start_soon(write, here)
            await trio.testing.wait_all_tasks_blocked(0.05)
            here.socket.close()
        assert sorted(ends) == ["read", "write"]
        with socket.socket() as other:  # takes the number that has become free
            for _ in range(2):
                with pytest.raises(trio.ClosedResourceError):
                    await here.receive_some()
                with pytest.raises(trio.ClosedResourceError):
                    await here.send_all(b"x")
            assert other.fileno() >= 0


async def test_the_number_may_be_somebody_elses_when_it_wakes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Closed between being woken and reading, with a new connection of the same number: nothing of that is read."""
    others: list[socket.socket] = []

    async def woken(number: int) -> None:
        here.socket.close()
        other, far = socket.socketpair()
        others.extend((other, far))
        assert number in (other.fileno(), far.fileno())
        for each in others:
            each.sendall(b"somebody else's")
        await trio.lowlevel.checkpoint()

    async with pair() as (here, _):
        if tcp.DIRECT:
            monkeypatch.setattr(trio.lowlevel, "wait_readable", woken)
            with pytest.raises(trio.ClosedResourceError):
                await here.receive_some()
        monkeypatch.undo()
        for each in others:
            each.close()


async def test_what_waits_to_be_read_is_told() -> None:
    """Bytes, an end, and a connection that is closed; not one that is quiet."""
    async with pair() as (here, there):
        assert not here.is_readable()
        await there.send_all(b"x")
        await trio.testing.wait_all_tasks_blocked(0.05)
        assert here.is_readable()
        assert await here.receive_some() == b"x"
        assert not here.is_readable()
        await there.send_eof()
        await trio.testing.wait_all_tasks_blocked(0.05)
        assert here.is_readable()
        here.socket.close()
        assert here.is_readable()


async def test_a_broken_connection_is_said_to_be() -> None:
    """One that the other side reset."""
    async with pair() as (here, there):
        there.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        there.socket.close()
        with pytest.raises(trio.BrokenResourceError):
            await here.receive_some()
        with pytest.raises(trio.BrokenResourceError):
            await here.send_all(b"x")


async def test_a_cancelled_task_neither_reads_nor_writes() -> None:
    """A write that would not have to wait included."""
    async with pair() as (here, there):
        with trio.move_on_after(0) as scope:
            await here.send_all(b"never")
        assert scope.cancelled_caught
        with trio.move_on_after(0) as scope:
            await here.receive_some()
        assert scope.cancelled_caught
        await here.send_all(b"this")
        assert await there.receive_some() == b"this"


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="not a thing of this system")
@pytest.mark.parametrize(
    ("silent", "stalled", "ends_after"),
    [(60, 2, 60), (60, 60, 60 + APART), (60, 3600, 3600 + APART), (60, 1e12, LONGEST), (60, inf, LONGEST)],
)
def test_the_system_is_as_patient_as_we_are(silent: float, stalled: float, ends_after: float) -> None:
    """It ends a connection whose other end takes nothing, though that acknowledges everything: not before we do."""
    with socket.socket() as sock:
        end_when_gone(sock, silent, stalled)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == ends_after * 1000
