"""A vendor's Responses events, and what the decoder makes of them, for the tests of this folder."""

from __future__ import annotations

from typing import Any

from shunt.inference.collect import collect
from shunt.inference.events import Event
from shunt.inference.failure import Failure
from shunt.inference.response import Answer
from shunt.protocols.openai_responses.stream_decoder import ResponsesStreamDecoder
from shunt.wire import sse
from tests.inference import grammar
from tests.protocols.openai_responses.client import encoded

Item = dict[str, Any]
USAGE = {
    "input_tokens": 100,
    "input_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 10},
    "output_tokens": 9,
    "output_tokens_details": {"reasoning_tokens": 4},
}


def ev(kind: str, **fields: Any) -> Item:
    return {"type": kind, **fields}


def response(status: str = "completed", output: list[Any] | None = None, **fields: Any) -> Item:
    return {
        "id": "resp_up",
        "model": "gpt-up",
        "created_at": 1_700_000_000,
        "status": status,
        "output": output or [],
        **fields,
    }


CREATED = ev("response.created", response=response("in_progress"))
COMPLETED = ev("response.completed", response=response(usage=USAGE))


def message(*texts: str, **fields: Any) -> Item:
    content = [{"type": "output_text", "text": text, "annotations": []} for text in texts]
    return {"type": "message", "id": "msg_1", "role": "assistant", "content": content, **fields}


def call(call_id: str = "call_a", arguments: str = '{"x":1}', **fields: Any) -> Item:
    return {
        "type": "function_call",
        "id": f"fc_{call_id}",
        "call_id": call_id,
        "name": "f",
        "arguments": arguments,
        **fields,
    }


def added(item: Item, index: int = 0) -> Item:
    empty: Item = (
        {"content": []} if item["type"] == "message" else {"arguments": ""} if "arguments" in item else {}
    )
    return ev("response.output_item.added", output_index=index, item={**item, **empty})


def done(item: Item, index: int = 0) -> Item:
    return ev("response.output_item.done", output_index=index, item=item)


def delta(words: str, index: int = 0, part: int = 0, stem: str = "output_text") -> Item:
    return ev(f"response.{stem}.delta", output_index=index, content_index=part, delta=words)


def decoded(*events: Item) -> list[Event]:
    decoder = ResponsesStreamDecoder()
    found: list[Event] = []
    for event in sse.Decoder().feed(encoded(events)):
        found += decoder.feed(event.name, event.data or b"")
    found += decoder.close()
    grammar.check(found)
    return found


def answered(*events: Item) -> Answer:
    found = collect(decoded(*events))
    assert isinstance(found, Answer), found
    return found


def failed(*events: Item) -> Failure:
    found = collect(decoded(*events))
    assert isinstance(found, Failure), found
    return found


def reasoning(*summary: str, **fields: Any) -> Item:
    parts = [{"type": "summary_text", "text": text} for text in summary]
    return {"type": "reasoning", "id": "rs_1", "summary": parts, **fields}


def summed(words: str, part: int = 0) -> Item:
    return ev("response.reasoning_summary_text.delta", output_index=0, summary_index=part, delta=words)


def arguments(piece: str, index: int = 0) -> Item:
    return ev("response.function_call_arguments.delta", output_index=index, item_id="x", delta=piece)
