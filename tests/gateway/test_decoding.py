from __future__ import annotations

import gzip

import pytest

from shunt.gateway import decoding
from shunt.gateway.decoding import DecodingTap
from shunt.protocols import protocol_named
from shunt.wire.encoding import decoder
from tests.fakes import anthropic

STREAM = b"".join(
    (*anthropic.opening_events(), *anthropic.text_events(["hello"]), *anthropic.closing_events())
)


def tap(encoding: str) -> DecodingTap:
    return DecodingTap(protocol_named("anthropic-messages").stream_tap(), decoder(encoding))


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_compressed_answer_is_read_along(size: int) -> None:
    """Usage, content and end are seen through gzip, however it is cut."""
    packed = gzip.compress(STREAM)
    reading = tap("gzip")
    for at in range(0, len(packed), size):
        reading.feed(packed[at : at + size])
    reading.close()
    assert (reading.content, reading.finished, reading.failure) == (True, True, None)
    assert (reading.usage.input, reading.usage.output) == (10, 5)
    assert reading.pending == 0


@pytest.mark.parametrize("encoding", ["br", "gzip"])
def test_what_cannot_be_read_counts_as_content(encoding: str) -> None:
    """An unknown or broken coding is passed on unread: never replayed, never called truncated."""
    reading = tap(encoding)
    reading.feed(b"\x00 not of this coding")
    assert (reading.content, reading.finished) == (True, True)


def test_a_bomb_is_not_unfolded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading along stops at a bound; the bytes themselves pass on regardless."""
    monkeypatch.setattr(decoding, "MOST", 1000)
    reading = tap("gzip")
    reading.feed(gzip.compress(b": " + b"x" * 1_000_000 + b"\n\n"))
    assert reading.content
