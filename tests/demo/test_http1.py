"""The demo's small server and client, against each other and against rude strangers at a real socket."""

from __future__ import annotations

import pytest
import trio

from shunt.demo import http1
from shunt.demo.http1 import Answer, Request


def echo(request: Request) -> Answer:
    said = f"{request.method} {request.target} {request.header('x-word')} ".encode() + request.body
    return Answer(200, (("content-type", "text/plain"),), [said])


async def test_request_and_answer_arrive_whole() -> None:
    """Method, target, headers and a body larger than any buffer reach the server, and its answer the client."""
    body = bytes(range(256)) * 2000
    async with trio.open_nursery() as nursery, http1.listening(nursery, echo) as base_url:
        headers = (("x-word", "hello"),)
        async with http1.request(base_url, "POST", "/a?b=c", headers, body) as response:
            assert response.status == 200
            assert response.headers["content-type"] == "text/plain"
            assert await response.read() == b"POST /a?b=c hello " + body


async def test_pieces_are_sent_when_they_are_made() -> None:
    """A paced answer reaches the client piece by piece, not at its end."""

    def slow(_: Request) -> Answer:
        return Answer(200, (), (b"%d" % number for number in range(3)), pause=0.02)

    async with trio.open_nursery() as nursery, http1.listening(nursery, slow) as base_url:
        address = base_url.removeprefix("http://")
        stream = await trio.open_tcp_stream("127.0.0.1", int(address.rpartition(":")[2]))
        async with stream:
            await stream.send_all(f"GET / HTTP/1.1\r\nHost: {address}\r\n\r\n".encode())
            parts: list[bytes] = []
            while not parts or not parts[-1].endswith(b"0\r\n\r\n"):
                parts.append(await stream.receive_some())
    assert len(parts) >= 3


async def test_a_connection_serves_several_requests() -> None:
    """Keep-alive: shunt sends many requests over one connection."""
    async with trio.open_nursery() as nursery, http1.listening(nursery, echo) as base_url:
        port = int(base_url.rpartition(":")[2])
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            for target in (b"/one", b"/two"):
                await stream.send_all(b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % target)
                received = b""
                while not received.endswith(b"0\r\n\r\n"):
                    received += await stream.receive_some()
                assert b"GET %b" % target in received


async def test_waiting_clients_are_told_to_go_on() -> None:
    """A client that asks before it sends its body gets a 100 first."""
    async with trio.open_nursery() as nursery, http1.listening(nursery, echo) as base_url:
        port = int(base_url.rpartition(":")[2])
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            head = b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
            await stream.send_all(head)
            assert (await stream.receive_some()).startswith(b"HTTP/1.1 100")
            await stream.send_all(b"hi")
            assert (await stream.receive_some()).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "rude",
    [
        b"",
        b"\x16\x03\x01\x02\x00",
        b"GET / HTTP/1.1\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
    ],
)
async def test_a_rude_client_harms_nobody(rude: bytes) -> None:
    """Garbage and half requests end their own connection; the next client is served."""
    async with trio.open_nursery() as nursery, http1.listening(nursery, echo) as base_url:
        port = int(base_url.rpartition(":")[2])
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            await stream.send_all(rude)
            await stream.send_eof()
            while await stream.receive_some():
                pass
        async with http1.request(base_url, "GET", "/") as response:
            assert response.status == 200


async def test_a_client_that_leaves_harms_nobody() -> None:
    """A client that closes in the middle of an answer ends that answer only."""

    def endless(_: Request) -> Answer:
        return Answer(200, (), iter(lambda: b"x" * 65_536, b""))

    async with trio.open_nursery() as nursery, http1.listening(nursery, endless) as base_url:
        for _ in range(3):
            async with http1.request(base_url, "GET", "/") as response:
                assert response.status == 200


async def test_bodies_above_the_bound_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that never ends is cut off instead of filling the memory."""
    monkeypatch.setattr(http1, "MOST_BODY", 1000)
    async with trio.open_nursery() as nursery, http1.listening(nursery, echo) as base_url:
        with pytest.raises((trio.BrokenResourceError, OSError)):
            async with http1.request(base_url, "POST", "/", body=b"x" * 100_000) as response:
                await response.read()


async def test_port_is_free_again_after_the_context() -> None:
    """Leaving the context ends the server, and an exception from the body comes through as it is."""
    async with trio.open_nursery() as nursery:
        with pytest.raises(KeyError):
            async with http1.listening(nursery, echo) as base_url:
                raise KeyError(base_url)
    with pytest.raises(OSError, match=r"127\.0\.0\.1"):
        async with http1.request(base_url, "GET", "/"):
            pass
