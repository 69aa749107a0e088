"""Whole Chat answers, read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings

from shunt.errors import UpstreamUnexpected
from shunt.inference.content import HostedCall, HostedResult, Text, Thinking, ToolCall
from shunt.inference.request import GenerateRequest
from shunt.inference.response import Answer, Stop
from shunt.inference.usage import Usage
from shunt.protocols.openai_chat.decode_answer import decode_answer
from shunt.protocols.openai_chat.encode_answer import encode_answer
from tests.inference.grammar import answers

ASK = GenerateRequest(model="m", protocol="openai-chat")


def document(message: dict[str, Any], finish: str | None = "stop", **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 17,
        "model": "m",
        "choices": [choice],
        **more,
    }


def test_answer() -> None:
    """Thinking, words and calls in this order, with usage."""
    call = {"id": "call_a", "type": "function", "function": {"name": "f", "arguments": {"x": 1}}}
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    got = decode_answer(
        document({"reasoning_content": "hm", "content": "a", "tool_calls": [call]}, "tool_calls", usage=usage)
    )
    assert [type(part) for part in got.parts] == [Thinking, Text, ToolCall]
    assert got.parts[1:] == (Text("a"), ToolCall("call_a", "f", '{"x":1}'))
    assert (got.id, got.model, got.created, got.stop, got.usage) == (
        "chatcmpl-1",
        "m",
        17,
        Stop.TOOL_USE,
        Usage(input=10, output=5),
    )


@pytest.mark.parametrize("content", ["", None])
def test_empty(content: str | None) -> None:
    """An answer without a word has no parts."""
    assert decode_answer(document({"content": content})).parts == ()


def test_no_finish_reason() -> None:
    """A whole answer is whole, though its server does not say why it stopped."""
    assert decode_answer(document({"content": ""}, None)).stop is Stop.END_TURN
    assert decode_answer(document({"content": "x"}, None)).parts == (Text("x"),)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({}, "choices"),
        ({"choices": []}, "choices"),
        ({"choices": "x"}, "choices"),
        ({"choices": [7]}, "choices"),
        ({"choices": [{"message": None}]}, "choices"),
        ({"error": {"message": "boom"}}, "boom"),
        ({"detail": "Unsupported parameter: x"}, "Unsupported parameter: x"),
        (document({"content": "x"}, "error"), "gave up"),
    ],
)
def test_no_answer(answer: dict[str, Any], says: str) -> None:
    """What is no answer is told as the upstream's fault, in its own words if it had any."""
    with pytest.raises(UpstreamUnexpected, match=says):
        decode_answer(answer)


@given(answers())
@settings(max_examples=50)
def test_encoded_and_decoded(answer: Answer) -> None:
    """What both sides can say survives the way through Chat."""
    encoded = encode_answer(answer, ASK, "req_1").document
    got = decode_answer(json.loads(json.dumps(encoded)))
    texts = "".join(part.text for part in answer.parts if isinstance(part, Text))
    assert "".join(part.text for part in got.parts if isinstance(part, Text)) == texts
    assert _calls(got) == _calls(answer)
    assert got.usage == evolve(answer.usage, web_searches=0)
    assert not any(isinstance(part, (HostedCall, HostedResult)) for part in got.parts)


def _calls(answer: Answer) -> list[tuple[str, str]]:
    return [(part.id, part.name) for part in answer.parts if isinstance(part, ToolCall)]


@pytest.mark.parametrize("index", [{}, {"index": 0}])
@pytest.mark.parametrize("call_id", ["t", ""])
def test_every_entry_of_a_plain_answer_is_a_call(index: dict[str, int], call_id: str) -> None:
    """Whatever ids and numbers they share, even when they say the same; their ids are made to differ."""
    entries = [
        {**index, "id": call_id, "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}}
        for _ in range(3)
    ]
    message = {"role": "assistant", "content": None, "tool_calls": entries}
    answer = decode_answer({"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]})
    calls = [part for part in answer.parts if isinstance(part, ToolCall)]
    assert [one.arguments for one in calls] == ['{"x":1}'] * 3
    assert len({one.id for one in calls}) == 3
