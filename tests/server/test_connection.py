"""The promises a connection keeps where Hypercorn alone does not, at real sockets.

These are contract tests: they run against the locked Hypercorn and h11, and fail when an upgrade moves
what `shunt.server.connection` overrides.
"""

from __future__ import annotations

import inspect
import socket
from importlib.metadata import version
from typing import Any

import h11
import pytest
import trio
from hypercorn.protocol.h11 import H11Protocol
from hypercorn.trio.task_group import TaskGroup
from trio.testing import MockClock

from shunt.server.asgi import AsgiCall
from shunt.server.bounds import Bounds
from shunt.server.connection import Connection
from shunt.server.plain_http import PlainHttp
from tests.fakes.client import RawClient, raw_client, request
from tests.fakes.http1 import PeerLeft, socket_of
from tests.fakes.serving import Running, Script, running

WEBSOCKET = (
    (b"connection", b"Upgrade"),
    (b"upgrade", b"websocket"),
    (b"sec-websocket-version", b"13"),
    (b"sec-websocket-key", b"bKdPyn3u98cTfZJSh4TNeQ=="),
)
H2C = (
    (b"connection", b"Upgrade, HTTP2-Settings"),
    (b"upgrade", b"h2c"),
    (b"http2-settings", b"AAMAAABkAARAAAAAAAIAAAAA"),
)


# ── what is built upon ────────────────────────────────────────────────────────────────────────────


def test_the_library_versions_are_those_the_repairs_were_made_for() -> None:
    """A new Hypercorn or h11 is looked at before it is trusted: read connection.py, then raise these."""
    assert version("hypercorn").startswith("0.18.")
    assert version("h11").startswith("0.16.")


@pytest.mark.parametrize(
    "name", ["_send_error_response", "_send_h11_event", "_maybe_recycle", "_close_stream", "_handle_events"]
)
def test_the_steps_that_are_overridden_or_used_still_exist(name: str) -> None:
    """Hypercorn still calls the steps of its HTTP/1.1 protocol by these names."""
    assert inspect.iscoroutinefunction(getattr(H11Protocol, name))
    assert name.endswith("_events") or name in inspect.getsource(H11Protocol)


def test_the_constructors_take_what_they_are_given() -> None:
    """Hypercorn's protocol and task group still have the shape they are used with."""
    assert list(inspect.signature(H11Protocol).parameters) == [
        "app", "config", "context", "task_group", "connection_state", "ssl", "client", "server", "send",
    ]  # fmt: skip
    assert {"spawn", "__aenter__", "__aexit__"} <= set(vars(TaskGroup))
    assert issubclass(PlainHttp, H11Protocol)


# ── no turn is lost ───────────────────────────────────────────────────────────────────────────────


class Steps(trio.abc.Instrument):
    """Counts the steps of all tasks."""

    count = 0

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        """One more."""
        self.count += 1


@pytest.mark.parametrize("before", [0, 2])
async def test_whoever_reads_a_request_answers_it(before: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """No step of another task lies between, also on a connection that has served some: among many streams each turn is a
    wait behind all of them."""
    steps, seen = Steps(), list[tuple[str, int]]()
    take, run = Connection._take, AsgiCall.run

    async def taken(self: Connection, data: bytes) -> None:
        seen.append(("read", steps.count))
        await take(self, data)

    async def answered(self: AsgiCall, *call: Any) -> None:
        seen.append(("answered", steps.count))
        await run(self, *call)

    monkeypatch.setattr(Connection, "_take", taken)
    monkeypatch.setattr(AsgiCall, "run", answered)
    trio.lowlevel.add_instrument(steps)
    async with running(Script()) as server, raw_client(server.port) as client:
        for _ in range(before + 1):
            await client.send(request(b"GET", b"/ok"))
            assert (await client.response()).status == 200
    (read, at), (answer, then) = seen[-2:]
    assert (read, answer) == ("read", "answered")
    assert at == then


# ── nothing ends the server ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "raw",
    [
        request(b"GET", b"/ok", WEBSOCKET) + b"x",
        request(b"GET", b"/ok", WEBSOCKET) + bytes(range(256)),
        request(b"GET", b"/ok", (*WEBSOCKET, (b"content-length", b"5")), b"hello"),
        request(b"GET", b"/ok", ((b"connection", b"upgrade"), (b"upgrade", b"websocket"))),
        request(b"GET", b"/ok", H2C),
        request(b"GET", b"/ok", (*H2C[:2], (b"http2-settings", b"!!!!"))),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(200),
    ],
)
@pytest.mark.parametrize("leaving", ["fin", "rst", "half"])
async def test_an_upgrade_is_never_entered_and_never_ends_the_server(raw: bytes, leaving: str) -> None:
    """WebSocket, h2c and HTTP/2 requests get a plain answer (P1); another client's stream goes on."""
    async with running(Script()) as server, raw_client(server.port) as other:
        await other.send(request(b"GET", b"/stream"))
        stream = await other.begin()
        async with raw_client(server.port) as client:
            await client.send(raw)
            assert (await client.begin()).status in (200, 505)
            await leave(client, leaving)
        for _ in range(3):
            assert await stream.piece() is not None


