"""OpenAI Responses, as one record."""

from __future__ import annotations

from typing import Final

from shunt.protocols.base import Protocol, Sketch
from shunt.protocols.openai_errors import decode_error, encode_error
from shunt.protocols.openai_responses.codec import CODEC
from shunt.protocols.openai_responses.errors import encode_break, encode_held_error, encode_stream_error
from shunt.protocols.openai_responses.keep_alive import held_keep_alive, keep_alive
from shunt.protocols.openai_responses.outline import outline
from shunt.protocols.openai_responses.tap import ResponsesStreamTap, body_tap


def recognises(sketch: Sketch) -> bool:
    """Whether this is an answer of this protocol, or the beginning of one."""
    return sketch.object == "response" or sketch.type.startswith("response.")


PROTOCOL: Final = Protocol(
    name="openai-responses",
    codec=CODEC,
    recognises=recognises,
    title="OpenAI Responses",
    path="/v1/responses",
    outline=outline,
    encode_error=encode_error,
    encode_stream_error=encode_stream_error,
    decode_error=decode_error,
    keep_alive=keep_alive,
    stream_tap=ResponsesStreamTap,
    body_tap=body_tap,
    # Codex has borne 118 s of silence; tunnels in front of it often cut at 100 to 120 s.
    hold_silent=100.0,
    encode_held_error=encode_held_error,
    encode_break=encode_break,
    held_keep_alive=held_keep_alive,
)
