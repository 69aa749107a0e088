"""One call of the application: what it is given, and what becomes of what it says."""

from __future__ import annotations

from typing import Any, cast

import pytest
import trio
import trio.testing
from attrs import define, field
from hypercorn.protocol.events import StreamClosed
from hypercorn.typing import ASGIFramework

from shunt.server.asgi import AsgiCall
from shunt.wire.headers import Headers


@define
class Written:
    """A connection that remembers each write."""

    writes: list[bytes] = field(factory=list)
    overs: int = 0

    def head(self, status: int, headers: Headers) -> bytes:
        return b"<%d>" % status

    def end(self) -> bytes:
        return b"<end>"

    def some(self, body: bytes) -> bytes:
        return body

    async def pass_on(self, data: bytes) -> None:
        self.writes.append(data)
        await trio.lowlevel.checkpoint()

    async def over(self) -> None:
        self.overs += 1
        await trio.lowlevel.checkpoint()


START: Any = {"type": "http.response.start", "status": 200, "headers": ()}


def piece(data: bytes, *, more: bool) -> Any:
    return {"type": "http.response.body", "body": data, "more_body": more}


async def test_a_whole_answer_is_one_write() -> None:
    """Head, body and end leave together."""
    way = Written()
    call = AsgiCall(way, "GET")
    await call.send(START)
    assert way.writes == []
    await call.send(piece(b"all", more=False))
    assert (way.writes, way.overs) == ([b"<200>all<end>"], 1)


async def test_a_stream_waits_for_nothing() -> None:
    """Each piece leaves when it is said, the first with the head."""
    way = Written()
    call = AsgiCall(way, "POST")
    for message in (START, piece(b"a", more=True), piece(b"b", more=True), piece(b"", more=False)):
        await call.send(message)
    assert (way.writes, way.overs) == ([b"<200>a", b"b", b"<end>"], 1)


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
async def test_answers_without_a_body_have_none(method: str, status: int) -> None:
    """Whatever the application says."""
    way = Written()
    call = AsgiCall(way, method)
    await call.send(cast("Any", {**START, "status": status}))
    await call.send(piece(b"x", more=False))
    assert way.writes == [b"<%d><end>" % status]


async def test_what_has_come_of_a_body_is_taken_at_once() -> None:
    """Pieces that arrived together are one message; then the client's leaving is told, as often as asked."""
    call = AsgiCall(Written(), "POST")
    call.add(b"a")
    call.add(b"b")
    call.add_end()
    assert await call.receive() == {"type": "http.request", "body": b"ab", "more_body": False}
    with trio.move_on_after(0.01) as waiting:
        await call.receive()
    assert waiting.cancelled_caught
    await call.handle(StreamClosed(stream_id=1))
    for _ in range(2):
        assert (await call.receive())["type"] == "http.disconnect"


async def test_a_body_that_nobody_takes_pauses_the_reader() -> None:
    """Whoever asks for little to be waiting goes on when the application has taken what had come."""
    call = AsgiCall(Written(), "POST")
    call.add(b"x" * 10)
    await call.below(10)
    with trio.move_on_after(0.01) as waiting:
        await call.below(9)
    assert waiting.cancelled_caught
    async with trio.open_nursery() as nursery:
        nursery.start_soon(call.below, 9)
        await trio.testing.wait_all_tasks_blocked()
        message = cast("Any", await call.receive())
    assert (message["body"], message["more_body"]) == (b"x" * 10, True)


async def test_nobody_waits_for_a_call_that_is_over() -> None:
    """The client has left, or the answer has gone out without the body having been read: the reader goes on."""
    call = AsgiCall(Written(), "POST")
    call.add(b"x" * 10)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(call.below, 0)
        await trio.testing.wait_all_tasks_blocked()
        await call.handle(StreamClosed(stream_id=1))
    call.add(b"y")
    await call.below(0)


async def test_a_client_that_left_is_written_nothing() -> None:
    """The application may go on talking; the call is over once."""
    way = Written()
    call = AsgiCall(way, "GET")
    await call.send(START)
    await call.handle(StreamClosed(stream_id=1))
    await call.send(piece(b"x", more=False))
    assert (way.writes, way.overs) == ([], 0)


@pytest.mark.parametrize(("begun", "written"), [(False, [b"<500><end>"]), (True, [b"<200>a"])])
async def test_a_failing_application_is_answered_for(*, begun: bool, written: list[bytes]) -> None:
    """With a 500 if nothing was said yet; else the missing end tells it."""
    way = Written()
    call = AsgiCall(way, "GET")

    async def fail(scope: Any, receive: Any, send: Any) -> None:
        if begun:
            await send(START)
            await send(piece(b"a", more=True))
        raise RuntimeError("no such luck")

    await call.run(cast("ASGIFramework", fail), cast("Any", {}))
    assert (way.writes, way.overs) == (written, 1)