async def leave(client: RawClient, how: str) -> None:
    """Leave in one of three ways."""
    if how == "rst":
        client.reset()
    elif how == "half":
        await client.half_close()
    else:
        await client.leave()


async def test_a_client_that_speaks_https_is_told_of_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """Once a minute: the client itself shows nothing but a broken connection."""
    async with running(Script()) as server:
        for _ in range(3):
            async with raw_client(server.port) as client:
                await client.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(300))
                assert (await client.response()).status == 400
    assert caplog.text.count("https") == 1


async def test_an_application_that_fails_harms_only_its_own_request() -> None:
    """A crash in one call is answered with a 500, and the next connection is served (P1, P9)."""
    async with running(Script()) as server:
        async with raw_client(server.port) as client:
            assert (await client.ask(b"GET", b"/boom")).status == 500
            assert await client.read_to_end() == b""
        async with raw_client(server.port) as client:
            assert (await client.ask(b"GET", b"/ok")).status == 200


async def test_a_fault_in_the_protocol_ends_one_connection_only(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An exception where none is expected drops its connection, is logged, and goes no further (P1)."""

    def fail(self: PlainHttp, request: h11.Request) -> None:
        if request.target == b"/fail":
            raise RuntimeError("no such luck")
        begin(self, request)

    begin = PlainHttp._begin
    monkeypatch.setattr(PlainHttp, "_begin", fail)
    async with running(Script()) as server:
        async with raw_client(server.port) as client:
            await client.send(request(b"GET", b"/fail"))
            assert await client.read_to_end() == b""
        async with raw_client(server.port) as client:
            assert (await client.ask(b"GET", b"/ok")).status == 200
    assert "no such luck" in caplog.text


# ── connections end when they should ──────────────────────────────────────────────────────────────

HTTP_10 = b"GET /ok HTTP/1.0\r\nhost: 127.0.0.1\r\n\r\n"
CLOSE = ((b"connection", b"close"),)


@pytest.mark.parametrize(
    "raw",
    [
        request(b"GET", b"/ok", CLOSE),
        HTTP_10,
        request(b"POST", b"/echo", CLOSE, b"abc"),
        b"GET /ok HTTP/9.9\r\nhost: a\r\n\r\n",
    ],
)
async def test_a_connection_that_is_over_is_closed_at_once(raw: bytes) -> None:
    """After `Connection: close`, HTTP/1.0 and errors of framing the client sees the end (P2)."""
    async with running(Script()) as server, raw_client(server.port) as client:
        await client.send(raw)
        with trio.fail_after(1):
            assert (await client.read_to_end()).startswith(b"HTTP/1.1 ")


async def test_a_connection_that_is_over_does_not_wait_for_its_client(clock: MockClock) -> None:
    """A client that keeps its side open after the answer costs nothing any more (P2)."""
    async with running(Script()) as server:
        before = trio.lowlevel.current_statistics().tasks_living
        for raw in (HTTP_10, b"GET /ok HTTP/9.9\r\nhost: a\r\n\r\n"):
            async with raw_client(server.port) as client:
                await client.send(raw)
                await client.read_to_end()
                await trio.sleep(3)
                assert trio.lowlevel.current_statistics().tasks_living == before


async def test_an_idle_connection_is_kept_and_then_closed(clock: MockClock) -> None:
    """Between requests a connection lives for the keep-alive time, no longer and no shorter (P2)."""
    async with running(Script(), Bounds(keep_alive=620)) as server, raw_client(server.port) as client:
        for wait in (600.0, 600.0):
            assert (await client.ask(b"GET", b"/ok")).status == 200
            await trio.sleep(wait)
        assert (await client.ask(b"GET", b"/ok")).status == 200
        begun = trio.current_time()
        assert await client.read_to_end() == b""
        assert 620 <= trio.current_time() - begun < 622


async def test_a_client_that_left_costs_nothing_any_more() -> None:
    """A kept connection whose client has closed it is gone at once, not after the keep-alive time."""
    async with running(Script()) as server:
        before = trio.lowlevel.current_statistics().tasks_living
        clients = [await trio.open_tcp_stream("127.0.0.1", server.port) for _ in range(20)]
        for stream in clients:
            await stream.send_all(request(b"GET", b"/ok"))
            assert (await stream.receive_some()).startswith(b"HTTP/1.1 200")
        for stream in clients:
            await stream.aclose()
        with trio.fail_after(2):
            while trio.lowlevel.current_statistics().tasks_living > before:  # noqa: ASYNC110 - no event tells
                await trio.sleep(0.01)


async def test_an_answer_that_comes_before_the_end_of_the_body_is_readable() -> None:
    """The connection is ended gently: a client that is still sending can read why (no reset)."""

    body = b"x" * 3_000_000
    async with running(Script()) as server, raw_client(server.port) as client:
        await client.send(request(b"POST", b"/refuse", body=body))
        assert (await client.response()).status == 403
        with trio.fail_after(3):
            assert await client.read_to_end() == b""


# ── clients that are slow, or gone ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("sent", [b"", b"GET /ok HTTP/1.1\r\nhost:"])
async def test_a_head_that_does_not_come_is_not_waited_for(clock: MockClock, sent: bytes) -> None:
    """A client that connects and says nothing, or stops in the middle, is let go after 15 s."""
    async with running(Script()) as server, raw_client(server.port) as client:
        begun = trio.current_time()
        await client.send(sent)
        answer = await client.read_to_end()
        assert 15 <= trio.current_time() - begun < 17
        assert answer.startswith(b"HTTP/1.1 408") if sent else answer == b""


async def test_a_head_in_drops_is_not_waited_for_either(clock: MockClock) -> None:
    """Progress does not extend the time for a head; it holds for the second request as well."""
    async with running(Script()) as server, raw_client(server.port) as client:
        assert (await client.ask(b"GET", b"/ok")).status == 200
        await trio.sleep(100)
        begun = trio.current_time()
        with pytest.raises(trio.BrokenResourceError):
            await drip(client, request(b"GET", b"/" + b"a" * 200))
        assert 15 <= trio.current_time() - begun < 24


async def drip(client: RawClient, data: bytes) -> None:
    """Send byte by byte."""
    for byte in data:
        await client.send(bytes([byte]))
        await trio.sleep(4)


@pytest.mark.parametrize("leaving", ["fin", "rst", "half"])
@pytest.mark.parametrize("path", [b"/hold", b"/stream"])
@pytest.mark.parametrize(
    "ahead", [b"", request(b"GET", b"/ok"), request(b"POST", b"/echo", body=b"x" * 100_000)]
)
async def test_a_client_that_leaves_is_noticed_at_once(leaving: str, path: bytes, ahead: bytes) -> None:
    """The call is told within a second, also when bytes of further requests wait before it (P7)."""
    app = Script()
    async with running(app) as server, raw_client(server.port) as client:
        await client.send(request(b"GET", path) + ahead)
        if path == b"/stream":
            await (await client.begin()).piece()
        else:
            await app.held.wait()
        await leave(client, leaving)
        with trio.fail_after(1):
            await app.over.wait()


async def test_a_client_that_sends_without_end_behind_an_answer_is_dropped() -> None:
    """Bytes sent ahead are bounded: beyond a MiB the connection, and its request, end (P7)."""
    app = Script()
    async with running(app) as server, raw_client(server.port) as client:
        await client.send(request(b"GET", b"/hold"))
        await app.held.wait()
        with pytest.raises(trio.BrokenResourceError), trio.fail_after(5):
            await client.send(request(b"POST", b"/echo", body=b"x" * 100_000_000))
        with trio.fail_after(1):
            await app.over.wait()


async def test_half_a_request_sent_ahead_has_a_time_of_its_own(clock: MockClock) -> None:
    """However long the answer before it took; and it is over when the rest does not come."""
    app, second = Script(), request(b"GET", b"/ok")
    async with running(app) as server, raw_client(server.port) as client:
        await client.send(request(b"POST", b"/later", body=b"x") + second[:10])
        await trio.sleep(40)
        app.proceed.set()
        assert (await client.response(b"POST")).status == 200
        for piece in (second[10:20], second[20:]):
            await trio.sleep(5)
            await client.send(piece)
        assert (await client.response()).status == 200
        await client.send(second[:10])
        began = trio.current_time()
        assert (await client.response()).status == 408
        assert 14 <= trio.current_time() - began <= 16


async def test_half_a_request_sent_ahead_is_not_waited_for_as_for_a_next_one(clock: MockClock) -> None:
    """Its time begins when the answer before it has ended, although no byte more comes."""
    app = Script()
    async with running(app, Bounds(keep_alive=620)) as server, raw_client(server.port) as client:
        await client.send(request(b"POST", b"/later", body=b"x") + request(b"GET", b"/ok")[:10])
        await trio.sleep(40)
        app.proceed.set()
        assert (await client.response(b"POST")).status == 200
        began = trio.current_time()
        assert (await client.response()).status == 408
        assert 14 <= trio.current_time() - began <= 16


async def test_pipelined_requests_are_served_in_order() -> None:
    """Twenty requests in one write get twenty answers, in order."""
    async with running(Script()) as server, raw_client(server.port) as client:
        await client.send(b"".join(request(b"POST", b"/echo", body=b"%d" % n) for n in range(1, 21)))
        assert [(await client.response()).body for _ in range(20)] == [b"%d" % n for n in range(1, 21)]


async def stalled(server: Running, room: int) -> trio.SocketStream:
    """A client that asks for much, and has little room for it."""
    sock = trio.socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    await sock.connect(("127.0.0.1", server.port))
    stream = trio.SocketStream(sock)
    await stream.send_all(request(b"GET", b"/big"))
    return stream


async def test_a_client_that_never_reads_is_dropped(clock: MockClock) -> None:
    """A send that makes no progress for a minute ends the connection and its call (P6)."""
    app = Script(size=20_000_000)
    async with running(app) as server:
        begun = trio.current_time()
        stream = await stalled(server, 4096)
        await app.over.wait()
        assert 60 <= trio.current_time() - begun < 65
        await stream.aclose()


async def test_a_client_that_reads_slowly_gets_everything(clock: MockClock) -> None:
    """Progress resets the stall limit, however large the piece that is being sent."""
    app = Script(size=1_000_000)
    async with running(app) as server:
        stream = await stalled(server, 100_000)
        got, begun = 0, trio.current_time()
        while data := await stream.receive_some(100_000):
            got += len(data)
            if data.endswith(b"0\r\n\r\n"):
                break
            await trio.sleep(25)
        assert got > 1_000_000
        assert trio.current_time() - begun > 120
        await stream.aclose()


# ── bytes ─────────────────────────────────────────────────────────────────────────────────────────


async def test_the_application_sees_the_head_as_it_was_sent() -> None:
    """Method, target and headers reach the application byte for byte, names in their own case."""
    app = Script()
    async with running(app) as server, raw_client(server.port) as client:
        await client.ask(b"get", b"/ok?a=%2F&b=+", ((b"X-Api-Key", b"k"), (b"x-Dup", b"1"), (b"X-dup", b"2")))
    scope = app.entered[0]
    assert (scope["method"], scope["raw_path"], scope["query_string"]) == ("get", b"/ok", b"a=%2F&b=+")
    assert list(scope["headers"]) == [
        (b"host", b"127.0.0.1"), (b"X-Api-Key", b"k"), (b"x-Dup", b"1"), (b"X-dup", b"2"),
    ]  # fmt: skip
    assert scope["client"][0] == "127.0.0.1"


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 1_000_000])
async def test_bodies_come_through_unchanged(size: int) -> None:
    """Bodies of any size are the same bytes on both sides, with a length or in chunks."""
    body = bytes(n * 7 & 255 for n in range(size))
    chunked = b"".join(
        b"%x\r\n%s\r\n" % (len(part), part) for part in (body[at : at + 9999] for at in range(0, size, 9999))
    )
    async with running(Script()) as server, raw_client(server.port) as client:
        assert (await client.ask(b"POST", b"/echo", body=body)).body == body
        head = request(b"POST", b"/echo", ((b"transfer-encoding", b"chunked"),))
        await client.send(head + chunked + b"0\r\n\r\n")
        assert (await client.response()).body == body


async def test_a_body_is_taken_no_faster_than_the_application_takes_it() -> None:
    """A client that sends much is held back while nobody reads, and nothing of it is lost."""
    app, body = Script(), bytes(n * 7 & 255 for n in range(1000)) * 20_000
    async with running(app) as server, raw_client(server.port) as client, trio.open_nursery() as nursery:
        sent = trio.Event()

        async def send() -> None:
            await client.send(request(b"POST", b"/later", body=body))
            sent.set()

        nursery.start_soon(send)
        await trio.testing.wait_all_tasks_blocked(0.05)
        assert not sent.is_set()
        app.proceed.set()
        assert (await client.response()).body == body


async def test_a_body_that_breaks_off_is_not_an_answer() -> None:
    """An application that fails in the middle leaves a body without its end."""

    async with running(Script()) as server, raw_client(server.port) as client:
        await client.send(request(b"GET", b"/half"))
        answer = await client.response()
        assert (answer.body, answer.complete) == (b"half", False)
        with pytest.raises(PeerLeft):
            await client.begin()
        socket_of(client.stream).close()
