"""Whole answers in Chat's words; that streams say the same is promised beside the stream encoder."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from openai.types.chat import ChatCompletion

from shunt.inference.content import Citation, Refusal, Seal, SealForm, Text, Thinking, ToolCall
from shunt.inference.request import GenerateRequest
from shunt.inference.response import Answer, Stop
from shunt.inference.usage import Usage
from shunt.protocols.openai_chat.encode_answer import encode_answer

ASK = GenerateRequest(model="asked-for", protocol="openai-chat")
SEAL = Seal("anthropic", SealForm.SIGNATURE, "EqQB")


def answer(*parts: Any, stop: Stop = Stop.END_TURN, **more: Any) -> Answer:
    return Answer("msg_up", "claude-up", parts, stop, Usage(input=10, output=5), **more)


def message(*parts: Any, **more: Any) -> dict[str, Any]:
    document = encode_answer(answer(*parts, **more), ASK, "req_0123").document
    found: dict[str, Any] = document["choices"][0]["message"]
    return found


def test_document() -> None:
    """The whole of an answer, as OpenAI's own types read it."""
    given = answer(
        Thinking("hm", SEAL),
        Text("Cats purr.", (Citation("https://example.org/a", "A"),)),
        ToolCall("toolu_1", "f", '{"x":1}'),
        stop=Stop.TOOL_USE,
        created=17,
        tier="priority",
    )
    document = encode_answer(given, ASK, "req_0123").document
    assert document == {
        "id": "chatcmpl-0123",
        "object": "chat.completion",
        "created": 17,
        "model": "asked-for",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "Cats purr.",
                    "refusal": None,
                    "annotations": [
                        {
                            "type": "url_citation",
                            "url_citation": {
                                "start_index": 0,
                                "end_index": 10,
                                "title": "A",
                                "url": "https://example.org/a",
                            },
                        }
                    ],
                    "reasoning_content": "hm",
                    "reasoning_details": [
                        {
                            "type": "reasoning.encrypted",
                            "index": 0,
                            "id": document["choices"][0]["message"]["reasoning_details"][0]["id"],
                            "data": "shunt1|signature|anthropic||EqQB",
                        }
                    ],
                    "tool_calls": [
                        {
                            "id": "toolu_1",
                            "type": "function",
                            "function": {"name": "f", "arguments": '{"x":1}'},
                        }
                    ],
                },
                "logprobs": None,
                "finish_reason": "tool_calls",
            }
        ],
        "usage": {
            "prompt_tokens": 10,
            "completion_tokens": 5,
            "total_tokens": 15,
            "prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
        },
        "service_tier": "priority",
    }
    assert ChatCompletion.model_validate(document).choices[0].message.tool_calls


def test_content() -> None:
    """Content is null beside calls and refusals, and an empty string where nothing was said."""
    assert message(Text("a"), Text("b"))["content"] == "ab"
    assert message(ToolCall("c", "f"))["content"] is None
    assert message(Refusal("no"))["content"] is None
    assert message()["content"] == ""


def test_refusal() -> None:
    """Words of refusal, else the reason that the vendor gave."""
    assert message(Refusal("no"), explanation="why", stop=Stop.REFUSAL)["refusal"] == "no"
    assert message(Text("I"), explanation="why", stop=Stop.REFUSAL)["refusal"] == "why"
    assert message(Text("I"))["refusal"] is None


def test_legacy() -> None:
    """Who speaks of functions gets one function call; a second is reported."""
    legacy = evolve(ASK, legacy_functions=True)
    calls = (ToolCall("a", "f", '{"x":1}'), ToolCall("b", "g"))
    encoded = encode_answer(answer(*calls, stop=Stop.TOOL_USE), legacy, "req_0123")
    choice = encoded.document["choices"][0]
    assert choice["message"]["function_call"] == {"name": "f", "arguments": '{"x":1}'}
    assert "tool_calls" not in choice["message"]
    assert choice["finish_reason"] == "function_call"
    assert encoded.dropped == ("tool_calls",)


def test_dropped() -> None:
    """What Chat cannot say is reported."""
    given = answer(Text("x", (Citation(cited_text="y"),)), unknown_stop="novel")
    assert encode_answer(given, ASK, "req_0123").dropped == ("citations", "stop_reason")
