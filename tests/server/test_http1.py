"""What is read and written without h11 is what h11 would read and write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import h11
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as some

from shunt.server.bounds import Bounds
from shunt.server.head import StrictConnection
from shunt.server.http1 import Http1
from tests.server.exchanges import read

PLAIN = b"POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
LINES = (
    b"GET / HTTP/1.1",
    b"POST /v1/messages?beta=true HTTP/1.1",
    b"PUT /a HTTP/1.1",
    b"GET / HTTP/1.0",
    b"GET  / HTTP/1.1",
    b"POST /\xff HTTP/1.1",
    b"get / HTTP/1.1",
    b"HEAD / HTTP/1.1",
    b"GET / HTTP/2.0",
    b"GET /",
)
FIELDS = (
    b"Host: x",
    b"host:x",
    b"Content-Length: 5",
    b"content-length: 0",
    b"Content-Length: 05",
    b"Content-Length: -1",
    b"Content-Length: 5, 5",
    b"Content-Length: 99999999999999999999999",
    b"Content-Length: 3 \t",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: gzip, chunked",
    b"Connection: close",
    b"Connection: keep-alive",
    b"Connection: Keep-Alive, TE",
    b"Expect: 100-continue",
    b"Expect: nonsense",
    b"Upgrade: websocket",
    b"X-Empty:",
    b"X-Odd:   a  b\t c  ",
    b"X-High: \xc3\xa4",
    b"X-Bad: a\x00b",
    b"X-Bad: a\nb",
    b"X-Bad: a\rb",
    b"X Bad: a",
    b"X-Bad : a",
    b": a",
    b" folded",
    b"no colon",
)


def cut(data: bytes, at: Sequence[int]) -> list[bytes]:
    ends = sorted({min(place, len(data)) for place in at} | {0, len(data)})
    return [data[one:other] for one, other in pairwise(ends)]


@some.composite
def requests(draw: some.DrawFn) -> bytes:
    """One to three requests, some of them odd."""
    data = b""
    for _ in range(draw(some.integers(1, 3))):
        if draw(some.booleans()):
            data += PLAIN
            continue
        fields = draw(some.lists(some.sampled_from(FIELDS), max_size=5))
        if draw(some.integers(0, 3)):
            fields = [b"Host: x", *fields]
        data += b"\r\n".join([draw(some.sampled_from(LINES)), *fields, b"", b""])
        data += draw(some.sampled_from((b"", b"hello", b"5\r\nhello\r\n0\r\n\r\n", b"\r\n", b"\x16\x03\x01")))
    return data


@settings(max_examples=600, deadline=None)
@given(
    requests(),
    some.lists(some.integers(0, 300), max_size=4),
    some.sampled_from(
        (
            ((b"Content-Type", b"a/b"), (b"Content-Length", b"2")),
            ((b"content-type", b"a/b"),),
            ((b"connection", b"close"), (b"x", b"")),
        )
    ),
)
@example(PLAIN * 3, [], ((b"content-length", b"2"),))
@example(PLAIN * 2, [3, 80, 90], ())
@example(b"\r\n" + PLAIN, [], ())
@example(PLAIN + b"\r\n" + PLAIN, [], ())
def test_as_h11_would(data: bytes, at: list[int], answer: tuple[tuple[bytes, bytes], ...]) -> None:
    """Plain or odd, whole or in pieces, one or several: the same requests, bodies, refusals and answers."""
    chunks = cut(data, at)
    bounds = Bounds(fields=4, line=60, head=200)
    assert read(Http1(bounds), chunks, answer) == read(StrictConnection(bounds), chunks, answer)


def asked(data: bytes = PLAIN) -> Http1:
    """A connection with one request that has come whole."""
    connection = Http1(Bounds())
    connection.receive_data(data)
    while not isinstance(connection.next_event(), h11.EndOfMessage):
        pass
    return connection


@pytest.mark.parametrize("data", [PLAIN, PLAIN.replace(b"POST", b"PUT")], ids=["usual", "by h11"])
@pytest.mark.parametrize(
    "headers",
    [
        [(b"x", b"a\r\nb: c")],
        [(b"x", b"a\nb")],
        [(b"x y", b"a")],
        [(b"", b"a")],
        [(b"x", b" a")],
        [(b"x", b"a\x00")],
        [(b"content-length", b"x")],
        [(b"content-length", b"1"), (b"content-length", b"2")],
    ],
)
def test_what_http_forbids_is_not_written(data: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    """An answer's head cannot be made to say more than one thing."""
    with pytest.raises(h11.LocalProtocolError):
        asked(data).head(200, headers)


@pytest.mark.parametrize("data", [PLAIN, PLAIN.replace(b"POST", b"PUT")], ids=["usual", "by h11"])
def test_the_announced_length_is_kept(data: bytes) -> None:
    """Neither more nor less can be sent."""
    for pieces in ((b"abc",), (b"a", b"bc"), (b"a",), ()):
        connection = asked(data)
        connection.head(200, [(b"content-length", b"2")])
        with pytest.raises(h11.LocalProtocolError):  # noqa: PT012 - which of them is the one does not matter
            for piece in pieces:
                connection.some(piece)
            connection.end()


@pytest.mark.parametrize("data", [PLAIN, PLAIN.replace(b"POST", b"PUT")], ids=["usual", "by h11"])
def test_one_answer_for_one_request(data: bytes) -> None:
    """A second one, or more of one that has ended, is refused and the last; without a body there are no chunks."""
    connection = asked(data)
    assert connection.head(204, []) == b"HTTP/1.1 204 \r\n\r\n"
    assert connection.end() == b""
    more: list[Callable[[Http1], bytes]] = [
        lambda it: it.head(200, []),
        lambda it: it.some(b"x"),
        lambda it: it.end(),
    ]
    connection.start_next_cycle()
    assert connection.our_state is h11.IDLE
    for again in more:
        connection = asked(data)
        connection.head(204, [])
        connection.end()
        with pytest.raises(h11.LocalProtocolError):
            again(connection)
        with pytest.raises(h11.LocalProtocolError):
            connection.start_next_cycle()


def test_the_usual_does_without_h11() -> None:
    """What clients send all day is read and written here; else all of this would be for nothing."""
    connection = asked()
    assert connection._delicate is None
    connection.head(200, [(b"content-type", b"text/event-stream")])
    assert connection.some(b"data: x\n\n") == b"9\r\ndata: x\n\n\r\n"
    assert connection.end() == b"0\r\n\r\n"
    connection.start_next_cycle()
    connection.receive_data(b"POST / HTTP/1.1\r\n")
    connection.next_event()
    assert connection._delicate is not None
