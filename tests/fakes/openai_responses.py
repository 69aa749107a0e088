"""Answers of a Responses API, ready to put into a script."""

from __future__ import annotations

import json
from typing import Any

from tests.fakes.http1 import Headers
from tests.fakes.upstream import Answer, Framing

MODEL = "gpt-5.5"
JSON_HEADERS: Headers = ((b"Content-Type", b"application/json"), (b"x-request-id", b"req_resp01"))
STREAM_HEADERS: Headers = (
    (b"Content-Type", b"text/event-stream; charset=utf-8"),
    (b"x-request-id", b"req_resp01"),
)
USAGE = {
    "input_tokens": 10,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 15,
}
Item = dict[str, Any]


def message_item(text: str) -> Item:
    """Words of the model."""
    part = {"type": "output_text", "text": text, "annotations": []}
    return {
        "type": "message",
        "id": "msg_test01",
        "role": "assistant",
        "status": "completed",
        "content": [part],
    }


def call_item(name: str, arguments: dict[str, Any]) -> Item:
    """A function call of the model."""
    return {
        "type": "function_call",
        "id": "fc_test01",
        "call_id": "call_test01",
        "name": name,
        "arguments": json.dumps(arguments),
        "status": "completed",
    }


def document(*items: Item, status: str = "completed") -> Item:
    """A whole response."""
    return {
        "id": "resp_test01",
        "object": "response",
        "created_at": 1_700_000_000,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": MODEL,
        "output": list(items),
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": USAGE if status == "completed" else None,
    }


def plain(item: Item, headers: Headers = ()) -> Answer:
    """A response of one item, in one piece."""
    return Answer(200, (*JSON_HEADERS, *headers), (json.dumps(document(item)).encode(),))


def stream(item: Item, headers: Headers = ()) -> Answer:
    """A streamed response of one item."""
    pieces = _message_events(item) if item["type"] == "message" else _call_events(item)
    started = document(status="in_progress")
    events = (
        ("response.created", {"response": started}),
        ("response.in_progress", {"response": started}),
        *((f"response.{kind}", fields) for kind, fields in pieces),
        ("response.output_item.done", {"output_index": 0, "item": item}),
        ("response.completed", {"response": document(item)}),
    )
    steps = tuple(_event(kind, n, fields) for n, (kind, fields) in enumerate(events))
    return Answer(200, (*STREAM_HEADERS, *headers), steps, Framing.CHUNKED)


def _event(kind: str, number: int, fields: Item) -> bytes:
    data = json.dumps({"type": kind, "sequence_number": number, **fields})
    return f"event: {kind}\ndata: {data}\n\n".encode()


def _halves(text: str) -> tuple[str, str]:
    return text[: len(text) // 2], text[len(text) // 2 :]


def _message_events(item: Item) -> list[tuple[str, Item]]:
    at = {"item_id": item["id"], "output_index": 0, "content_index": 0}
    part = item["content"][0]
    opened = {**item, "status": "in_progress", "content": []}
    return [
        ("output_item.added", {"output_index": 0, "item": opened}),
        ("content_part.added", {**at, "part": {**part, "text": ""}}),
        *(("output_text.delta", {**at, "delta": it, "logprobs": []}) for it in _halves(part["text"])),
        ("output_text.done", {**at, "text": part["text"], "logprobs": []}),
        ("content_part.done", {**at, "part": part}),
    ]


def _call_events(item: Item) -> list[tuple[str, Item]]:
    at = {"item_id": item["id"], "output_index": 0}
    opened = {**item, "status": "in_progress", "arguments": ""}
    return [
        ("output_item.added", {"output_index": 0, "item": opened}),
        *(("function_call_arguments.delta", {**at, "delta": it}) for it in _halves(item["arguments"])),
        ("function_call_arguments.done", {**at, "name": item["name"], "arguments": item["arguments"]}),
    ]
