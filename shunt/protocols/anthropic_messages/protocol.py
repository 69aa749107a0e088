"""Anthropic Messages, as one record."""

from __future__ import annotations

from typing import Final

from shunt.protocols.anthropic_messages.codec import CODEC
from shunt.protocols.anthropic_messages.errors import decode_error, encode_error, encode_stream_error
from shunt.protocols.anthropic_messages.outline import outline
from shunt.protocols.anthropic_messages.tap import MessagesStreamTap, body_tap
from shunt.protocols.base import Protocol, Sketch
from shunt.wire import sse

_PING: Final = sse.encode("ping", b'{"type": "ping"}')


def keep_alive(nth: int) -> bytes:
    """Write the vendor's own keep-alive; Claude Code's idle timer counts it."""
    del nth
    return _PING


def recognises(sketch: Sketch) -> bool:
    """Whether this is an answer of this protocol, or the beginning of one."""
    return sketch.type in ("message", "message_start")


PROTOCOL: Final = Protocol(
    name="anthropic-messages",
    codec=CODEC,
    recognises=recognises,
    title="Anthropic Messages",
    path="/v1/messages",
    outline=outline,
    encode_error=encode_error,
    encode_stream_error=encode_stream_error,
    decode_error=decode_error,
    keep_alive=keep_alive,
    stream_tap=MessagesStreamTap,
    body_tap=body_tap,
    # Claude Code waits 360 s for headers, then asks again; SDKs 600 s.
    hold_silent=240.0,
)
