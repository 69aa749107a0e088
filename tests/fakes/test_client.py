"""The raw client shows what is really on the wire."""

from __future__ import annotations

import pytest
import trio

from tests.fakes.client import ask, raw_client, request
from tests.fakes.http1 import Inbox, PeerLeft
from tests.fakes.upstream import Answer, End, Framing, Gate, raw, scripted_upstream


def test_builds_exact_requests() -> None:
    """Host first, headers as given, length last; nothing that was not asked for."""
    built = request(b"POST", b"/x?y", ((b"X-Case", b"v"),), b"body")
    assert built == b"POST /x?y HTTP/1.1\r\nhost: 127.0.0.1\r\nX-Case: v\r\ncontent-length: 4\r\n\r\nbody"
    assert request(headers=((b"Host", b"h"),)) == b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"


async def test_reads_pipelined_answers() -> None:
    """Bytes beyond one answer belong to the next."""
    script = [Answer(steps=(b"1",)), Answer(204), Answer(steps=(b"3",))]
    async with scripted_upstream(script) as up, raw_client(up.port) as client:
        await client.send(request() * 3)
        answers = [await client.response() for _ in range(3)]
    assert [(it.status, it.body) for it in answers] == [(200, b"1"), (204, b""), (200, b"3")]


async def test_tells_a_cut_from_an_end() -> None:
    """A body that breaks off is not complete."""
    async with scripted_upstream(
        [Answer(steps=(b"x", End.CUT), framing=Framing.CHUNKED), raw(End.CUT)]
    ) as up:
        assert not (await ask(up.port, b"GET", b"/")).complete
        with pytest.raises(PeerLeft):
            await ask(up.port, b"GET", b"/")


@pytest.mark.parametrize("way", ["fin", "rst"])
async def test_leaves_early(way: str) -> None:
    """Leaving by FIN or RST is seen by the server while it is still answering."""
    script = [Answer(steps=(b"x", Gate(trio.Event())), framing=Framing.CHUNKED)]
    async with scripted_upstream(script) as up, raw_client(up.port) as client:
        await client.send(request())
        await client.begin()
        if way == "rst":
            client.reset()
        else:
            await client.leave()
        await up.requests[0].left.wait()


async def test_half_close_still_reads() -> None:
    """After saying that nothing more will be sent, what comes is still read."""
    seen: list[bytes] = []
    async with trio.open_nursery() as nursery:

        async def serve(stream: trio.SocketStream) -> None:
            inbox = Inbox(stream)
            with pytest.raises(PeerLeft):
                await inbox.exactly(1000)
            seen.append(bytes(inbox.buffer))
            await stream.send_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")

        listeners = await nursery.start(trio.serve_tcp, serve, 0)
        async with raw_client(listeners[0].socket.getsockname()[1]) as client:
            await client.send(b"half")
            await client.half_close()
            assert (await client.response()).body == b"ok"
        nursery.cancel_scope.cancel()
    assert seen == [b"half"]
