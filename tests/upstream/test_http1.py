"""An answer's bytes in any pieces, and a request's head that can be read in one way only."""

from __future__ import annotations

import httpcore2 as httpcore
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.upstream.http1 import MOST_FRAMING, AnswerReader, head_of
from shunt.wire.headers import Headers
from tests.upstream.calls import call

CHUNKED = (
    b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nX-A:  1 \r\nx-a: 2\r\nTransfer-Encoding: chunked\r\n"
    b"\r\n5;ext=1\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\nx-trailer: t\r\n\r\n"
)
SIZED = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"
EMPTY = b"HTTP/1.1 204 No Content\r\n\r\n"


def read(data: bytes, cuts: list[int]) -> tuple[AnswerReader, bytes]:
    """Feed `data` cut at these places."""
    reader = AnswerReader()
    body = b""
    places = sorted({min(cut, len(data)) for cut in cuts})
    for start, end in zip([0, *places], [*places, len(data)], strict=True):
        if data[start:end]:
            reader.feed(data[start:end])
            body += reader.take()
    return reader, body


@given(st.lists(st.integers(0, len(CHUNKED)), max_size=30))
def test_any_cut_gives_the_same_answer(cuts: list[int]) -> None:
    """Interim answers, chunk extensions and trailers vanish; fields keep their case, order and duplicates."""
    reader, body = read(CHUNKED, cuts)
    assert (reader.status, body) == (200, b"hello world")
    assert reader.headers == ((b"X-A", b"1"), (b"x-a", b"2"), (b"Transfer-Encoding", b"chunked"))
    assert (reader.complete, reader.reusable) == (True, True)


@pytest.mark.parametrize(
    ("data", "body", "reusable"),
    [
        (SIZED, b"hello", True),
        (EMPTY, b"", True),
        (SIZED.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), b"hello", False),
        (SIZED.replace(b"1.1", b"1.0"), b"hello", False),
        (SIZED + b"more", b"hello", False),
        (SIZED + SIZED, b"hello", False),
        (SIZED.replace(b"200 OK", b"304 X"), b"", False),
        (SIZED.replace(b"\r\n", b"\n"), b"hello", True),
        (b"HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n", b"", True),
    ],
)
def test_a_connection_is_used_again_only_if_nothing_is_left_on_it(
    data: bytes, body: bytes, *, reusable: bool
) -> None:
    """Where the end of an answer is beyond doubt, and both sides stay."""
    reader, got = read(data, [])
    assert (got, reader.complete, reader.reusable) == (body, True, reusable)


def test_what_comes_after_the_end_is_nobodys() -> None:
    """Also when it comes later, it is no part of this answer."""
    reader, _ = read(SIZED, [])
    reader.feed(SIZED)
    assert (reader.take(), reader.reusable) == (b"", False)


def test_an_answer_may_end_with_its_connection() -> None:
    """Without a length the end of the connection is the end; with one it is a break."""
    reader, body = read(b"HTTP/1.1 200 OK\r\n\r\nabc", [])
    assert (body, reader.complete) == (b"abc", False)
    reader.end()
    assert (reader.complete, reader.reusable) == (True, False)
    for broken in (b"", b"HTTP/1.1 200 OK\r\n", SIZED[:-1], CHUNKED[:-2]):
        reader, _ = read(broken, [])
        with pytest.raises(httpcore.RemoteProtocolError, match="closed connection"):
            reader.end()


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/2.0 200 OK\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 099 X\r\n\r\n",
        b"HTTP/1.1 101 X\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 103 X\r\ncontent-length: 5\r\n\r\nhello" + SIZED,
        b"HTTP/1.1 199 X\r\ncontent-length: 5\r\n\r\nhello" + SIZED,
        b"HTTP/1.1 199 X\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n" + SIZED,
        b"HTTP/1.1 200 OK\r\nx : 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * MOST_FRAMING + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;" + b"y" * 2 * MOST_FRAMING + b"\r\na\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nZ\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\na",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked, chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntransfer-encoding: gzip\r\n\r\na",
    ],
)
def test_nonsense_is_refused(data: bytes) -> None:
    """What is not HTTP/1.1, or never gets anywhere, is an error and no answer."""
    with pytest.raises(httpcore.RemoteProtocolError):  # noqa: PT012 - it is raised or kept
        reader, _ = read(data, list(range(1000, len(data), 1000)))
        assert reader.fault is not None
        raise reader.fault


def test_a_fault_comes_after_what_was_good() -> None:
    """What arrived together with nonsense is still passed on."""
    reader, body = read(CHUNKED[: CHUNKED.index(b"0\r\n")] + b"Z\r\n", [])
    assert (body, reader.complete) == (b"hello world", False)
    assert reader.fault is not None


@given(st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=8))
def test_garbage_is_an_answer_or_an_error(pieces: list[bytes]) -> None:
    """Nothing else than a protocol error ever comes out of a parser."""
    reader = AnswerReader()
    try:
        for piece in pieces:
            reader.feed(piece)
        reader.end()
    except httpcore.RemoteProtocolError:
        pass


@pytest.mark.parametrize(
    "headers",
    [
        ((b"x", b"a\r\nb: 1"),),
        ((b"x", b"a\nb"),),
        ((b"x", b"a\rb"),),
        ((b"x y", b"1"),),
        ((b"", b"1"),),
        ((b"x\r\ny", b"1"),),
    ],
)
def test_a_head_that_reads_in_two_ways_is_refused(headers: Headers) -> None:
    """No header can end its line, and the error does not show it."""
    with pytest.raises(httpcore.LocalProtocolError) as caught:
        head_of(call("http://vendor.invalid", headers=headers), b"vendor.invalid")
    assert all(value.decode() not in str(caught.value) for _, value in headers)


def test_the_length_is_told_where_there_may_be_a_body() -> None:
    """A GET without a body has none; a POST without one says so."""
    told = {
        method: head_of(call("http://v.invalid", method=method, body=b""), b"v.invalid")
        for method in ("GET", "POST")
    }
    assert told["GET"] == b"GET /v1/messages HTTP/1.1\r\nHost: v.invalid\r\n\r\n"
    assert told["POST"].endswith(b"Content-Length: 0\r\n\r\n")
