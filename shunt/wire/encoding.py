"""Content codings: looking inside compressed bodies without being blown up by them.

Bodies are forwarded as they came; this is only for reading along. Every step yields at most
`PIECE` bytes, so a bomb costs time in proportion to what its reader is willing to take, and no memory.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Iterator
from typing import Final, Protocol

from shunt.errors import BodyTooLarge, InvalidRequest

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PIECE: Final = 64 * 1024
"""Bytes that one step of a decoder yields at most."""

_ZSTD_WINDOW: Final = 23
"""log2 of the largest window: 8 MiB, the most that RFC 9659 lets a sender use over HTTP."""


class Corrupt(ValueError):
    """The bytes are not what their content coding says."""


class _Coding(Protocol):
    def feed(self, data: bytes) -> Iterator[bytes]:
        """Decode the next bytes; raises Corrupt."""

    @property
    def whole(self) -> bool:
        """Whether the input so far is complete."""


class _Zlib:
    """`gzip` and `deflate`; several gzip members in a row are one body."""

    def __init__(self, *, gzip: bool) -> None:
        self._gzip = gzip
        self._start = b""
        self._over = False
        self._inflate: zlib._Decompress | None = None
        self.whole = True

    def feed(self, data: bytes) -> Iterator[bytes]:
        data = self._begun(data)
        while self._inflate and data:
            self.whole = False
            full = True
            # A full piece may have left output inside the decompressor, even with no input left.
            while full:
                try:
                    piece = self._inflate.decompress(data, PIECE)
                except zlib.error as error:
                    raise Corrupt(str(error)) from error
                data = self._inflate.unconsumed_tail
                full = len(piece) == PIECE
                if piece:
                    yield piece
            if self._inflate.eof:
                self.whole, self._over = True, not self._gzip
                rest, self._inflate = self._inflate.unused_data, None
                data = self._begun(rest)

    def _begun(self, data: bytes) -> bytes:
        """Choose a decompressor by the first two bytes, and return all bytes for it so far."""
        if self._inflate:
            return data
        if self._over:  # what follows `deflate` data has no meaning
            return b""
        # Zeros may pad gzip members, as tapes once did.
        data = (self._start + data).lstrip(b"\0") if self._gzip else self._start + data
        if len(data) < 2:
            self._start = data
            self.whole = self.whole and not data
            return b""
        self._start = b""
        self._inflate = zlib.decompressobj(_window_bits(data, gzip=self._gzip))
        return data


class _Zstd:
    """`zstd`; several frames in a row are one body."""

    def __init__(self) -> None:
        self._frame = self._new_frame()
        self.whole = True

    @staticmethod
    def _new_frame() -> zstd.ZstdDecompressor:
        return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW})

    def feed(self, data: bytes) -> Iterator[bytes]:
        more = bool(data)
        while more:
            try:
                piece = self._frame.decompress(data, PIECE)
            except zstd.ZstdError as error:
                raise Corrupt(str(error)) from error
            if piece:
                yield piece
            self.whole = self._frame.eof
            data, more = b"", not self._frame.needs_input
            if self._frame.eof:
                data = self._frame.unused_data
                more = bool(data)
                self._frame = self._new_frame()


_CODINGS: Final[dict[str, Callable[[], _Coding]]] = {
    "gzip": lambda: _Zlib(gzip=True),
    "x-gzip": lambda: _Zlib(gzip=True),
    "deflate": lambda: _Zlib(gzip=False),
    "zstd": _Zstd,
}


class Decoder:
    """Decodes one body piece by piece, whatever row of codings was put on it."""

    def __init__(self, codings: list[_Coding]) -> None:
        self._codings = codings

    @property
    def whole(self) -> bool:
        """Whether the body is complete as far as its codings can tell."""
        return all(coding.whole for coding in self._codings)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the next decoded bytes in pieces. Raises Corrupt."""
        yield from self._through(self._codings, data)

    def _through(self, codings: list[_Coding], data: bytes) -> Iterator[bytes]:
        if not codings:
            yield data
            return
        for piece in codings[0].feed(data):
            yield from self._through(codings[1:], piece)


def decoder(content_encoding: str) -> Decoder | None:
    """Return a decoder for a `content-encoding` value; None when it names a coding we cannot read."""
    names = [name.strip().lower() for name in content_encoding.split(",")]
    makers = [_CODINGS.get(name) for name in names if name not in ("", "identity")]
    # Codings are listed in the order of their use, hence undone from the last one.
    codings = [maker() for maker in reversed(makers) if maker is not None]
    return Decoder(codings) if len(codings) == len(makers) else None


def decoded(body: bytes, content_encoding: str, limit: int) -> bytes | None:
    """Return a request body without its content codings; None when one of them is unknown.

    Raises:
        BodyTooLarge: more than `limit` bytes would come out.
        InvalidRequest: the bytes are not what the coding says, or end too early.
    """
    reader = decoder(content_encoding)
    if reader is None:
        return None
    out = bytearray()
    try:
        for piece in reader.feed(body):
            out += piece
            if len(out) > limit:
                raise BodyTooLarge(f"The body decodes ({content_encoding}) to more than {limit:,} bytes.")
    except Corrupt as error:
        raise InvalidRequest(f"The body is not valid {content_encoding}: {error}.") from error
    if not reader.whole:
        raise InvalidRequest(f"The body ends in the middle of its {content_encoding} data.")
    return bytes(out)


def beginning(body: bytes, content_encoding: str, limit: int) -> bytes:
    """Return up to `limit` decoded bytes of a body that may be cut, broken or of an unknown coding.

    What cannot be decoded comes back as it is.
    """
    reader = decoder(content_encoding)
    if reader is None:
        return body[:limit]
    out = bytearray()
    try:
        for piece in reader.feed(body):
            out += piece
            if len(out) >= limit:
                break
    except Corrupt:
        pass
    return bytes(out[:limit]) or body[:limit]


def _window_bits(start: bytes, *, gzip: bool) -> int:
    """How zlib is to read this; some send `deflate` bare, without the wrapping RFC 9110 §8.4.1 demands."""
    if gzip:
        return zlib.MAX_WBITS | 16
    wrapped = start[0] & 0x0F == zlib.DEFLATED and (start[0] << 8 | start[1]) % 31 == 0
    return zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS
