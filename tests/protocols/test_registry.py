"""The list of protocols."""

from __future__ import annotations

import time
from typing import Any

import pytest

from shunt.protocols import PROTOCOLS, codec_named, protocol_named, speaker_of
from shunt.protocols.base import Protocol
from tests.protocols.openai_chat.targets import target


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.name)
def test_protocols_are_found_by_name(protocol: Protocol) -> None:
    """A protocol is looked up by the name that requests carry."""
    assert protocol_named(protocol.name) is protocol


def test_an_unknown_protocol_is_a_mistake_of_ours() -> None:
    """Names come from our own tables, so a wrong one is loud."""
    with pytest.raises(KeyError):
        protocol_named("smoke-signals")


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b'{"type":"message_start","message":{}}', "anthropic-messages"),
        (b'{"type":"message","content":[]}', "anthropic-messages"),
        (b'{"object":"chat.completion.chunk","choices":[]}', "openai-chat"),
        (b'{"choices":[{}]}', "openai-chat"),
        (b'{"type":"response.created","response":{}}', "openai-responses"),
        (b'{"object":"response","output":[]}', "openai-responses"),
        (b'{"type":"ping"}', ""),
        (b'{"error":{"message":"no"}}', ""),
        (b"[DONE]", ""),
        (b"", ""),
    ],
)
def test_answers_say_what_protocol_they_are_of(data: bytes, name: str) -> None:
    """Whole answers and the events that begin streamed ones; anything else is of none."""
    assert speaker_of(data) == name


MANY = range(20_000)
"""Of what takes minutes where each one is compared with, or copied beside, all before it."""
FEWER = range(4000)
NAMED = range(9_000)
"""As many tools as one request may name, nearly."""
ASKED = {"role": "user", "content": "x"}


def function(n: int) -> dict[str, Any]:
    return {"name": f"tool{n}", "parameters": {"type": "object"}}


LONG: dict[str, tuple[str, dict[str, Any]]] = {
    "results": (
        "openai-chat",
        {"messages": [ASKED, *({"role": "tool", "tool_call_id": f"c{n}", "content": "x"} for n in MANY)]},
    ),
    "function results": (
        "openai-chat",
        {
            "messages": [
                *(
                    {"role": "assistant", "function_call": {"name": f"f{n}", "arguments": "{}"}}
                    for n in reversed(NAMED)
                ),
                *({"role": "function", "name": f"f{n}", "content": "x"} for n in NAMED),
            ]
        },
    ),
    "outputs": (
        "openai-responses",
        {"input": [{"type": "function_call_output", "call_id": f"c{n}", "output": "x"} for n in MANY]},
    ),
    "calls": (
        "openai-responses",
        {
            "input": [
                ASKED,
                *({"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"} for _ in MANY),
            ]
        },
    ),
    "one id": (
        "anthropic-messages",
        {
            "max_tokens": 5,
            "messages": [
                ASKED,
                {
                    "role": "assistant",
                    "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}} for _ in MANY],
                },
            ],
        },
    ),
    "allowed tools": (
        "openai-chat",
        {
            "messages": [ASKED],
            "tools": [{"type": "function", "function": function(n)} for n in FEWER],
            "tool_choice": {
                "type": "allowed_tools",
                "allowed_tools": {
                    "mode": "auto",
                    "tools": [{"type": "function", "function": {"name": f"tool{n}"}} for n in FEWER],
                },
            },
        },
    ),
}


@pytest.mark.parametrize("case", list(LONG))
def test_a_long_request_costs_its_length_and_not_its_square(case: str) -> None:
    """Whatever there is very much of, putting it into other words takes seconds at most."""
    spoken, body = LONG[case]
    other = "openai-chat" if spoken == "anthropic-messages" else "anthropic-messages"
    begun = time.process_time()
    request = codec_named(spoken).decode_request({"model": "m", **body})
    codec_named(other).encode_request(request, target())
    assert time.process_time() - begun < 60
