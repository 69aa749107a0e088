"""Answers for a client."""

from __future__ import annotations

import warnings
from typing import Any

from anthropic.types import Message
from hypothesis import given

from shunt.inference.content import (
    Carriage,
    Foreign,
    HostedCall,
    HostedResult,
    Image,
    Media,
    Part,
    Refusal,
    Text,
    Thinking,
    ToolCall,
)
from shunt.inference.names import MESSAGES_LONGEST, wire_names
from shunt.inference.request import GenerateRequest, Tool
from shunt.inference.response import Answer, Stop
from shunt.inference.usage import Usage
from shunt.protocols.anthropic_messages.read_answer import read_answer
from shunt.protocols.anthropic_messages.write_answer import (
    counted,
    envelope,
    message_id,
    missed,
    with_results,
    write_answer,
)
from shunt.protocols.codec import Encoded
from tests.inference import grammar

REQUEST = GenerateRequest("claude-x", tools=(Tool("fs.read"),))
SENT = wire_names(REQUEST, MESSAGES_LONGEST)["", "fs.read"]
SEARCH = HostedCall("ws", "web_search", '{"query":"q"}')


def answering(*parts: Part, **fields: Any) -> Answer:
    return Answer("chatcmpl-1", "gpt-up", parts, **{"stop": Stop.END_TURN, **fields})


def test_a_whole_answer() -> None:
    """It is called what the client called it, holds no empty block, and always counts."""
    answer = answering(
        Thinking("hm"),
        Text(""),
        Text("a"),
        ToolCall("c", SENT),
        stop=Stop.TOOL_USE,
        usage=Usage(3, 2, output=5),
    )
    document = write_answer(answer, REQUEST, "req_9").document
    assert document == {
        "id": "msg_9",
        "type": "message",
        "role": "assistant",
        "model": "claude-x",
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": ""},
            {"type": "text", "text": "a"},
            {"type": "tool_use", "id": "c", "name": "fs.read", "input": {}},
        ],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 3,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 2,
            "output_tokens": 5,
        },
    }


def test_web_searches_are_counted_and_have_results() -> None:
    """Clients print the number, and want a result with every search."""
    document = write_answer(answering(SEARCH, Text("found")), REQUEST, "req_9").document
    assert [block["type"] for block in document["content"]] == [
        "server_tool_use",
        "web_search_tool_result",
        "text",
    ]
    assert document["usage"]["server_tool_use"]["web_search_requests"] == 1


def test_what_cannot_be_shown_is_reported() -> None:
    """Parts without a block, and a reason nobody knows."""
    image = Image(Media(Carriage.URL, "u"))
    foreign = Foreign("openai-responses", "mcp_list_tools", {})
    answer = answering(image, foreign, HostedCall("f", "file_search"), Text(""), unknown_stop="novel")
    assert write_answer(answer, REQUEST, "req_9") == Encoded(
        {
            **envelope("msg_9", "claude-x"),
            "content": [],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": {
                "input_tokens": 0,
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0,
                "output_tokens": 0,
            },
        },
        ("stop_reason", "image", "mcp_list_tools", "file_search"),
    )
    assert missed(HostedResult("f", "code_interpreter")) == "code_interpreter"


def test_only_searches_without_result_get_one() -> None:
    """An empty result directly after the search, also at the very end."""
    found, other = HostedResult("ws", "web_search"), HostedCall("f", "file_search")
    assert list(with_results([SEARCH, found, other])) == [SEARCH, found, other]
    assert list(with_results([SEARCH, Text("a"), SEARCH])) == [SEARCH, found, Text("a"), SEARCH, found]


def test_ids_and_counts() -> None:
    """Anthropic's own ids and counts are kept."""
    assert message_id("msg_up", "req_9") == "msg_up"
    assert message_id("resp_1", "req_9") == "msg_9"
    assert counted(Usage(web_searches=3), 1).web_searches == 3


@given(grammar.answers(broken=True))
def test_the_sdk_takes_every_answer(answer: Answer) -> None:
    """Whatever the parts, the official SDK's own model reads the document, and no block is empty."""
    document = write_answer(answer, REQUEST, "req_9").document
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        message = Message.model_validate(document)
    assert message.stop_reason
    assert all(block.text.strip() for block in message.content if block.type == "text")
    assert all(isinstance(block.input, dict) for block in message.content if block.type == "tool_use")


@given(grammar.answers())
def test_what_both_sides_can_say_survives(answer: Answer) -> None:
    """Texts and calls come back as they were."""
    again = read_answer(write_answer(answer, REQUEST, "req_9").document)
    texts = [p.text for p in answer.parts if isinstance(p, (Text, Refusal)) and p.text.strip()]
    assert [p.text for p in again.parts if isinstance(p, Text)] == texts
    calls = [(p.id, p.name) for p in answer.parts if isinstance(p, ToolCall)]
    assert [(p.id, p.name) for p in again.parts if isinstance(p, ToolCall)] == calls
    assert again.stop is answer.stop
    assert (again.usage.input, again.usage.output, again.usage.cache_write) == (
        answer.usage.input,
        answer.usage.output,
        answer.usage.cache_write,
    )
