"""The HTTP client towards vendors: exact bytes out, raw bytes in, every break told apart."""

from __future__ import annotations

import gzip
from itertools import chain, repeat
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from shunt.errors import (
    InvalidRequest,
    ShuntError,
    UpstreamBroke,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from shunt.upstream.client import Upstream, open_upstream
from shunt.upstream.direct import Pool
from shunt.upstream.timeouts import Timeouts
from tests.fakes import anthropic
from tests.fakes.certificates import client_tls, server_tls
from tests.fakes.clocks import socket_clock
from tests.fakes.upstream import (
    Answer,
    End,
    Forever,
    Framing,
    Gate,
    Pause,
    Raw,
    Request,
    ScriptedUpstream,
    Step,
    closed_port,
    raw,
    scripted_upstream,
)
from tests.upstream.calls import call

QUICK = Timeouts(connect=5, write=60, silence=600)
OK = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
def clock() -> MockClock:
    return socket_clock()


async def fetch(up: ScriptedUpstream, timeouts: Timeouts = QUICK, **parts: Any) -> tuple[int, bytes]:
    """One call on a client of its own, read to the end."""
    async with open_upstream(timeouts) as upstream:
        reply = await upstream.send(call(up.url, **parts))
        try:
            return reply.status, b"".join([chunk async for chunk in reply.chunks()])
        finally:
            await reply.aclose()
            assert upstream.in_flight == 0


async def test_sends_exactly_what_it_was_given() -> None:
    """On the socket there is Host, then the call's headers in order and case, its target and its body."""
    got: list[bytes] = []
    headers = (
        (b"Accept", b"application/json"),
        (b"x-api-key", b"sk-test-1"),
        (b"anthropic-Beta", b"b,a"),
        (b"X-Dup", b"2"),
        (b"x-dup", b"1"),
        (b"content-length", b"11"),
    )
    target = b"/v1//messages/%7e/../x?beta=true&a=%2F;b=[1]&c=%zz"
    async with trio.open_nursery() as nursery:

        async def serve(stream: trio.SocketStream) -> None:
            while not b"".join(got).endswith(b'{"a": 1.0 }'):
                got.append(await stream.receive_some(65536))
            await stream.send_all(OK + b"content-length: 0\r\n\r\n")

        listeners = await nursery.start(trio.serve_tcp, serve, 0)
        port = listeners[0].socket.getsockname()[1]
        async with open_upstream(QUICK) as upstream:
            origin = f"http://127.0.0.1:{port}"
            reply = await upstream.send(call(origin, target=target, headers=headers, body=b'{"a": 1.0 }'))
            await reply.aclose()
        nursery.cancel_scope.cancel()
    lines = [b"POST " + target + b" HTTP/1.1", b"Host: 127.0.0.1:%d" % port]
    lines += [name + b": " + value for name, value in headers]
    assert b"".join(got) == b"\r\n".join(lines) + b'\r\n\r\n{"a": 1.0 }'


async def test_returns_what_came_undecoded() -> None:
    """Status, header pairs and body bytes arrive as the vendor sent them; gzip stays gzip."""
    body = gzip.compress(b"hello")
    headers = ((b"Content-Encoding", b"gzip"), (b"X-A", b"1"), (b"x-a", b"2"))
    async with scripted_upstream([Answer(200, headers, (body,))]) as up, open_upstream(QUICK) as upstream:
        reply = await upstream.send(call(up.url))
        assert reply.headers == (*headers, (b"content-length", b"%d" % len(body)))
        assert [chunk async for chunk in reply.chunks()] == [body]


async def test_remembers_no_cookies_and_follows_no_redirect(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cookie of one call is not sent with the next, a redirect is only reported, proxies of the
    environment are not used."""
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed_port()}")
    moved = Answer(302, ((b"Set-Cookie", b"a=b; Path=/"), (b"Location", b"http://127.0.0.1:1/")))
    async with scripted_upstream([moved, Answer()]) as up, open_upstream(QUICK) as upstream:
        replies = [await upstream.send(call(up.url)) for _ in range(2)]
        for reply in replies:
            await reply.aclose()
        assert [reply.status for reply in replies] == [302, 200]
        assert {name.lower() for name, _ in up.requests[1].headers} == {b"host", b"content-length"}


async def test_streams_as_it_comes() -> None:
    """A chunk is handed over when it arrives, not when the answer ends."""
    gate = trio.Event()
    script = [Answer(steps=(b"one", Gate(gate), b"two"), framing=Framing.CHUNKED)]
    async with scripted_upstream(script) as up, open_upstream(QUICK) as upstream:
        chunks = (await upstream.send(call(up.url))).chunks()
        assert await anext(chunks) == b"one"
        gate.set()
        assert await anext(chunks) == b"two"
        assert await anext(chunks, None) is None
        assert await anext(chunks, None) is None
        assert upstream.in_flight == 0


CHUNK = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
NO_HTTP = "is not HTTP/1.1"
BEFORE = "closed the connection before it answered"
MIDDLE = "broke off in the middle"
BREAKS: list[tuple[str, Answer, type[ShuntError] | bytes, str]] = [
    ("FIN before headers", raw(End.CUT), UpstreamBroke, BEFORE),
    ("RST before headers", raw(End.RST), UpstreamBroke, BEFORE),
    ("FIN in the headers", raw(OK + b"x-a: b\r\n", End.CUT), UpstreamBroke, BEFORE),
    ("garbage", raw(b"\x00\xff nope\r\n\r\n"), UpstreamBroke, NO_HTTP),
    ("HTTP/2", raw(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\r\n\r\n"), UpstreamBroke, NO_HTTP),
    ("HTTP/0.9", raw(b"<html>hello\r\n\r\n"), UpstreamBroke, NO_HTTP),
    ("status 99", raw(b"HTTP/1.1 099 X\r\n\r\n", End.CUT), UpstreamBroke, NO_HTTP),
    ("huge header", raw(OK + b"x: " + b"a" * 200_000 + b"\r\n\r\n"), UpstreamBroke, NO_HTTP),
    (
        "two lengths",
        raw(OK + b"content-length: 2\r\ncontent-length: 3\r\n\r\nabc"),
        UpstreamBroke,
        NO_HTTP,
    ),
    ("bare CR", raw(OK + b"x: a\rb: c\r\ncontent-length: 0\r\n\r\n"), UpstreamBroke, NO_HTTP),
    ("101 unasked", raw(b"HTTP/1.1 101 X\r\nUpgrade: x\r\n\r\n"), UpstreamBroke, NO_HTTP),
    ("FIN mid chunk", raw(CHUNK + b"100\r\npart", End.CUT), UpstreamBroke, MIDDLE),
    ("FIN between chunks", raw(CHUNK, End.CUT), UpstreamBroke, MIDDLE),
    ("RST mid", raw(CHUNK, Pause(0.05), End.RST), UpstreamBroke, MIDDLE),
    ("bad chunk size", raw(CHUNK + b"ZZZ\r\n"), UpstreamBroke, NO_HTTP),
    (
        "length too short",
        Answer(headers=((b"content-length", b"9"),), steps=(b"abc", End.CUT)),
        UpstreamBroke,
        MIDDLE,
    ),
    ("length too long", raw(OK + b"content-length: 3\r\n\r\nabcdef"), b"abc", ""),
    ("close-delimited", raw(b"HTTP/1.0 200 OK\r\n\r\nabc"), b"abc", ""),
    ("early hints first", raw(b"HTTP/1.1 103 X\r\n\r\n" + OK + b"content-length: 3\r\n\r\nabc"), b"abc", ""),
    ("end without terminal event", anthropic.events_answer([b"abc"]), b"abc", ""),
    ("bad gzip", Answer(headers=((b"content-encoding", b"gzip"),), steps=(b"abc",)), b"abc", ""),
    ("204", Answer(204), b"", ""),
]


@pytest.mark.parametrize(
    ("answer", "expected", "text"), [it[1:] for it in BREAKS], ids=[it[0] for it in BREAKS]
)
async def test_every_break_is_named(answer: Answer, expected: type[ShuntError] | bytes, text: str) -> None:
    """However an answer breaks, it is one of our errors with host and reason, and nothing stays open."""
    async with scripted_upstream([answer]) as up:
        if isinstance(expected, bytes):
            assert (await fetch(up))[1] == expected
        else:
            with pytest.raises(expected, match=text) as caught:
                await fetch(up)
            assert f"127.0.0.1:{up.port}" in str(caught.value)
        await up.wait_until_idle()


SILENT: list[tuple[str, Answer, str]] = [
    ("silence before headers", raw(End.NEVER), "did not answer in time"),
    ("endless 1xx", raw(Forever(b"HTTP/1.1 102 Processing\r\n\r\n", every=50)), "did not answer in time"),
    ("headers drop by drop", raw(OK, Forever(b"x: y\r\n", every=50)), "did not answer in time"),
    ("silence after headers", anthropic.events_answer([End.NEVER]), "fell silent in the middle"),
    ("silence mid-stream", anthropic.events_answer([b"abc", End.NEVER]), "fell silent in the middle"),
]


@pytest.mark.parametrize(("answer", "text"), [it[1:] for it in SILENT], ids=[it[0] for it in SILENT])
async def test_every_wait_has_an_end(clock: MockClock, answer: Answer, text: str) -> None:
    """A silent upstream is given up after the silence limit; 1xx answers do not prolong it."""
    async with scripted_upstream([answer]) as up:
        started = trio.current_time()
        with pytest.raises(UpstreamTimeout, match=text):
            await fetch(up)
        assert 600 <= trio.current_time() - started < 610


async def test_silence_is_not_duration(clock: MockClock) -> None:
    """A stream may last for hours as long as bytes keep coming."""
    steps: list[Step] = [step for _ in range(10) for step in (b"x", Pause(550))]
    async with scripted_upstream([anthropic.events_answer(steps)]) as up:
        assert await fetch(up) == (200, b"x" * 10)
        assert trio.current_time() >= 5500


async def test_upload_that_is_not_taken(clock: MockClock) -> None:
    """An upstream that stops reading a large body is given up after the write limit."""
    async with scripted_upstream([], early=lambda it: raw(End.NEVER)) as up:
        with pytest.raises(UpstreamTimeout, match="stopped taking the request"):
            await fetch(up, body=b"x" * 20_000_000)


@pytest.mark.parametrize("ending", [End.CUT, End.NEVER])
async def test_early_answer_arrives(clock: MockClock, ending: End) -> None:
    """A 413 sent before the body was read arrives, whether the connection is closed or just not read."""
    early = Answer(413, ((b"content-length", b"7"),), (b"too big", ending))
    async with scripted_upstream([], early=lambda it: early) as up:
        assert await fetch(up, body=b"x" * 20_000_000) == (413, b"too big")


async def test_nobody_listens() -> None:
    """A refused connection is unreachable, by name."""
    async with open_upstream(QUICK) as upstream:
        port = closed_port()
        with pytest.raises(UpstreamUnreachable, match=rf"127.0.0.1:{port} cannot be reached: it refused"):
            await upstream.send(call(f"http://127.0.0.1:{port}"))
        assert (upstream.in_flight, upstream.pool_size) == (0, 0)


async def test_a_bad_header_betrays_nothing() -> None:
    """A header that HTTP forbids is the request's fault, and its value appears nowhere in the error."""
    async with scripted_upstream([]) as up, open_upstream(QUICK) as upstream:
        bad = ((b"authorization", b"Bearer sk-test-secret\nx"),)
        with pytest.raises(InvalidRequest) as caught:
            await upstream.send(call(up.url, headers=bad))
        assert "sk-test-secret" not in str(caught.value)
        assert caught.value.__suppress_context__
        assert caught.value.__cause__ is None
        assert upstream.pool_size == 0


async def test_reads_an_error_body_within_bounds(clock: MockClock) -> None:
    """An endless, slow or broken error body costs at most `limit` bytes and `within` seconds."""
    endless = Answer(
        500, steps=(Forever(b"400\r\n" + b"x" * 1024 + b"\r\n", every=0.01),), framing=Framing.CHUNKED
    )
    slow = Answer(500, steps=(b"abc", End.NEVER), framing=Framing.CHUNKED)
    cut = Answer(500, steps=(b"abc", End.CUT), framing=Framing.CHUNKED)
    async with scripted_upstream([endless, slow, cut]) as up, open_upstream(QUICK) as upstream:
        assert len(await (await upstream.send(call(up.url))).read(3000, 5)) == 3000
        started = trio.current_time()
        assert await (await upstream.send(call(up.url))).read(3000, 5) == b"abc"
        assert 5 <= trio.current_time() - started < 6
        assert await (await upstream.send(call(up.url))).read(3000, 5) == b"abc"
        assert (upstream.in_flight, upstream.pool_size) == (0, 0)


async def test_a_cancelled_read_is_final(clock: MockClock) -> None:
    """After a read was cancelled the next one fails: it never looks like the end of the answer."""
    answer = anthropic.events_answer([b"a", Pause(10), b"b"])
    async with scripted_upstream([answer]) as up, open_upstream(QUICK) as upstream:
        reply = await upstream.send(call(up.url))
        chunks = reply.chunks()
        assert await anext(chunks) == b"a"
        with trio.move_on_after(1):
            await anext(chunks)
        for _ in range(2):
            with pytest.raises(UpstreamBroke, match="broke off"):
                await anext(chunks)
        await reply.aclose()
        assert (upstream.in_flight, upstream.pool_size) == (0, 0)


async def test_closing_ends_a_read_elsewhere() -> None:
    """Closing a reply while another task reads from it ends that read with an error."""
    async with (
        scripted_upstream([anthropic.events_answer([b"a", End.NEVER])]) as up,
        open_upstream(QUICK) as upstream,
    ):
        reply = await upstream.send(call(up.url))
        await anext(reply.chunks())
        async with trio.open_nursery() as nursery:

            async def read_on() -> None:
                with pytest.raises(UpstreamBroke):
                    await anext(reply.chunks())

            nursery.start_soon(read_on)
            await trio.testing.wait_all_tasks_blocked()
            await reply.aclose()
        await reply.aclose()
        await up.requests[0].left.wait()
        assert (upstream.in_flight, upstream.pool_size) == (0, 0)


async def test_keeps_connections_alive_and_drops_them() -> None:
    """Calls in turn share a connection; after `drop_idle` it is closed and a new one is made, while an
    answer that is still open is not harmed."""
    gate = trio.Event()
    script = [
        *[Answer(steps=(b"x",))] * 3,
        Answer(steps=(b"y", Gate(gate), b"z"), framing=Framing.CHUNKED),
        Answer(),
    ]
    async with scripted_upstream(script) as up, open_upstream(QUICK) as upstream:
        for _ in range(2):
            await (await upstream.send(call(up.url))).read(99, 1)
        assert (up.connections, upstream.pool_size, upstream.in_flight) == (1, 1, 0)
        await upstream.drop_idle()
        await up.wait_until_idle()
        assert upstream.pool_size == 0
        await (await upstream.send(call(up.url))).read(99, 1)
        reply = await upstream.send(call(up.url))
        assert (up.connections, upstream.in_flight) == (2, 1)
        await upstream.drop_idle()
        gate.set()
        assert [chunk async for chunk in reply.chunks()] == [b"y", b"z"]
        await up.wait_until_idle()
        await (await upstream.send(call(up.url))).read(99, 1)
        assert (up.connections, upstream.pool_size) == (3, 1)


async def test_old_connections_are_closed_and_younger_ones_kept(clock: MockClock) -> None:
    """By somebody who comes by from time to time, without another call."""
    async with scripted_upstream([ONCE, ONCE]) as up, open_upstream(QUICK) as upstream:
        await (await upstream.send(call(up.url))).read(99, 1)
        await trio.sleep(20)
        upstream.close_old()
        assert upstream.pool_size == 1
        await trio.sleep(20)
        upstream.close_old()
        assert upstream.pool_size == 0
        await up.wait_until_idle()


ONCE = Answer(steps=(b"x",))
STALE: list[tuple[str, list[Answer], int | None]] = [
    ("closed exactly at reuse", [ONCE, raw(End.CUT), ONCE], 3),
    ("reset exactly at reuse", [ONCE, raw(End.RST), ONCE], 3),
    ("half an answer on a reused connection", [ONCE, raw(b"HTTP/1.1 2", End.CUT)], None),
    ("an interim answer on a reused connection", [ONCE, raw(b"HTTP/1.1 102 X\r\n\r\n", End.CUT)], None),
    ("closed after it had time to read", [ONCE, raw(Pause(6), End.CUT)], None),
    ("closed again on the fresh connection", [ONCE, raw(End.CUT), raw(End.CUT)], None),
]


@pytest.mark.parametrize(("script", "requests"), [it[1:] for it in STALE], ids=[it[0] for it in STALE])
async def test_retries_only_stale_connections(
    clock: MockClock, script: list[Answer], requests: int | None
) -> None:
    """A call on a kept-alive connection that was closed unread is sent again, once, unseen; anything
    that may have been read is not."""
    async with scripted_upstream(script) as up, open_upstream(QUICK) as upstream:
        await (await upstream.send(call(up.url))).read(99, 1)
        if requests is None:
            with pytest.raises(UpstreamBroke):
                await upstream.send(call(up.url))
        else:
            assert await (await upstream.send(call(up.url))).read(99, 1) == b"x"
        assert len(up.requests) == len(script)
        assert up.requests[-1].body == b"{}"
        assert upstream.in_flight == 0


async def test_a_retry_takes_no_other_old_connection() -> None:
    """When one kept-alive connection turns out to be stale, the retry does not meet the next stale one."""
    together = trio.Event()
    used: set[int] = set()

    def answer(request: Request, n: int) -> Answer:
        if request.connection in used:
            return raw(End.CUT)
        used.add(request.connection)
        return Answer(steps=(Gate(together), b"x"))

    async with scripted_upstream(answer) as up, open_upstream(QUICK) as upstream:

        async def one() -> None:
            assert await (await upstream.send(call(up.url))).read(99, 1) == b"x"

        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(one)
            await up.wait_for_requests(3)
            together.set()
        assert upstream.pool_size == 3
        await one()
        assert (up.connections, len(up.requests)) == (4, 5)


async def test_closed_between_calls_goes_unnoticed() -> None:
    """A connection the vendor closed while it was idle is simply replaced."""
    async with scripted_upstream([Answer(close=True), ONCE]) as up, open_upstream(QUICK) as upstream:
        await (await upstream.send(call(up.url))).read(99, 1)
        await up.wait_until_idle()
        assert await (await upstream.send(call(up.url))).read(99, 1) == b"x"
        assert (up.connections, upstream.pool_size) == (2, 1)


@pytest.mark.parametrize("apart", [False, True])
async def test_bytes_after_an_answer_never_answer_the_next_call(*, apart: bool) -> None:
    """What a vendor sends beyond one answer is not taken for the answer to the next call."""
    extra = b"HTTP/1.1 200 OK\r\n\r\nfalse"
    gate = trio.Event()
    steps = (b"x", Gate(gate), Raw(extra)) if apart else (b"x" + extra,)
    script = chain([Answer(headers=((b"content-length", b"1"),), steps=steps)], repeat(ONCE))
    async with scripted_upstream(script) as up, open_upstream(QUICK) as upstream:
        assert await (await upstream.send(call(up.url))).read(99, 1) == b"x"
        if apart:
            gate.set()
            await up.requests[0].answered.wait()
        assert await (await upstream.send(call(up.url))).read(99, 1) == b"x"
        assert up.connections == 2


class CancelAt(trio.abc.Instrument):
    """Cancels a scope when its task is about to run for the k-th time."""

    def __init__(self, scope: trio.CancelScope, task: trio.lowlevel.Task, k: int) -> None:
        self.scope, self.task, self.left = scope, task, k

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        if task is self.task:
            self.left -= 1
            if self.left == 0:
                self.scope.cancel()


@pytest.mark.parametrize("secure", [False, True])
async def test_cancelled_at_every_step(*, secure: bool) -> None:
    """At whatever step a call is cancelled, no connection, slot or count stays behind."""
    script = anthropic.stream("a", "b")
    async with (
        scripted_upstream(lambda request, n: script, tls=server_tls("good") if secure else None) as up,
        open_upstream(QUICK, tls=client_tls()) as upstream,
    ):
        for k in range(1, 500):
            with trio.CancelScope() as scope:
                cancel = CancelAt(scope, trio.lowlevel.current_task(), k)
                trio.lowlevel.add_instrument(cancel)
                try:
                    reply = await upstream.send(call(up.url))
                    try:
                        async for _ in reply.chunks():
                            pass
                    finally:
                        await reply.aclose()
                finally:
                    trio.lowlevel.remove_instrument(cancel)
            assert upstream.in_flight == 0
            assert_only_idle(upstream)
            await upstream.drop_idle()
            assert upstream.pool_size == 0
            if not scope.cancelled_caught and cancel.left > 0:
                break
        else:
            pytest.fail("the call never got through")
        assert k > 5
        await up.wait_until_idle()


async def test_hundreds_of_random_cancels() -> None:
    """Hundreds of calls cancelled at odd moments leave no pool entry behind."""
    script = Answer(steps=(b"x", b"y"), framing=Framing.CHUNKED)
    async with scripted_upstream(lambda request, n: script) as up, open_upstream(QUICK) as upstream:

        async def one(delay: float) -> None:
            with trio.move_on_after(delay):
                reply = await upstream.send(call(up.url))
                try:
                    async for _ in reply.chunks():
                        pass
                finally:
                    await reply.aclose()

        for _ in range(20):
            async with trio.open_nursery() as nursery:
                for n in range(20):
                    nursery.start_soon(one, n * 0.0005)
        assert upstream.in_flight == 0
        assert_only_idle(upstream)
        await upstream.drop_idle()
        assert upstream.pool_size == 0
        await up.wait_until_idle()


def assert_only_idle(upstream: Upstream) -> None:
    """No connection was forgotten half-way: each can be used again."""
    pool = upstream._line("").pool
    assert isinstance(pool, Pool)
    assert pool.idle() == pool.connections()


async def test_a_cancelled_upload_ends_at_once(clock: MockClock) -> None:
    """Leaving in the middle of a large upload does not wait for it."""
    async with scripted_upstream([], early=lambda it: raw(End.NEVER)) as up, open_upstream(QUICK) as upstream:
        started = trio.current_time()
        with trio.move_on_after(1) as scope:
            await upstream.send(call(up.url, body=b"x" * 20_000_000))
        assert scope.cancelled_caught
        assert trio.current_time() - started < 2
        assert (upstream.in_flight, upstream.pool_size) == (0, 0)


async def test_closing_early_closes_the_connection() -> None:
    """Closing a reply early closes the connection: the vendor sees us leave and stops."""
    async with (
        scripted_upstream([anthropic.events_answer([b"a", End.NEVER])]) as up,
        open_upstream(QUICK) as upstream,
    ):
        reply = await upstream.send(call(up.url))
        await anext(reply.chunks())
        await reply.aclose()
        await up.requests[0].left.wait()
