"""A whole Chat answer: read by the same machine as a stream, of which it is one large chunk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from shunt.errors import UpstreamUnexpected
from shunt.inference.collect import collect
from shunt.inference.response import Answer
from shunt.protocols.failures import told
from shunt.protocols.openai_chat.stream_decoder import ChatStreamDecoder
from shunt.wire import json

_COMPLETE: Final[dict[str, Any]] = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
"""Makes up for a finish reason that some servers leave out: the answer is whole, or it would be no JSON."""


def decode_answer(document: Mapping[str, Any]) -> Answer:
    """Read a plain answer. Raises UpstreamUnexpected when it is none."""
    choices = document.get("choices")
    told_one = isinstance(choices, list) and any(map(_is_answer, choices))
    if document.get("error") or not told_one:
        message = told(json.encode(document)).message
        raise UpstreamUnexpected(message or "The upstream's answer holds no choices.")
    decoder = ChatStreamDecoder(whole=True)
    decoder.take(dict(document))
    decoder.take(_COMPLETE)
    answer = collect(decoder.close())
    if isinstance(answer, Answer):
        return answer
    raise UpstreamUnexpected(answer.message)


def _is_answer(choice: Any) -> bool:
    return isinstance(choice, dict) and any(isinstance(choice.get(key), dict) for key in ("message", "delta"))
