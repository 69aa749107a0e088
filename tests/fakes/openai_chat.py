"""Answers of a Chat Completions API, ready to put into a script."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from tests.fakes.http1 import Headers
from tests.fakes.upstream import Answer, Framing

MODEL = "gpt-5.5"
JSON_HEADERS: Headers = ((b"Content-Type", b"application/json"), (b"x-request-id", b"req_chat01"))
STREAM_HEADERS: Headers = (
    (b"Content-Type", b"text/event-stream; charset=utf-8"),
    (b"x-request-id", b"req_chat01"),
)
USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


def answer(message: dict[str, Any], finish: str, headers: Headers = ()) -> Answer:
    """A completion in one piece."""
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
    body = {
        "id": "chatcmpl-test01",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": MODEL,
        "choices": [choice],
        "usage": USAGE,
    }
    return Answer(200, (*JSON_HEADERS, *headers), (json.dumps(body).encode(),))


def call_of(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """One tool call."""
    function = {"name": name, "arguments": json.dumps(arguments)}
    return {"id": "call_test01", "type": "function", "function": function}


def plain(text: str = "hi", headers: Headers = ()) -> Answer:
    """Words in one piece."""
    return answer({"role": "assistant", "content": text, "refusal": None}, "stop", headers)


def plain_call(name: str, arguments: dict[str, Any]) -> Answer:
    """A tool call in one piece."""
    calls = [call_of(name, arguments)]
    return answer({"role": "assistant", "content": None, "tool_calls": calls}, "tool_calls")


def chunk(delta: dict[str, Any] | None, finish: str | None = None, **more: Any) -> bytes:
    """One event; without a delta, one that has no choices."""
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    body = {
        "id": "chatcmpl-test01",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": MODEL,
        "choices": choices,
        **more,
    }
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def chunks_answer(deltas: Iterable[dict[str, Any]], finish: str, headers: Headers = ()) -> Answer:
    """A stream of these deltas, ended properly, with usage as `include_usage` asks for."""
    steps = (
        chunk({"role": "assistant", "content": ""}),
        *map(chunk, deltas),
        chunk({}, finish),
        chunk(None, usage=USAGE),
        b"data: [DONE]\n\n",
    )
    return Answer(200, (*STREAM_HEADERS, *headers), steps, Framing.CHUNKED)


def stream(*pieces: str, headers: Headers = ()) -> Answer:
    """Streamed words, a delta per piece."""
    return chunks_answer(({"content": piece} for piece in pieces or ("hi",)), "stop", headers)


def stream_call(name: str, arguments: dict[str, Any]) -> Answer:
    """A streamed tool call, its arguments in two pieces."""
    call = call_of(name, arguments)
    text = call["function"]["arguments"]
    half = len(text) // 2
    opening = {**call, "index": 0, "function": {"name": name, "arguments": ""}}
    pieces = ({"index": 0, "function": {"arguments": it}} for it in (text[:half], text[half:]))
    return chunks_answer(({"tool_calls": [it]} for it in (opening, *pieces)), "tool_calls")
