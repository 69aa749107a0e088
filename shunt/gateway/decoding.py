"""Answers that came compressed although plain bytes were asked for: reading along, and taking them apart."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define

from shunt.errors import UpstreamBroke, UpstreamUnexpected
from shunt.inference.failure import Failure
from shunt.inference.usage import Usage
from shunt.protocols.base import Tap
from shunt.wire.encoding import Corrupt, Decoder, decoder

Unfold = Callable[[bytes], bytes]
"""The next bytes of an answer without its content codings. Raises UpstreamBroke."""

MOST = 256 * 1024 * 1024
"""Decoded bytes looked at; a bomb is passed on as it came, and no longer read."""


@define(eq=False)
class DecodingTap:
    """Feeds another tap with the decoded bytes. What cannot be decoded is passed on unread."""

    _tap: Tap
    _decoder: Decoder | None
    _size: int = 0
    _blind: bool = False
    """The bytes can (no longer) be read: trust their end."""

    @property
    def content(self) -> bool:
        """Whether content has passed; unreadable bytes count as content."""
        return self._tap.content or self._blind

    @property
    def finished(self) -> bool:
        """Whether the terminal event has passed."""
        return self._tap.finished or self._blind

    @property
    def pending(self) -> int:
        """Nothing can be held back of what is not read as it came."""
        return 0

    @property
    def failure(self) -> Failure | None:
        """An error event that has passed."""
        return self._tap.failure

    @property
    def usage(self) -> Usage:
        """Tokens read so far."""
        return self._tap.usage

    @property
    def model(self) -> str:
        """Model named by the answer."""
        return self._tap.model

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes as they came."""
        if self._decoder is None:
            self._blind = True
        if self._blind or self._decoder is None:
            return
        try:
            for piece in self._decoder.feed(chunk):
                self._size += len(piece)
                if self._size > MOST:
                    self._blind = True
                    return
                self._tap.feed(piece)
        except Corrupt:
            self._blind = True

    def close(self) -> None:
        """The answer has ended."""
        self._tap.close()


def unfolding(coding: str, most: int = 64 * 1024 * 1024) -> Unfold:
    """How to read an answer in this coding. Raises UpstreamUnexpected for one that is not known here.

    So do the bytes it is given, where more than `most` would come out of them at once: a bomb.
    """
    if not coding:
        return bytes
    found = decoder(coding)
    if found is None:
        raise UpstreamUnexpected(
            f"the upstream's answer is in a coding that was not asked for: {coding[:40]}"
        )

    def unfold(chunk: bytes) -> bytes:
        out = bytearray()
        try:
            for piece in found.feed(chunk):
                out += piece
                if len(out) > most:
                    out.clear()  # whoever keeps the error must not keep the bomb
                    raise UpstreamUnexpected(f"the upstream's answer unpacks to more than {most:,} bytes")
            return bytes(out)
        except Corrupt as error:
            raise UpstreamBroke(f"the upstream's answer is no {coding[:40]}") from error

    return unfold
