"""Chunks that arrived together are passed on together, and none is lost or delayed."""

from __future__ import annotations

import h11
import httpcore2 as httpcore
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.errors import UpstreamBroke
from shunt.providers.base import UpstreamCall
from shunt.upstream import joining
from shunt.upstream.client import open_upstream
from shunt.upstream.joining import JoiningReader, join_chunks
from shunt.upstream.timeouts import Timeouts
from tests.fakes.upstream import Answer, Framing, Raw, scripted_upstream

HEAD = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


def framed(*pieces: bytes) -> bytes:
    """A chunked body."""
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def answered() -> h11.Connection:
    """A client whose answer's head has been read, with our reader in place."""
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("host", "x")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(HEAD)
    assert isinstance(connection.next_event(), h11.Response)
    connection._reader = JoiningReader(connection._reader)
    return connection


def events(connection: h11.Connection) -> tuple[list[bytes], bool]:
    """The pieces of data that are there, and whether the body ended."""
    pieces = []
    while True:
        event = connection.next_event()
        if isinstance(event, h11.Data):
            pieces.append(bytes(event.data))
        else:
            return pieces, isinstance(event, h11.EndOfMessage)


def test_what_arrived_together_comes_together() -> None:
    """One piece for three chunks, then the end."""
    connection = answered()
    connection.receive_data(framed(b"a", b"bc", b"d"))
    assert events(connection) == ([b"abcd"], True)
    assert connection.their_state is h11.DONE


def test_nothing_waits_for_more() -> None:
    """Half a chunk comes as far as it is here."""
    connection = answered()
    connection.receive_data(b"1\r\na\r\n5\r\nbc")
    assert events(connection) == ([b"abc"], False)
    connection.receive_data(b"def\r\n")
    assert events(connection) == ([b"def"], False)


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=8), st.lists(st.integers(0, 400), max_size=8))
def test_any_cut_gives_the_same_body(pieces: list[bytes], cuts: list[int]) -> None:
    """However the bytes arrive."""
    body = framed(*pieces)
    places = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    connection = answered()
    got, ended = [], False
    for start, end in zip(places, places[1:], strict=False):  # noqa: RUF007 - three lines up they are made
        if start < end:
            connection.receive_data(body[start:end])
            found, ended = events(connection)
            got += found
    assert (b"".join(got), ended) == (b"".join(pieces), True)


def test_a_bad_chunk_is_told_after_the_good_ones() -> None:
    """What came before it is delivered first."""
    connection = answered()
    connection.receive_data(b"1\r\na\r\n2\r\nbc\r\nnonsense\r\n")
    event = connection.next_event()
    assert isinstance(event, h11.Data)
    assert event.data == b"abc"
    with pytest.raises(h11.RemoteProtocolError):
        connection.next_event()


def test_a_connection_that_closes_too_early_is_noticed() -> None:
    """The end of the connection is not the end of the body."""
    connection = answered()
    connection.receive_data(b"1\r\na\r\n")
    assert events(connection) == ([b"a"], False)
    connection.receive_data(b"")
    with pytest.raises(h11.RemoteProtocolError):
        connection.next_event()


def test_pieces_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Joining stops at MOST bytes."""
    monkeypatch.setattr(joining, "MOST", 4)
    connection = answered()
    connection.receive_data(framed(b"abc", b"def", b"g"))
    assert events(connection) == ([b"abcdef", b"g"], True)


def test_what_is_no_such_answer_is_left_alone() -> None:
    """An answer of another kind, or of another version of httpcore."""
    assert not join_chunks(httpcore.Response(200, content=b"x"))


async def test_contract_with_httpcore_and_h11() -> None:
    """The locked versions let us in: chunks sent in one packet come as one, and breaks are still seen."""
    whole = Answer(framing=Framing.RAW, steps=(Raw(HEAD + framed(b"one ", b"two ", b"three")),))
    cut = Answer(framing=Framing.RAW, steps=(Raw(HEAD + b"3\r\none\r\n3\r\ntw"),))
    async with scripted_upstream([whole, cut]) as up, open_upstream(Timeouts()) as upstream:
        call = UpstreamCall("a", "POST", up.url, b"/", (), b"")
        reply = await upstream.send(call)
        assert [chunk async for chunk in reply.chunks()] == [b"one two three"]
        broken = await upstream.send(call)
        assert await anext(broken.chunks()) == b"onetw"
        with pytest.raises(UpstreamBroke):
            await anext(broken.chunks())
        await broken.aclose()
