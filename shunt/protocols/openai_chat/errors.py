"""How a Chat Completions stream ends in an error; whole error answers are OpenAI's own in both protocols."""

from __future__ import annotations

from shunt.inference.failure import Failure
from shunt.protocols.openai_errors import document
from shunt.wire import json, sse


def encode_stream_error(failure: Failure) -> bytes:
    """The chunk that every client raises on. No finish reason and no `[DONE]`: they would mean success."""
    return sse.encode("", json.encode(document(failure)))
