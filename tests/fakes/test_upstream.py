"""The scripted upstream does what its scripts say."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from tests.fakes import anthropic
from tests.fakes.certificates import client_tls, server_tls
from tests.fakes.client import ask, raw_client, request
from tests.fakes.clocks import socket_clock
from tests.fakes.http1 import PeerLeft
from tests.fakes.upstream import (
    Answer,
    End,
    Forever,
    Framing,
    Gate,
    Pause,
    Raw,
    Request,
    by_key,
    by_path,
    closed_port,
    drip,
    raw,
    scripted_upstream,
)


@pytest.fixture
def clock() -> MockClock:
    return socket_clock()


async def test_records_requests_as_they_came() -> None:
    """Method, target, header case and order, body and key are recorded untouched."""
    headers = ((b"X-Api-Key", b"sk-test-1"), (b"aNtHropic-Beta", b"b, a"), (b"x-dup", b"1"), (b"X-Dup", b"2"))
    async with scripted_upstream([Answer()]) as up:
        await ask(up.port, b"POST", b"/v1//messages?beta=true&x=%2f", headers, b'{"a": 1.0}')
        seen = up.requests[0]
    assert (seen.method, seen.target, seen.path) == (
        "POST",
        b"/v1//messages?beta=true&x=%2f",
        "/v1//messages",
    )
    assert seen.headers == ((b"host", b"127.0.0.1"), *headers, (b"content-length", b"10"))
    assert (seen.body, seen.json, seen.key) == (b'{"a": 1.0}', {"a": 1.0}, "sk-test-1")


async def test_reads_a_chunked_request() -> None:
    """A chunked body is recorded without its framing."""
    async with scripted_upstream([Answer()]) as up, raw_client(up.port) as client:
        head = request(
            b"POST", b"/", ((b"Transfer-Encoding", b"chunked"), (b"authorization", b"Bearer sk-test-2"))
        )
        await client.send(head + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n")
        await client.response()
        assert (up.requests[0].body, up.requests[0].key) == (b"abcde", "sk-test-2")


@pytest.mark.parametrize("framing", [Framing.LENGTH, Framing.CHUNKED, Framing.CLOSE])
async def test_frames_a_body(framing: Framing) -> None:
    """Each framing delivers the same body, and all but close keep the connection."""
    answers = [Answer(201, ((b"X-A", b"1"),), (b"one", b"", b"two"), framing), Answer()]
    async with scripted_upstream(answers) as up, raw_client(up.port) as client:
        answer = await client.ask(b"GET", b"/")
        assert (answer.status, answer.body, answer.get(b"x-a"), answer.complete) == (
            201,
            b"onetwo",
            b"1",
            True,
        )
        if framing is Framing.CLOSE:
            assert await client.read_to_end() == b""
        else:
            assert (await client.ask(b"GET", b"/")).status == 200
            assert [it.connection for it in up.requests] == [0, 0]


async def test_raw_bytes_are_exact() -> None:
    """A raw answer is exactly its bytes, then the end."""
    async with scripted_upstream([raw(b"\x00nope\r\n\r\n")]) as up, raw_client(up.port) as client:
        await client.send(request())
        assert await client.read_to_end() == b"\x00nope\r\n\r\n"


async def test_interim_answers_come_first() -> None:
    """1xx answers before the real one are seen as such."""
    script = [
        raw(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    ]
    async with scripted_upstream(script) as up:
        answer = await ask(up.port, b"GET", b"/")
    assert (answer.interim, answer.status, answer.body) == ((103,), 200, b"ok")


@pytest.mark.parametrize("ending", [End.CUT, End.RST])
async def test_breaks_in_the_middle(ending: End) -> None:
    """A body can end early by FIN or RST; what was written before arrives."""
    gate = trio.Event()
    script = [Answer(steps=(b"part", Gate(gate), ending, b"never"), framing=Framing.CHUNKED)]
    async with scripted_upstream(script) as up, raw_client(up.port) as client:
        await client.send(request())
        incoming = await client.begin()
        piece = await incoming.piece()
        assert piece is not None
        assert piece.data == b"part"
        gate.set()
        with pytest.raises(PeerLeft):
            await incoming.piece()


async def test_bad_chunk_size_and_wrong_length() -> None:
    """Framing can be wrong on purpose."""
    short = Answer(headers=((b"Content-Length", b"100"),), steps=(b"abc", End.CUT))
    bad = Answer(framing=Framing.CHUNKED, steps=(Raw(b"ZZZ\r\nabc\r\n"), End.CUT))
    async with scripted_upstream([short, bad]) as up:
        answer = await ask(up.port, b"GET", b"/")
        assert (answer.get(b"content-length"), answer.body, answer.complete) == (b"100", b"abc", False)
        async with raw_client(up.port) as client:
            await client.send(request())
            assert (await client.read_to_end()).endswith(b"\r\n\r\nZZZ\r\nabc\r\n")


async def test_waits_on_the_clock(clock: MockClock) -> None:
    """Pauses are trio's time: hours pass in no time on a mock clock."""
    script = [Answer(steps=(b"a", Pause(3600), b"b"), framing=Framing.CHUNKED)]
    async with scripted_upstream(script) as up:
        answer = await ask(up.port, b"GET", b"/")
    first, second = answer.pieces
    assert 3600 <= second.at - first.at < 3700


