"""A tap for a stream that may turn out to be of another protocol than was asked for.

Some servers answer a call of one protocol with a stream of another. The first event that says what it is
decides who reads along; such an answer is no answer to the client until it is put into the client's words.
"""

from __future__ import annotations

from attrs import define, field

from shunt.inference.failure import Failure
from shunt.inference.usage import Usage
from shunt.protocols import protocol_named, speaker_of
from shunt.protocols.base import Tap
from shunt.wire import sse

MOST = 256 * 1024
"""Bytes within which a stream says what it is."""


@define(eq=False)
class Listening:
    """Reads along as the protocol that was asked for, until the stream is known to be of another."""

    spoken: str
    """Name of the protocol that the stream is (so far) taken for."""
    _tap: Tap = field(init=False)
    _kept: bytearray | None = field(init=False, factory=bytearray)
    """Everything so far, until it is known what it is."""
    _events: sse.Decoder = field(init=False, factory=sse.Decoder)

    def __attrs_post_init__(self) -> None:
        self._tap = protocol_named(self.spoken).stream_tap()

    @property
    def content(self) -> bool:
        """Whether an event that carries (or opens) content has passed."""
        return self._tap.content

    @property
    def finished(self) -> bool:
        """Whether the terminal event has passed."""
        return self._tap.finished

    @property
    def pending(self) -> int:
        """Bytes fed last that belong to an event that is not complete yet."""
        return self._tap.pending

    @property
    def failure(self) -> Failure | None:
        """The error event that has passed, if one has."""
        return self._tap.failure

    @property
    def usage(self) -> Usage:
        """Tokens read so far."""
        return self._tap.usage

    @property
    def model(self) -> str:
        """Model named by the answer, empty until known."""
        return self._tap.model

    @property
    def reader(self) -> Tap:
        """Who reads along."""
        return self._tap

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes, in any chunking."""
        if self._kept is None:
            self._tap.feed(chunk)
            return
        self._tap.feed(chunk)
        self._kept += chunk
        speaker = self._told(chunk)
        if speaker and speaker != self.spoken:
            self.spoken, self._tap = speaker, protocol_named(speaker).stream_tap()
            self._tap.feed(bytes(self._kept))
        if speaker or self._tap.content or len(self._kept) > MOST:
            self._kept = None

    def close(self) -> None:
        """The answer has ended."""
        self._tap.close()

    def _told(self, chunk: bytes) -> str:
        """The protocol that the next events are of; empty while none says."""
        found = (speaker_of(data) for event in self._events.feed(chunk) if (data := event.data))
        return next(filter(None, found), "")
