"""How scripts/bench asks and reads, also against its own scripted vendor."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from _bench_load import Answer, Result, Target, load, opened, staggered
from _bench_vendor import Connection

PLAIN = b'HTTP/1.1 200 OK\r\ncontent-length: 22\r\n\r\n{"stop_reason":"stop"}'
CHUNKED = (
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    b"5\r\nfirst\r\n19\r\nevent: message_stop\ndata: \r\n0\r\n\r\n"
)


@pytest.mark.parametrize("sent", [PLAIN, CHUNKED])
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_an_answer_is_whole_with_its_last_byte(sent: bytes, size: int) -> None:
    """However it is cut into packets: not before, and then at once."""
    answer = Answer()
    pieces = [sent[start : start + size] for start in range(0, len(sent), size)]
    for piece in pieces:
        assert not answer.whole
        answer.feed(piece)
    assert answer.whole
    assert answer.good


@pytest.mark.parametrize(
    "sent",
    [
        PLAIN.replace(b"200 OK", b"500 No"),
        PLAIN.replace(b"stop_reason", b"stop_season"),
        CHUNKED.replace(b"message_stop", b"message_gone"),
        CHUNKED[:-5],
    ],
)
def test_what_is_not_a_whole_success_is_none(sent: bytes) -> None:
    """A refusal, an answer without its end, and one that breaks off do not count as work done."""
    answer = Answer()
    answer.feed(sent)
    assert not answer.good


def test_a_body_begins_after_the_head() -> None:
    """A head that comes alone is not yet the first byte of a body."""
    answer = Answer()
    head, end, body = CHUNKED.partition(b"\r\n\r\n")
    answer.feed(head + end)
    assert not answer.tail
    answer.feed(body)
    assert answer.tail


def test_a_last_answer_is_known() -> None:
    """Servers end connections after many requests; that is no failure."""
    answer = Answer()
    answer.feed(PLAIN.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    assert answer.last
    assert answer.good


def test_conversations_are_named_only_where_wanted() -> None:
    """A request without one looks as any client's."""
    assert b"x-conversation-id: c7\r\n" in Target(1).request("m", stream=False, conversation="c7")
    assert b"conversation" not in Target(1).request("m", stream=True)


def against_vendor(play: Callable[[Target], Awaitable[Result]]) -> Result:
    """What a load comes to when it goes straight to the scripted vendor."""

    async def run() -> Result:
        server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0)
        result = await play(Target(server.sockets[0].getsockname()[1]))
        server.close()
        await server.wait_closed()
        return result

    return asyncio.run(run())


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/chat/completions"])
@pytest.mark.parametrize("model", ["bench-plain", "bench-burst-20", "bench-paced-2000-5"])
def test_every_request_is_answered_and_counted(path: str, model: str) -> None:
    """Whatever the vendor is asked for, it ends as it should in both protocols."""

    async def play(target: Target) -> Result:
        there = Target(target.port, path)
        return await load(there, [there.request(model, stream=model != "bench-plain")], clients=3, each=4)

    result = against_vendor(play)
    assert (result.done, result.failed, result.problem) == (12, 0, "")


def test_streams_begin_in_turn_and_the_first_of_each_is_not_counted() -> None:
    """Four clients with one stream before the two that count: eight times to the first byte."""
    called: list[bool] = []

    async def play(target: Target) -> Result:
        return await staggered(
            target,
            "bench-paced-1000-3",
            clients=4,
            each=2,
            period=0.003,
            ready=lambda: called.append(True),
            rest=0,
        )

    result = against_vendor(play)
    assert (result.done, result.failed, len(result.first_bytes), called) == (12, 0, 8, [True])
    assert all(0 < took < 10_000 for took in result.first_bytes)


def test_open_streams_are_looked_at_while_all_are_open() -> None:
    """All have begun when it looks; none has ended."""
    looks: list[bool] = []

    async def play(target: Target) -> Result:
        return await opened(target, "bench-idle-60", count=5, look=lambda: looks.append(True), rest=0)

    result = against_vendor(play)
    assert (result.done, result.failed, looks) == (5, 0, [True])


def test_streams_that_end_early_are_failures() -> None:
    """Streams that do not stay open are not looked at: the figure would be of something else."""
    looks: list[bool] = []

    async def play(target: Target) -> Result:
        return await opened(target, "bench-plain", count=3, look=lambda: looks.append(True), rest=0)

    result = against_vendor(play)
    assert result.failed == 3
    assert not looks


def test_streams_that_never_begin_are_not_waited_for() -> None:
    """A proxy that has no room for so many at once is told from one that is slow."""

    class Deaf(Connection):
        def data_received(self, data: bytes) -> None:
            pass

    async def run() -> Result:
        server = await asyncio.get_running_loop().create_server(Deaf, "127.0.0.1", 0)
        target = Target(server.sockets[0].getsockname()[1])
        result = await opened(target, "bench-idle-60", count=2, look=lambda: None, rest=0, patience=0)
        server.close()
        await server.wait_closed()
        return result

    result = asyncio.run(run())
    assert (result.failed, result.problem) == (2, "only 0 of 2 streams began")


def test_a_connection_that_ended_between_two_requests_is_no_failure() -> None:
    """A server that ends each connection after one answer is asked on new ones, as clients do."""

    class Once(Connection):
        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self.transport.close()

    async def run() -> Result:
        server = await asyncio.get_running_loop().create_server(Once, "127.0.0.1", 0)
        target = Target(server.sockets[0].getsockname()[1])
        result = await load(target, [target.request("bench-plain", stream=False)], clients=2, each=5)
        server.close()
        await server.wait_closed()
        return result

    result = asyncio.run(run())
    assert (result.done, result.failed) == (10, 0)