@pytest.mark.parametrize(
    "step", [End.NEVER, Forever(b"HTTP/1.1 102 Processing\r\n\r\n", every=1), Pause(1e6)]
)
async def test_notices_who_leaves(clock: MockClock, step: End | Forever | Pause) -> None:
    """Silence, endless 1xx and long pauses last until the peer leaves, and the moment is recorded."""
    async with scripted_upstream([raw(step)]) as up:
        async with raw_client(up.port) as client:
            await client.send(request())
            await up.wait_for_requests(1)
            await trio.sleep(5)
            assert not up.requests[0].left.is_set()
        await up.requests[0].left.wait()
        await up.wait_until_idle()
        left_at = up.requests[0].left_at
    assert left_at is not None
    assert left_at >= 5


async def test_answers_early_without_reading_the_body() -> None:
    """An early answer is played on the head alone."""
    async with scripted_upstream([], early=lambda it: Answer(413, steps=(b"too big",))) as up:
        async with raw_client(up.port) as client:
            await client.send(request(b"POST", b"/", ((b"Content-Length", b"9999999"),)))
            answer = await client.response()
        assert (answer.status, answer.body, up.requests[0].body) == (413, b"too big", b"")


async def test_scripts_by_key_and_path() -> None:
    """Scripts compose: each key and each path counts for itself."""
    numbered = [Answer(steps=(b"%d" % n,)) for n in range(2)]

    def echo(request: Request, n: int) -> Answer:
        return Answer(steps=(f"{request.key}{n}".encode(),))

    script = by_path({"/a": by_key({"one": iter(numbered), "two": echo}), "/b": echo})
    async with scripted_upstream(script) as up:
        bodies = [
            (await ask(up.port, b"GET", target, ((b"x-api-key", key),))).body
            for target, key in [
                (b"/a", b"one"),
                (b"/a?q", b"two"),
                (b"/b", b"one"),
                (b"/a", b"one"),
                (b"/a", b"two"),
            ]
        ]
    assert bodies == [b"0", b"two0", b"one0", b"1", b"two1"]


async def test_an_exhausted_script_fails_the_test() -> None:
    """One request more than the script answers is an error at the end, not a silent pass."""
    upstream = scripted_upstream([Answer()])
    up = await upstream.__aenter__()
    await ask(up.port, b"GET", b"/")
    assert (await ask(up.port, b"GET", b"/more")).status == 500
    with pytest.raises(AssertionError, match="request 2, GET /more"):
        await upstream.__aexit__(None, None, None)


async def test_speaks_tls() -> None:
    """With a certificate it is an https server."""
    async with scripted_upstream([Answer(steps=(b"safe",))], tls=server_tls("good")) as up:
        assert up.url == f"https://127.0.0.1:{up.port}"
        async with raw_client(up.port, tls=client_tls()) as client:
            assert (await client.ask(b"GET", b"/")).body == b"safe"


async def test_a_closed_port_refuses() -> None:
    """Nobody listens on a closed port."""
    with pytest.raises(OSError, match="connect"):
        await trio.open_tcp_stream("127.0.0.1", closed_port())


def test_drip_cuts_anywhere() -> None:
    """Dripping keeps every byte, in the sizes asked for."""
    assert drip(b"abcde", 2) == (b"ab", b"cd", b"e")
    assert drip(b"ab", 1, every=0.5) == (b"a", Pause(0.5), b"b", Pause(0.5))


async def test_a_stream_is_a_whole_message() -> None:
    """The ready-made stream has every event a client needs, each in a chunk of its own."""
    async with scripted_upstream([anthropic.stream("Hel", "lo", headers=((b"x-a", b"1"),))]) as up:
        answer = await ask(up.port, b"POST", b"/v1/messages", body=b"{}")
    kinds = [piece.data.split(b"\n")[0].removeprefix(b"event: ").decode() for piece in answer.pieces]
    block = ["content_block_start", "content_block_delta", "content_block_delta", "content_block_stop"]
    assert kinds == ["message_start", "ping", *block, "message_delta", "message_stop"]
    assert answer.get(b"x-a") == b"1"
