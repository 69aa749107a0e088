"""Deliveries pass Quart without a byte being touched."""

from __future__ import annotations

from itertools import count

import pytest
import trio
from trio.testing import MockClock

from shunt.errors import UpstreamBroke
from shunt.gateway.delivery import Delivery
from shunt.gateway.lifetime import Lifetime
from shunt.inference.inbound import Inbound
from shunt.wire.headers import Headers
from tests.fakes.gateway import JSON, MESSAGE, SSE, STREAMED, Chunks, answering, house, streaming

ODD: Headers = (
    (b"Content-Type", b"application/json"),
    (b"Anthropic-RateLimit-Unified-5h-Utilization", b"0.5"),
    (b"x-dup", b"1"),
    (b"X-Dup", b"2"),
    (b"x-latin", b"caf\xe9"),
)


@pytest.mark.parametrize("status", [200, 201, 400, 429, 529])
async def test_status_headers_and_bytes_are_those_of_the_delivery(status: int) -> None:
    """Order, case and duplicates of headers, and every byte; no charset is added."""
    body = bytes(range(256)) * 10
    delivery = Delivery(status, (*ODD, (b"content-length", b"7")), body)
    async with house(answering(lambda _: delivery)) as served:
        got = await served.ask(b"POST", b"/v1/messages", (), MESSAGE)
        assert (got.status, got.body, got.complete) == (status, body, True)
        assert got.headers[: len(ODD)] == ODD
        assert [value for name, value in got.headers if name.lower() == b"content-length"] == [b"2560"]


async def test_chunks_go_out_one_by_one() -> None:
    """Each is one chunk on the wire, at once, with nothing waiting for the next."""
    more = trio.Event()
    steps = (b"event: a\ndata: 1\n\n", more, b"event: b\r\ndata: \xff\r\n\r\n")
    async with house(streaming(*steps)) as served, served.client() as client:
        await client.send(served.request(b"POST", b"/v1/messages", (), STREAMED))
        stream = await client.begin()
        first = await stream.piece()
        assert first is not None
        assert first.data == b"event: a\ndata: 1\n\n"
        more.set()
        rest = await stream.rest()
        assert (rest.body, rest.complete) == (b"event: b\r\ndata: \xff\r\n\r\n", True)
        assert rest.get(b"content-type") == b"text/event-stream"


async def test_a_stream_may_be_silent_for_longer_than_any_default(clock: MockClock) -> None:
    """Quart would end it after 60 s without a word (P4); an hour passes here, and five minutes before it."""
    five_minutes: tuple[bytes | float, ...] = (b"data: 1\n\n", 300.0)
    stream = streaming(*five_minutes * 12)

    async def answer(inbound: Inbound, lifetime: Lifetime) -> Delivery:
        await trio.sleep(300)
        return await stream(inbound, lifetime)

    async with house(answer) as served:
        begun = trio.current_time()
        got = await served.ask(b"POST", b"/v1/messages", (), STREAMED)
        assert got.complete
        assert got.body.count(b"data") == 12
        assert trio.current_time() - begun >= 3900


async def test_a_body_that_breaks_is_cut() -> None:
    """The client sees that the end is missing."""
    broken = Chunks(iter([b'{"half":', UpstreamBroke("the connection broke")]))
    async with house(answering(lambda _: Delivery(200, JSON, broken))) as served:
        got = await served.ask(b"POST", b"/v1/messages", (), MESSAGE)
        assert (got.body, got.complete) == (b'{"half":', False)


async def test_a_generator_is_finished_when_its_client_leaves() -> None:
    """Now, in the request's own task, not when it is collected."""
    generator = (chunk async for chunk in Chunks(iter([b"data: 1\n\n", trio.Event()])))
    closed = trio.Event()

    async def answer(inbound: Inbound, lifetime: Lifetime) -> Delivery:
        await trio.lowlevel.checkpoint()
        lifetime.defer(note)
        return Delivery(200, SSE, generator)

    async def note() -> None:
        await trio.lowlevel.checkpoint()
        assert generator.ag_frame is None  # type: ignore[attr-defined]
        closed.set()

    async with house(answer) as served:
        async with served.client() as client:
            await client.send(served.request(b"POST", b"/v1/messages", (), STREAMED))
            await (await client.begin()).piece()
        with trio.fail_after(1):
            await closed.wait()


async def test_a_client_that_reads_slowly_holds_its_upstream_back() -> None:
    """No more than the sockets hold is taken from the upstream ahead of the client."""
    taken = count()
    endless = Chunks(b"x" * 100_000 for _ in taken)
    async with house(answering(lambda _: Delivery(200, SSE, endless))) as served, served.client() as client:
        await client.send(served.request(b"POST", b"/v1/messages", (), STREAMED))
        await trio.sleep(0.2)
        assert 0 < next(taken) < 200


async def test_head_gets_the_headers_alone() -> None:
    """With the length that the body would have."""
    async with house() as served:
        got = await served.ask(b"HEAD", b"/v1/models")
        assert (got.status, got.body, got.get(b"content-length")) == (200, b"", b"11")
