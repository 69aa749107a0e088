"""Chat messages, read."""

from __future__ import annotations

from typing import Any

import pytest

from shunt.errors import InvalidRequest
from shunt.inference.content import Message, Refusal, Role, Text, Thinking, ToolCall, ToolResult
from shunt.protocols.openai_chat.decode_messages import decode_messages

CALL = {"id": "call_a", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}}


def said(*messages: Any) -> tuple[Message, ...]:
    return decode_messages(messages)[1]


def parts(message: dict[str, Any]) -> tuple[Any, ...]:
    """The parts of one assistant's message."""
    (read,) = said({"role": "assistant", **message})
    assert read.role is Role.ASSISTANT
    return read.parts


def test_leading_system() -> None:
    """The system and developer messages at the start are instructions, one per part."""
    instructions, messages = decode_messages(
        [
            {"role": "system", "content": "S1"},
            {
                "role": "developer",
                "content": [{"type": "text", "text": "S2a"}, {"type": "text", "text": "S2b"}],
            },
            {"role": "user", "content": "hi"},
            {"role": "system", "content": "LATE"},
            {"role": "developer", "content": "LATER"},
        ]
    )
    assert instructions == (Text("S1"), Text("S2a"), Text("S2b"))
    assert messages == (
        Message(Role.USER, (Text("hi"),)),
        Message(Role.SYSTEM, (Text("LATE"),)),
        Message(Role.DEVELOPER, (Text("LATER"),)),
    )


@pytest.mark.parametrize("role", ["user", "ctx", None, 7])
def test_unknown_roles(role: Any) -> None:
    """A role that nobody knows is the user's."""
    assert said({"role": role, "content": "hi"}) == (Message(Role.USER, (Text("hi"),)),)


def test_name() -> None:
    """Participants keep their names."""
    assert said({"role": "user", "content": "hi", "name": "ann"})[0].name == "ann"


@pytest.mark.parametrize(
    ("call", "wanted"),
    [
        (CALL, ToolCall("call_a", "f", '{"x":1}')),
        ({"id": "a", "function": {"name": "f", "arguments": {"x": 1}}}, ToolCall("a", "f", '{"x":1}')),
        ({"id": "a", "function": {"name": "f", "arguments": '{"x": nope'}}, ToolCall("a", "f", '{"x": nope')),
        ({"id": "a", "function": {"name": "f", "arguments": ""}}, ToolCall("a", "f", "{}")),
        ({"id": "a", "function": {"name": "f"}}, ToolCall("a", "f", "{}")),
        ({"id": "a", "name": "f", "arguments": "{}"}, ToolCall("a", "f", "{}")),
        ({"function": {"name": "f", "arguments": "{}"}}, ToolCall("call_0_0", "f", "{}")),
        (
            {"id": "a", "type": "custom", "custom": {"name": "p", "input": "*** Begin"}},
            ToolCall("a", "p", "*** Begin", custom=True),
        ),
    ],
)
def test_calls(call: dict[str, Any], wanted: ToolCall) -> None:
    """Calls are read as the model wrote them, its mistakes included."""
    assert parts({"content": None, "tool_calls": [call]}) == (wanted,)


def test_order_within_a_turn() -> None:
    """Thinking, words, refusal, calls."""
    got = parts({"reasoning_content": "hm", "content": "a", "refusal": "no", "tool_calls": [CALL]})
    assert got == (Thinking("hm"), Text("a"), Refusal("no"), ToolCall("call_a", "f", '{"x":1}'))


def test_thinking_blocks() -> None:
    """Thinking in LiteLLM's field is read as the blocks it holds."""
    got = parts(
        {"content": "a", "thinking_blocks": [{"type": "thinking", "thinking": "hm", "signature": ""}]}
    )
    assert got == (Thinking("hm"), Text("a"))


def test_results_in_a_row() -> None:
    """Tool messages that follow each other are one turn; words after them are another."""
    got = said(
        {"role": "assistant", "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "call_a", "content": "ra"},
        {
            "role": "tool",
            "tool_call_id": "call_b",
            "content": [{"type": "text", "text": "rb"}],
            "is_error": True,
        },
        {"role": "user", "content": "next"},
    )
    assert got[1:] == (
        Message(
            Role.USER,
            (ToolResult("call_a", (Text("ra"),)), ToolResult("call_b", (Text("rb"),), is_error=True)),
        ),
        Message(Role.USER, (Text("next"),)),
    )


def test_custom_results() -> None:
    """The result of a custom tool's call is known as one."""
    custom = {"id": "a", "type": "custom", "custom": {"name": "p", "input": ""}}
    got = said(
        {"role": "assistant", "tool_calls": [custom]}, {"role": "tool", "tool_call_id": "a", "content": "ok"}
    )
    assert got[1].parts == (ToolResult("a", (Text("ok"),), custom=True),)


def test_functions() -> None:
    """A function's result belongs to the first call of that name without one."""
    function = {"name": "f", "arguments": "{}"}
    got = said(
        {"role": "assistant", "content": None, "function_call": function},
        {"role": "function", "name": "f", "content": "one"},
        {"role": "assistant", "content": None, "function_call": function},
        {"role": "function", "name": "f", "content": "two"},
        {"role": "function", "name": "g", "content": "orphan"},
    )
    ids = [part.id for message in got for part in message.parts if isinstance(part, ToolCall)]
    results = [part for message in got for part in message.parts if isinstance(part, ToolResult)]
    assert len(set(ids)) == 2
    assert [r.call_id for r in results[:2]] == ids
    assert results[2].call_id not in ids


def test_anthropic_turns() -> None:
    """Anthropic's blocks within Chat messages are read as what they are."""
    got = said(
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "r"}]},
    )
    assert got[0].parts == (ToolCall("t", "f", "{}"),)
    assert got[1].parts == (ToolResult("t", (Text("r"),)),)


@pytest.mark.parametrize(
    "message",
    [
        "hi",
        {"role": "user", "content": 7},
        {"role": "assistant", "tool_calls": {"x": 1}},
        {"role": "assistant", "tool_calls": ["x"]},
        {"role": "assistant", "tool_calls": [{"id": "a", "function": {}}]},
        {"role": "assistant", "audio": {"id": "audio_1"}},
        {"role": "tool", "content": "r"},
    ],
)
def test_malformed(message: Any) -> None:
    """What makes no sense is refused by its place."""
    with pytest.raises(InvalidRequest, match=r"`messages\[1\]"):
        decode_messages([{"role": "user", "content": "hi"}, message])
