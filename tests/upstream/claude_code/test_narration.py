"""From the program's lines to a client's stream."""

from __future__ import annotations

import json
from typing import Any

from shunt.upstream.claude_code.narration import Ended, Narration

ALIASES = {"mcp__c__look_1": "look around"}


def lines(*events: dict[str, Any]) -> list[dict[str, Any]]:
    """The program's lines around stream events."""
    start = {"type": "message_start", "message": {"id": "m", "usage": {"input_tokens": 1}}}
    return [{"type": "stream_event", "event": event} for event in (start, *events)]


def block(index: int, content: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
    """A block with its deltas."""
    return [
        {"type": "content_block_start", "index": index, "content_block": content},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def words(text: str) -> dict[str, Any]:
    """A piece of text."""
    return {"type": "text_delta", "text": text}


def ending(reason: str) -> list[dict[str, Any]]:
    """The end of a message."""
    return [
        {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 2}},
        {"type": "message_stop"},
    ]


def told(narration: Narration, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the client gets."""
    out = b"".join(data for message in messages for data in narration.feed(message))
    return [json.loads(line[6:]) for line in out.decode().splitlines() if line.startswith("data: ")]


EMPTY = {"type": "text", "text": ""}


def test_text_and_thinking_pass() -> None:
    """In their order, with dense indexes; the message is kept for the conversation's digest."""
    thinking = {"type": "thinking", "thinking": "", "signature": ""}
    narration = Narration(ALIASES)
    events = told(
        narration,
        lines(
            *block(0, thinking, {"type": "thinking_delta", "thinking": "hm"}),
            *block(1, EMPTY, words("a"), words("b")),
            *ending("end_turn"),
        ),
    )
    assert [event.get("index") for event in events] == [None, 0, 0, 0, 1, 1, 1, 1, None, None]
    assert narration.content[1] == {"type": "text", "text": "ab"}
    assert (narration.finished, narration.stop_reason, narration.characters) == (True, "end_turn", 4)


def test_tools_get_their_own_names_back() -> None:
    """And their calls are remembered by id, with the arguments that came."""
    call = {"type": "tool_use", "id": "t1", "name": "mcp__c__look_1", "input": {}}
    narration = Narration(ALIASES)
    partial = {"type": "input_json_delta", "partial_json": '{"x": 1}'}
    events = told(narration, lines(*block(0, call, partial), *ending("tool_use")))
    assert events[1]["content_block"]["name"] == "look around"
    assert (narration.calls, narration.strangers) == (["t1"], False)
    assert narration.content == [{"type": "tool_use", "id": "t1", "name": "look around", "input": {"x": 1}}]


def test_a_strange_tool_is_noticed() -> None:
    """The program answers such a call by itself, so nobody may wait for the client."""
    call = {"type": "tool_use", "id": "t1", "name": "Bash", "input": {}}
    narration = Narration(ALIASES)
    told(narration, lines(*block(0, call), *ending("tool_use")))
    assert narration.strangers


def test_an_answer_with_a_schema_is_text() -> None:
    """The program carries it as a tool's arguments."""
    call = {"type": "tool_use", "id": "t1", "name": "StructuredOutput", "input": {}}
    narration = Narration({})
    pieces = ({"type": "input_json_delta", "partial_json": piece} for piece in ('{"a"', ":1}"))
    events = told(narration, lines(*block(0, call, *pieces), *ending("tool_use")))
    assert events[1]["content_block"] == EMPTY
    assert "".join(event["delta"]["text"] for event in events[2:4]) == '{"a":1}'
    assert events[-2]["delta"]["stop_reason"] == "end_turn"


def test_a_call_written_as_text_becomes_one() -> None:
    """In a block of its own between the texts, and the message ends for its sake."""
    narration = Narration({"mcp__c__look": "look"})
    text = 'So: <tool_use>{"name":"look","input":{"x":1}}</tool_use>'
    events = told(narration, lines(*block(0, EMPTY, words(text[:9]), words(text[9:])), *ending("end_turn")))
    started = [event["content_block"] for event in events if event["type"] == "content_block_start"]
    assert [it["type"] for it in started] == ["text", "tool_use"]
    assert [event["index"] for event in events if event["type"] == "content_block_stop"] == [0, 1]
    assert events[-2]["delta"]["stop_reason"] == "tool_use"


def test_empty_text_makes_no_block() -> None:
    """Clients store it and cannot send it back."""
    events = told(Narration({}), lines(*block(0, EMPTY), *ending("end_turn")))
    assert [event["type"] for event in events] == ["message_start", "message_delta", "message_stop"]


def test_one_request_one_message() -> None:
    """What the program asks and does behind the answer is not the client's."""
    narration = Narration({})
    more = lines(*block(0, EMPTY, words("again")), *ending("end_turn"))
    told(narration, lines(*block(0, EMPTY, words("a")), *ending("max_tokens")))
    assert told(narration, more) == []
    assert narration.stop_reason == "max_tokens"


def test_a_subagents_words_are_left_out() -> None:
    """They belong to a conversation inside the program."""
    inner = {**lines()[0], "parent_tool_use_id": "t9"}
    assert told(Narration({}), [inner]) == []


def test_failures_are_gathered() -> None:
    """The word for the error, its text and the vendor's status, from the lines that tell them."""
    narration = Narration({})
    synthetic = {"model": "<synthetic>", "content": [{"type": "text", "text": "API Error: 429"}]}
    told(
        narration,
        [
            {"type": "rate_limit_event", "rate_limit_info": {"status": "rejected"}},
            {"type": "assistant", "message": synthetic, "error": "rate_limit"},
            {"type": "result", "is_error": True, "subtype": "success", "api_error_status": 429},
        ],
    )
    assert narration.ended == Ended(429, "rate_limit", "API Error: 429")
    assert narration.limits == [{"status": "rejected"}]


def test_words_before_a_message_are_ignored() -> None:
    """A delta without a message belongs to nothing."""
    assert told(Narration({}), lines(*block(0, EMPTY, words("x")))[1:]) == []
