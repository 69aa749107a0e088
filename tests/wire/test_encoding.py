"""Content codings."""

from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.errors import BodyTooLarge, InvalidRequest
from shunt.wire import encoding
from tests.strategies import chunked

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

TEXT = b'{"model": "m", "messages": ["' + b"word " * 40_000 + b'"]}'


def bare_deflate(data: bytes) -> bytes:
    writer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return writer.compress(data) + writer.flush()


CODINGS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("", bytes),
    ("identity", bytes),
    ("gzip", gzip.compress),
    ("GZip", gzip.compress),
    ("x-gzip", gzip.compress),
    ("deflate", zlib.compress),
    ("deflate", bare_deflate),
    ("zstd", zstd.compress),
    ("gzip, zstd", lambda data: zstd.compress(gzip.compress(data))),
    ("identity,deflate", zlib.compress),
]


@pytest.mark.parametrize(("name", "compress"), CODINGS)
@pytest.mark.parametrize("data", [b"", b"x", TEXT, bytes(encoding.PIECE * 3)])
def test_bodies_are_read(name: str, compress: Callable[[bytes], bytes], data: bytes) -> None:
    """Every coding that agents use, alone or in a row, is undone."""
    assert encoding.decoded(compress(data), name, limit=len(data)) == data


@pytest.mark.parametrize("name", ["br", "compress", "gzip, br", "nonsense"])
def test_an_unknown_coding_is_said(name: str) -> None:
    """What cannot be read is not guessed at."""
    assert encoding.decoded(b"xyz", name, limit=100) is None
    assert encoding.decoder(name) is None


@pytest.mark.parametrize(("name", "compress"), CODINGS[2:])
def test_a_bomb_stops_at_the_limit(name: str, compress: Callable[[bytes], bytes]) -> None:
    """No more than the limit and one piece is ever decoded."""
    with pytest.raises(BodyTooLarge, match="more than 1,000 bytes"):
        encoding.decoded(compress(bytes(50_000_000)), name, limit=1000)


@pytest.mark.parametrize(("name", "compress"), CODINGS[2:])
def test_a_cut_body_is_refused(name: str, compress: Callable[[bytes], bytes]) -> None:
    """Half a body is not taken for a whole one."""
    with pytest.raises(InvalidRequest, match="ends in the middle"):
        encoding.decoded(compress(TEXT)[:-3], name, limit=10**7)


@pytest.mark.parametrize("name", ["gzip", "deflate", "zstd"])
def test_a_body_that_is_not_compressed_is_refused(name: str) -> None:
    """The message names the coding that was promised."""
    with pytest.raises(InvalidRequest, match=f"not valid {name}"):
        encoding.decoded(b"\x0f plain text", name, limit=100)


def test_an_absurd_window_is_refused() -> None:
    """A frame that would need a huge buffer to read fails before the buffer is made."""
    options: dict[int, int] = {
        zstd.CompressionParameter.window_log: 27,
        zstd.CompressionParameter.compression_level: 1,
    }
    writer = zstd.ZstdCompressor(options=options)
    frame = writer.compress(TEXT) + writer.flush()
    with pytest.raises(InvalidRequest, match="not valid zstd"):
        encoding.decoded(frame, "zstd", limit=10**7)


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("gzip", gzip.compress(b"one ") + gzip.compress(b"two") + bytes(5), b"one two"),
        ("zstd", zstd.compress(b"one ") + zstd.compress(b"two"), b"one two"),
        ("deflate", zlib.compress(b"one") + b"trailing", b"one"),
        ("gzip, zstd", zstd.compress(gzip.compress(b"one ") + gzip.compress(b"two")), b"one two"),
    ],
)
@given(data_and_cuts=st.data())
def test_any_chunking_gives_the_same_bytes(
    name: str, data: bytes, expected: bytes, data_and_cuts: st.DataObject
) -> None:
    """Members in a row, padding and all: how the bytes were cut does not matter."""
    decoder = encoding.decoder(name)
    assert decoder is not None
    chunks = data_and_cuts.draw(chunked(data))
    assert b"".join(piece for chunk in chunks for piece in decoder.feed(chunk)) == expected
    assert decoder.whole


@pytest.mark.parametrize(("name", "compress"), CODINGS[2:])
def test_pieces_are_small(name: str, compress: Callable[[bytes], bytes]) -> None:
    """A reader that looks on never holds more than one piece, whatever one chunk unpacks to."""
    decoder = encoding.decoder(name)
    assert decoder is not None
    sizes = [len(piece) for piece in decoder.feed(compress(bytes(3_000_000)))]
    assert sum(sizes) == 3_000_000
    assert max(sizes) <= encoding.PIECE


@pytest.mark.parametrize("name", ["gzip", "deflate", "zstd"])
@given(data=st.binary(max_size=60))
def test_any_bytes_decode_or_are_corrupt(name: str, data: bytes) -> None:
    """Garbage has one outcome besides success."""
    decoder = encoding.decoder(name)
    assert decoder is not None
    with suppress(encoding.Corrupt):
        list(decoder.feed(data))


@pytest.mark.parametrize(
    ("body", "name", "expected"),
    [
        (gzip.compress(b"hello"), "gzip", b"hello"),
        (gzip.compress(TEXT)[:60], "gzip", TEXT[:20]),
        (gzip.compress(b"hello world, hello moon"), "gzip", b"hello world, hello m"),
        (b"plain all the same", "gzip", b"plain all the same"),
        (b"unknown", "br", b"unknown"),
        (b"plain", "", b"plain"),
        (b"", "gzip", b""),
    ],
)
def test_the_beginning_of_a_doubtful_body(body: bytes, name: str, expected: bytes) -> None:
    """An error's body is read as far as it goes, and left as it is where it cannot be read."""
    found = encoding.beginning(body, name, limit=20)
    assert found == expected[: len(found)]
    assert bool(found) == bool(expected)
