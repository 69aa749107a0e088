"""Heads that two programs could read differently are refused; real ones are not."""

from __future__ import annotations

import h11
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from shunt.server.bounds import Bounds
from shunt.server.head import StrictConnection

HOST = b"host: 127.0.0.1\r\n"
GET = b"GET /x HTTP/1.1\r\n" + HOST
POST = b"POST /x HTTP/1.1\r\n" + HOST
CHUNKED = b"transfer-encoding: chunked\r\n"


def verdict(*pieces: bytes, bounds: Bounds | None = None) -> int:
    """The status with which a head that arrives in these pieces is refused; 0 when it is taken."""
    connection = StrictConnection(bounds or Bounds())
    try:
        for piece in pieces:
            connection.receive_data(piece)
            while connection.next_event() not in (h11.NEED_DATA, h11.PAUSED):
                pass
    except h11.RemoteProtocolError as error:
        return error.error_status_hint
    return 0


@pytest.mark.parametrize(
    "raw",
    [
        GET + b"\r\n",
        b"GET /x HTTP/1.0\r\n\r\n",
        POST + b"content-length: 3\r\n\r\nabc",
        POST + b"content-length: 3\r\ncontent-length: 3\r\n\r\nabc",
        POST + CHUNKED + b"\r\n3\r\nabc\r\n0\r\n\r\n",
        POST + CHUNKED + b"\r\n3;x=y\r\nabc\r\n0\r\ntrailer: 1\r\n\r\n",
        POST + b"expect: 100-Continue\r\ncontent-length: 3\r\n\r\nabc",
        GET + b"x: tab\tand blank  \r\ny:\r\n\r\n",
        POST + b"content-length: 9\r\n\r\na\n b\r\n c\n",
        GET + b"x: " + b"a" * 60_000 + b"\r\n\r\n",
        GET + b"".join(b"x%d: 1\r\n" % n for n in range(99)) + b"\r\n",
    ],
)
def test_proper_heads_are_taken(raw: bytes) -> None:
    """What clients send, and what HTTP allows without ambiguity, passes."""
    assert verdict(raw) == 0


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        # two readings of the length (request smuggling)
        (POST + b"content-length: 3\r\n" + CHUNKED + b"\r\n3\r\nabc\r\n0\r\n\r\n", 400),
        (POST + CHUNKED + b"content-length: 3\r\n\r\nabc", 400),
        (POST + b"content-length: 3\r\ncontent-length: 4\r\n\r\nabcd", 400),
        (POST + b"content-length: 3, 4\r\n\r\nabcd", 400),
        (POST + b"content-length: +3\r\n\r\nabc", 400),
        (POST + b"content-length: -3\r\n\r\nabc", 400),
        (POST + b"content-length: abc\r\n\r\nabc", 400),
        (POST + b"content-length: " + b"9" * 23 + b"\r\n\r\nabc", 400),
        (POST + b"transfer-encoding: xchunked\r\n\r\n", 501),
        (POST + b"transfer-encoding: identity\r\n\r\n", 501),
        (POST + b"transfer-encoding: gzip, chunked\r\n\r\n", 501),
        (POST + CHUNKED + CHUNKED + b"\r\n0\r\n\r\n", 501),
        (POST + CHUNKED + b"transfer-encoding: identity\r\n\r\n", 501),
        (b"POST /x HTTP/1.0\r\n" + HOST + CHUNKED + b"\r\n0\r\n\r\n", 400),
        (POST + CHUNKED + b"\r\nZZ\r\nabc\r\n0\r\n\r\n", 400),
        (POST + CHUNKED + b"\r\n5\r\nAAAAAXX2\r\n45\r\n0\r\n\r\n", 400),
        (POST + CHUNKED + b"\r\n" + b"f" * 21 + b"\r\nabc", 400),
        (POST + CHUNKED + b"\r\n3;a\nb\r\nabc\r\n0\r\n\r\n", 400),
        # two readings of the lines
        (b"GET /x HTTP/1.1\nhost: a\n\n", 400),
        (b"GET /x HTTP/1.1\r\nhost: a\n\r\n", 400),
        (GET + b"x: a\r\n b\r\n\r\n", 400),
        (GET + b"x: a\r\n\tb\r\n\r\n", 400),
        (GET + b"x: a\rb\r\n\r\n", 400),
        (GET + b"x: a\x00b\r\n\r\n", 400),
        (b"GET /x HTTP/1.1\r\nhost : a\r\n\r\n", 400),
        (b"GET /x HTTP/1.1\r\n host: a\r\n\r\n", 400),
        # hosts
        (b"GET /x HTTP/1.1\r\n\r\n", 400),
        (GET + HOST + b"\r\n", 400),
        # other protocols
        (b"GET /x HTTP/9.9\r\n" + HOST + b"\r\n", 505),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        (b"GET /\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(300), 400),
        (b"\x00\xff" * 2000, 400),
        (b"\xc3\xa9 /x HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (b"GET /\xff\xfe HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (b"GET  /x HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        # sizes, whole and in one read
        (b"GET /" + b"a" * 8200 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
        (b"GET /" + b"a" * 9000, 414),
        (GET + b"x: " + b"a" * 66_000 + b"\r\n\r\n", 431),
        (GET + b"x: " + b"a" * 66_000, 431),
        (GET + b"".join(b"x%d: 1\r\n" % n for n in range(3000)) + b"\r\n", 431),
        (POST + b"expect: foo\r\ncontent-length: 3\r\n\r\nabc", 417),
    ],
)
def test_ambiguous_or_oversized_heads_are_refused(raw: bytes, status: int) -> None:
    """Each with the status that says why, whether it arrives in one read or in pieces."""
    assert verdict(raw) == status
    pieces = [raw[at : at + 7] for at in range(0, len(raw), 7)] if len(raw) < 1000 else [raw[:999], raw[999:]]
    assert verdict(*pieces) == status


@pytest.mark.parametrize(
    "end",
    [
        b"0\r\nx: y\n\r\n",
        b"0\r\n\n",
        b"0\r\nx: y\r\n\n",
        b"0\r\nx: y\nz: w\r\n\r\n",
        b"0\r\nx: y\r\n w\r\n\r\n",
    ],
)
def test_trailers_are_read_as_strictly(end: bytes) -> None:
    """Whoever takes no LF for the end of a line would see the next request elsewhere; in any pieces."""
    raw = POST + CHUNKED + b"\r\n3\r\nabc\r\n" + end
    assert verdict(raw) == 400
    assert verdict(*(raw[at : at + 1] for at in range(len(raw)))) == 400


@pytest.mark.parametrize("end", [b"0\r\n\r\n", b"0\r\nx: y\r\nz: w\r\n\r\n"])
@pytest.mark.parametrize("body", [b"", b"3\r\na\nb\r\n", b"2\r\n\n\n\r\n"])
def test_proper_ends_of_chunked_bodies_are_taken(body: bytes, end: bytes) -> None:
    """With trailers and without, whatever the body holds; in any pieces, and before another request."""
    raw = POST + CHUNKED + b"\r\n" + body + end
    assert verdict(raw) == 0
    assert verdict(*(raw[at : at + 1] for at in range(len(raw)))) == 0
    assert verdict(raw + GET + b"\r\n") == 0


def test_very_many_chunks_cost_no_more_than_their_length() -> None:
    """What waits to be read is not copied for each of them."""
    copied: list[int] = []

    class Counted(StrictConnection):
        @property
        def trailing_data(self) -> tuple[bytes, bool]:
            found = super().trailing_data
            copied.append(len(found[0]))
            return found

    raw = POST + CHUNKED + b"\r\n" + b"1\r\na\r\n" * 5_000 + b"0\r\n\r\n"
    connection = Counted(Bounds())
    connection.receive_data(raw)
    events = 0
    while not isinstance(connection.next_event(), h11.EndOfMessage):
        events += 1
    assert events == 5_001
    assert sum(copied) < 5 * len(raw)


def test_a_second_request_on_the_connection_is_read_as_strictly() -> None:
    """Strictness does not end with the first request."""
    connection = StrictConnection(Bounds())
    connection.receive_data(GET + b"\r\n" + GET + b"x: a\r\n b\r\n\r\n")
    while connection.next_event() not in (h11.NEED_DATA, h11.PAUSED):
        pass
    connection.send(h11.Response(status_code=200, headers=[("content-length", "0")]))
    connection.send(h11.EndOfMessage())
    connection.start_next_cycle()
    with pytest.raises(h11.RemoteProtocolError):
        connection.next_event()


@given(
    st.lists(st.binary(min_size=1, max_size=60), max_size=8),
    st.sampled_from([b"", GET, POST + CHUNKED + b"\r\n"]),
)
def test_whatever_comes_it_is_read_or_refused(pieces: list[bytes], start: bytes) -> None:
    """Any bytes in any pieces give events, or a protocol error, never anything else."""
    small = evolve(Bounds(), line=100, head=200, fields=3)
    assert verdict(*filter(None, (start, *pieces)), bounds=small) in (0, 400, 414, 417, 431, 501, 505)
