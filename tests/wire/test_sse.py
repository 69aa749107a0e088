"""Server-sent events."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.errors import UpstreamUnexpected
from shunt.wire import sse
from tests.strategies import chunked

PIECES = [
    b"data: x",
    b"data:y",
    b"event: e",
    b"event",
    b": note",
    b"id: 1",
    b"\n",
    b"\r",
    b"\r\n",
    b"\xef\xbb\xbf",
    "data: é\u2028\u0085".encode(),
]


def fields(raw: bytes) -> list[tuple[str, bytes | None]]:
    decoder = sse.Decoder()
    events = [*decoder.feed(raw), decoder.close()]
    return [(event.name, event.data) for event in events if event is not None]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"event: ping\ndata: {}\n\n", [("ping", b"{}")]),
        (b"event: ping\r\ndata: {}\r\n\r\n", [("ping", b"{}")]),
        (b"event: ping\rdata: {}\r\r", [("ping", b"{}")]),
        (b"data: a\r\n\ndata: b\n\r\ndata: c\n\n", [("", b"a"), ("", b"b"), ("", b"c")]),
        (b"data: a\n\rdata: b\n\n", [("", b"a"), ("", b"b")]),
        (b"data: a\ndata: b\ndata:\n\n", [("", b"a\nb\n")]),
        (b"data\n\n", [("", b"")]),
        (b"data:  two\n\n", [("", b" two")]),
        (b"\xef\xbb\xbfdata: a\n\n", [("", b"a")]),
        (b": note\n\ndata: a\n\n", [("", None), ("", b"a")]),
        (b": note\ndata: a\n: more\n\n", [("", b"a")]),
        (b"id: 5\nretry: 100\n\ndata: a\n\n", [("", None), ("", b"a")]),
        (b"\ndata: a\n\n", [("", b"a")]),
        (b"event: one\nevent: two\ndata: a\n\n", [("two", b"a")]),
        (b"event: one\nevent\ndata: a\n\n", [("", b"a")]),
        (b"database: a\neventual: b\n\n", [("", None)]),
        (b"data: a\n\ndata: b", [("", b"a"), ("", b"b")]),
        ("data: a\u2028b\u0085c\x0bd\n\n".encode(), [("", "a\u2028b\u0085c\x0bd".encode())]),
        (b"", []),
    ],
)
def test_reads_the_format(raw: bytes, expected: list[tuple[str, bytes | None]]) -> None:
    """Every line end, comments, several data lines, a byte order mark and a missing end are understood."""
    assert fields(raw) == expected


@given(
    st.lists(st.sampled_from(PIECES), max_size=25)
    .map(b"".join)
    .flatmap(lambda raw: st.tuples(st.just(raw), chunked(raw)))
)
def test_any_chunking_gives_the_same_events(case: tuple[bytes, list[bytes]]) -> None:
    """Events do not depend on how the bytes were cut, and together are exactly the input."""
    raw, chunks = case
    whole = sse.Decoder()
    expected = [*whole.feed(raw), whole.close()]
    decoder = sse.Decoder()
    events = [event for chunk in chunks for event in decoder.feed(chunk)]
    assert [*events, decoder.close()] == expected
    assert b"".join(event.raw for event in expected if event is not None) == raw


@given(st.binary(max_size=200))
def test_any_bytes_are_events(raw: bytes) -> None:
    """No input makes the decoder or an event's fields fail."""
    decoder = sse.Decoder()
    for event in [*decoder.feed(raw), decoder.close()]:
        if event is not None:
            assert "\n" not in event.name
            assert len(event.data or b"") < len(event.raw)


def test_an_event_comes_with_its_last_byte() -> None:
    """Nothing waits for the next event; only LF CR has to see what follows."""
    for end in (b"\n\n", b"\r\n\r\n", b"\r\r"):
        assert [event.data for event in sse.Decoder().feed(b"data: a" + end)] == [b"a"]
    decoder = sse.Decoder()
    assert list(decoder.feed(b"data: a\n\r")) == []
    assert [event.raw for event in decoder.feed(b"\n")] == [b"data: a\n\r\n"]


