"""What every protocol offers to the rooms above it. A protocol is one folder and one name in PROTOCOLS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol as Shape

from attrs import frozen

from shunt.inference.failure import Failure
from shunt.inference.inbound import Outline
from shunt.inference.usage import Usage
from shunt.protocols.codec import Codec
from shunt.wire.headers import Headers


class Tap(Shape):
    """Reads a copy of an answer on its way to the client; changes nothing, never raises.

    Parses only the few events that carry usage, errors or the end. Bounded memory for any input.
    """

    @property
    def content(self) -> bool:
        """Whether an event that carries (or opens) content has passed: no replay from here on."""

    @property
    def finished(self) -> bool:
        """Whether the protocol's terminal event has passed."""

    @property
    def pending(self) -> int:
        """Bytes fed last that belong to an event that is not complete yet; 0 for a plain body."""

    @property
    def failure(self) -> Failure | None:
        """The error event that has passed, if one has."""

    @property
    def usage(self) -> Usage:
        """Tokens read so far."""

    @property
    def model(self) -> str:
        """Model named by the answer, empty until known."""

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes, in any chunking."""

    def close(self) -> None:
        """The answer has ended; take what is left in the buffer."""


@frozen
class Sketch:
    """What a JSON object says of its own kind."""

    type: str = ""
    object: str = ""
    has_choices: bool = False


@frozen
class ErrorReply:
    """An error as bytes of one protocol."""

    status: int
    headers: Headers
    body: bytes


@frozen
class Protocol:
    """One client protocol."""

    name: str
    """`anthropic-messages`, `openai-chat` or `openai-responses`."""
    title: str
    """For people."""
    path: str
    """Where its generate calls go, `/v1/messages`."""
    codec: Codec
    """To and from the shared vocabulary."""
    outline: Callable[[bytes], Outline]
    """Facts about a decoded request body. Raises InvalidRequest when it is not a request."""
    encode_error: Callable[[Failure], ErrorReply]
    """A whole error response."""
    encode_stream_error: Callable[[Failure], bytes]
    """The event(s) that end a stream that has already begun with this failure."""
    decode_error: Callable[[int, Headers, bytes], Failure]
    """An upstream's error answer as a failure (kind, message, code)."""
    keep_alive: Callable[[int], bytes]
    """The n-th keep-alive (from 0) of a stream whose answer has not begun."""
    stream_tap: Callable[[], Tap]
    """For a text/event-stream answer."""
    body_tap: Callable[[], Tap]
    """For a JSON answer."""
    hold_silent: float
    """Seconds a local client of this protocol bears without any byte of a response."""
    recognises: Callable[[Sketch], bool]
    """Whether a plain answer, or an event of a streamed one, is of this protocol."""
    encode_held_error: Callable[[Failure], bytes] | None = None
    """The same for a stream that has carried nothing but keep-alives, where that differs."""
    encode_break: Callable[[Failure, Tap | None], bytes] | None = None
    """The same for a stream that was passed on as it came and broke, where that has to fit what the tap read."""
    held_keep_alive: Callable[[int, Headers], bytes] | None = None
    """The n-th keep-alive before anything of an answer, given the client's headers, where that differs."""

    def end_held_stream(self, failure: Failure) -> bytes:
        """The event(s) that end a stream that has carried nothing but keep-alives."""
        return (self.encode_held_error or self.encode_stream_error)(failure)

    def break_off(self, failure: Failure, tap: Tap | None) -> bytes:
        """The event(s) that end a stream that was passed on as it came and broke."""
        return (
            self.encode_stream_error(failure)
            if self.encode_break is None
            else self.encode_break(failure, tap)
        )

    def bridge(self, nth: int, headers: Headers) -> bytes:
        """The n-th keep-alive (from 0) of a stream that has carried nothing else, for a client by its headers."""
        return self.keep_alive(nth) if self.held_keep_alive is None else self.held_keep_alive(nth, headers)
