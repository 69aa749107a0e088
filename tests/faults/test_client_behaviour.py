"""Clients that are slow, silent, greedy or gone."""

from __future__ import annotations

import socket
import time

import pytest
import trio

from tests.fakes import anthropic
from tests.fakes.client import raw_client, request
from tests.fakes.http1 import socket_of
from tests.fakes.upstream import Answer, End, Forever, Framing, Pause, Request
from tests.faults.house import MESSAGES, House
from tests.faults.stage import message

HEAD = b"POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\n"


async def test_silence_and_dripping_heads_are_ended(house: House) -> None:
    """A connection that says nothing is closed; a head that drips in is refused when its time is over."""
    assert await house.raw(b"") == b""
    async with raw_client(house.port) as client:
        with trio.fail_after(40):
            try:
                for byte in HEAD * 10:
                    await client.send(bytes([byte]))
                    await trio.sleep(0.1)
            except (OSError, trio.BrokenResourceError):
                pass
            assert b" 408 " in (await client.read_to_end())[:40]
    assert (await house.get("/status"))["refusals"]["head_time"] >= 1


async def test_a_body_that_drips_or_never_comes_is_refused(house: House) -> None:
    """408 in the caller's shape, and no account is touched."""
    async with raw_client(house.port) as client:
        with trio.fail_after(40):
            await client.send(HEAD + b"Content-Length: 500\r\n\r\n")
            try:
                for _ in range(40):
                    await client.send(b" ")
                    await trio.sleep(0.1)
            except (OSError, trio.BrokenResourceError):
                pass
            answer = await client.response()
    house.judge(MESSAGES, answer)
    assert answer.status == 408
    assert not house.stage.arrivals


async def test_a_client_that_never_reads_is_dropped(house: House) -> None:
    """It holds the vendor back instead of filling memory, and is gone when its time is over."""
    flood = Answer(
        200,
        anthropic.STREAM_HEADERS,
        (*anthropic.opening_events(), Forever(anthropic.event("ping", x="y" * 60_000), 0.0001)),
        Framing.CLOSE,
    )
    before = house.count().rss
    stream = socket.socket()
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stream.connect(("127.0.0.1", house.port))
    with house.playing(flood) as mark:
        stream.sendall(request(b"POST", MESSAGES, (), message(f"x {mark}", stream=True)))
        with trio.fail_after(20):
            while not house.stage.arrived(mark):  # noqa: ASYNC110 - another thread
                await trio.sleep(0.05)
            await house.left(mark)
    stream.close()
    assert house.count().rss < before + 60
    assert (await house.get("/status"))["refusals"]["stalled"] >= 1


async def test_a_slow_reader_gets_everything(house: House) -> None:
    """As long as it takes something now and then; every byte arrives."""
    words = [f"word{n} " * 100 for n in range(400)]
    expected = sum(len(step) for step in anthropic.stream(*words).steps if isinstance(step, bytes))
    with house.playing(lambda _: anthropic.stream(*words)) as mark:
        async with raw_client(house.port) as client:
            socket_of(client.stream).setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
            await client.send(request(b"POST", MESSAGES, (), message(f"x {mark}", stream=True)))
            stream = await client.begin()
            got = 0
            while piece := await stream.piece():
                got += len(piece.data)
                await trio.sleep(0.01)
        assert got == expected


def held(request: Request) -> Answer:
    """Say nothing at all."""
    return Answer(framing=Framing.RAW, steps=(End.NEVER,))


POINTS: dict[str, Answer] = {
    "before-headers": held(None),  # type: ignore[arg-type] # it does not look
    "after-headers": Answer(200, anthropic.STREAM_HEADERS, (End.NEVER,), Framing.CHUNKED),
    "before-content": anthropic.events_answer([*anthropic.opening_events(), End.NEVER]),
    "mid-event": anthropic.events_answer(
        [*anthropic.opening_events(), *anthropic.text_events(["a"])[:2], b"event: content_bl", End.NEVER]
    ),
    "after-last-event": anthropic.events_answer(
        [
            *anthropic.opening_events(),
            *anthropic.text_events(["a"]),
            *anthropic.closing_events(),
            Pause(0.5),
            End.NEVER,
        ]
    ),
}


@pytest.mark.parametrize("how", ["fin", "rst"])
@pytest.mark.parametrize("point", list(POINTS))
async def test_leaving_at_every_point(house: House, point: str, how: str) -> None:
    """The vendor's side ends within moments, the slot is free, and the account is not blamed."""
    with house.playing(POINTS[point]) as mark:
        async with raw_client(house.port) as client:
            await client.send(request(b"POST", MESSAGES, (), message(f"x {mark}", stream=True)))
            with trio.fail_after(40):
                while not house.stage.arrived(mark):  # noqa: ASYNC110 - another thread
                    await trio.sleep(0.02)
            await trio.sleep(0.2)
            if how == "rst":
                client.reset()
            else:
                await client.leave()
            await house.left(mark)
    for account in (await house.get("/status"))["accounts"]:
        assert account["status"] == "available", account
        assert account["in_flight"] <= 1, account  # the bystander's


async def test_leaving_during_a_cooldown_hold(house: House) -> None:
    """A request that waits for an account is forgotten when its client leaves."""
    with house.playing(lambda _: anthropic.rejected(time.time() + 60)) as mark:
        async with raw_client(house.port) as client:
            hold = ((b"x-shunt-wait", b"5m"),)
            await client.send(request(b"POST", MESSAGES, hold, message(f"x {mark}", stream=True)))
            await held_count(house, 1)
        await held_count(house, 0)


async def held_count(house: House, count: int) -> None:
    """Wait until that many requests are held."""
    with trio.fail_after(40):
        while (await house.get("/status"))["waiting"] != count:  # noqa: ASYNC110 - another process
            await trio.sleep(0.1)


async def test_reconnecting_like_mad(house: House) -> None:
    """A hundred connections of one conversation: all stay with one account."""
    headers = ((b"x-session-id", b"one-conversation"),)
    used = set()
    for _ in range(100):
        async with raw_client(house.port) as client:
            answer = await client.ask(b"POST", MESSAGES, headers, message("hi"))
            used.add(answer.get(b"x-shunt-account"))
    assert len(used) == 1


async def test_a_retry_does_not_disturb_the_first(house: House) -> None:
    """The same request twice at once: both are served whole."""
    with house.playing(lambda _: anthropic.stream("a", "b", "c", every=0.05)) as mark:
        async with trio.open_nursery() as nursery:
            for _ in range(2):
                nursery.start_soon(_whole, house, mark)
        house.first_bytes.pop(mark, None)  # sent twice because it was asked twice


async def _whole(house: House, mark: str) -> None:
    answer = await house.ask(mark=mark, stream=True)
    assert answer.complete
    assert b"message_stop" in answer.body


async def test_idle_connections_make_room(house: House) -> None:
    """More idle connections than there may be: the oldest go, and new ones are served."""
    idle: list[socket.socket] = []
    try:
        for _ in range(700):
            one = socket.create_connection(("127.0.0.1", house.port))
            one.settimeout(20)
            one.sendall(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert one.recv(12) == b"HTTP/1.1 200"
            idle.append(one)
        assert (await house.ask()).status == 200
    finally:
        for one in idle:
            one.close()
