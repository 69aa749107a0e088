"""OpenAI Chat Completions, as one record."""

from __future__ import annotations

from typing import Final

from shunt.protocols.base import Protocol, Sketch
from shunt.protocols.openai_chat.codec import CODEC
from shunt.protocols.openai_chat.errors import encode_stream_error
from shunt.protocols.openai_chat.outline import outline
from shunt.protocols.openai_chat.tap import ChatStreamTap, body_tap
from shunt.protocols.openai_errors import decode_error, encode_error
from shunt.wire import sse

_COMMENT: Final = sse.comment("keep-alive")


def keep_alive(nth: int) -> bytes:
    """Write a comment: the SDKs raise on any event without a chunk in it."""
    del nth
    return _COMMENT


def recognises(sketch: Sketch) -> bool:
    """Whether this is an answer of this protocol, or the beginning of one."""
    return sketch.has_choices and not sketch.type.startswith("response.")


PROTOCOL: Final = Protocol(
    name="openai-chat",
    title="OpenAI Chat Completions",
    path="/v1/chat/completions",
    outline=outline,
    encode_error=encode_error,
    encode_stream_error=encode_stream_error,
    decode_error=decode_error,
    keep_alive=keep_alive,
    stream_tap=ChatStreamTap,
    body_tap=body_tap,
    # Clients of this protocol vary; tunnels and gateways in front of it often cut at 100 to 120 s.
    hold_silent=100.0,
    codec=CODEC,
    recognises=recognises,
)