@pytest.mark.parametrize("raw", [b"data: " + b"x" * 50, b"data: " + b"x" * 50 + b"\n\n"])
def test_an_event_above_the_limit_is_an_error(raw: bytes) -> None:
    """The events before it are still delivered, then the error names the limit."""
    decoder = sse.Decoder(limit=40)
    events = decoder.feed(b"data: a\n\n" + raw)
    assert next(events).data == b"a"
    with pytest.raises(UpstreamUnexpected, match="more than 40 bytes"):
        next(events)


@pytest.mark.parametrize("end", [b"\n", b"\r"])
def test_an_event_of_very_many_lines_is_an_error(end: bytes) -> None:
    """Two million lines would cost seconds to look at, in which everybody else waits."""
    decoder = sse.Decoder()
    few = b"data: x" + end
    assert len(list(decoder.feed(few * 50_000 + end))) == 1
    with pytest.raises(UpstreamUnexpected, match="more than 100,000 lines"):
        list(decoder.feed(few * 2_000_000 + end))


def test_a_large_event_is_not_searched_again_and_again() -> None:
    """20 MiB in small pieces is one event, with memory for little more than itself."""
    decoder = sse.Decoder()
    piece = b"x" * 65536
    assert list(decoder.feed(b"data: ")) == []
    for _ in range(320):
        assert list(decoder.feed(piece)) == []
    (event,) = decoder.feed(b"\n\n")
    assert len(event.raw) == 6 + 320 * 65536 + 2


@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n", b"\r\r"])
def test_a_skipped_event_leaves_no_trace(end: bytes) -> None:
    """After skip() the rest of the event is dropped as it comes and the next one is whole."""
    decoder = sse.Decoder()
    assert list(decoder.feed(b"data: " + b"x" * 100)) == []
    assert decoder.head(6) == b"data: "
    decoder.skip()
    assert list(decoder.feed(b"x" * 100)) == []
    assert decoder.pending <= 2
    events = [event for byte in end + b"data: b" + end for event in decoder.feed(bytes([byte]))]
    assert [event.data for event in events] == [b"b"]
    assert decoder.close() is None


def test_an_event_skipped_until_the_end_is_not_returned() -> None:
    """close() does not hand out the tail of an event that was given up."""
    decoder = sse.Decoder()
    list(decoder.feed(b"data: x"))
    decoder.skip()
    assert decoder.close() is None


@given(
    name=st.sampled_from(["", "ping", "response.failed"]),
    lines=st.lists(st.sampled_from([b"", b"{}", b" a"])),
)
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_what_is_encoded_is_read_back(end: bytes, name: str, lines: list[bytes]) -> None:
    """encode() keeps data of several lines; their ends become LF."""
    decoder = sse.Decoder()
    (event,) = decoder.feed(sse.encode(name, end.join(lines)))
    assert (event.name, event.data) == (name, b"\n".join(lines))
    assert decoder.pending == 0


def test_a_comment_is_no_event() -> None:
    """Clients see nothing of a comment."""
    assert fields(sse.comment("keep-alive")) == [("", None)]


@pytest.mark.parametrize(
    ("raw", "name", "data"),
    [
        (b"event: x\ndata: y\n\n", "x", b"y"),
        (b"data: y\n\n", "", b"y"),
        (b"data: y\ndata: z\n\n", "", b"y\nz"),
        (b"data:y\nevent:x\n\n", "x", b"y"),
        (b"event: x\r\ndata: y\r\n\r\n", "x", b"y"),
        (b"\xef\xbb\xbfevent: x\ndata: y\n\n", "x", b"y"),
        (b"id: 3\nevent: x\ndata: y\n\n", "x", b"y"),
        (b": comment\n\n", "", None),
        (b"event: x\ndata: \n\n", "x", b""),
    ],
)
def test_name_and_data_together_are_the_same(raw: bytes, name: str, data: bytes | None) -> None:
    """The quick way and the thorough one agree, whatever the sender's habits."""
    event = sse.Event(raw)
    assert event.told == (event.name, event.data) == (name, data)
