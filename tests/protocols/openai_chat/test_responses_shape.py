"""Responses bodies that were posted to Chat."""

from __future__ import annotations

from typing import Any

import pytest

from shunt.errors import InvalidRequest
from shunt.inference.content import Message, Role, Seal, SealForm, Text, Thinking, ToolCall, ToolResult
from shunt.inference.request import Effort, FormatKind
from shunt.protocols.openai_chat.decode_request import decode_request
from shunt.protocols.openai_chat.responses_shape import as_chat, is_responses


def said(*items: Any) -> tuple[Message, ...]:
    return decode_request({"model": "m", "input": list(items)}).messages


def message(role: str, text: str) -> dict[str, Any]:
    kind = "output_text" if role == "assistant" else "input_text"
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}


def test_is_responses() -> None:
    """Input in place of messages tells it."""
    assert is_responses({"input": "hi"})
    assert not is_responses({"messages": [], "input": "hi"})
    assert not is_responses({"messages": []})


def test_fields() -> None:
    """Fields with other names, and those one level deeper, are found."""
    got = decode_request(
        {
            "model": "m",
            "instructions": "SYS",
            "input": "hi",
            "max_output_tokens": 77,
            "reasoning": {"effort": "low"},
            "text": {
                "format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}},
                "verbosity": "low",
            },
            "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}}],
            "tool_choice": {"type": "function", "name": "f"},
            "include": ["reasoning.encrypted_content"],
        }
    )
    assert got.instructions == (Text("SYS"),)
    assert got.messages == (Message(Role.USER, (Text("hi"),)),)
    assert (got.max_output, got.reasoning.effort, got.verbosity) == (77, Effort.LOW, "low")
    assert got.format is not None
    assert (got.format.kind, got.format.name) == (FormatKind.JSON_SCHEMA, "n")
    assert [tool.name for tool in got.tools] == ["f"]
    assert got.hints == {"include"}


def test_items() -> None:
    """Reasoning and calls join the assistant's turn; outputs are results."""
    got = said(
        message("developer", "DEV"),
        message("user", "go"),
        {"type": "reasoning", "summary": [{"text": "a"}, {"text": "b"}], "encrypted_content": "gAAAAAB"},
        message("assistant", "ok"),
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"x":1}'},
        {"type": "custom_tool_call", "call_id": "c2", "name": "p", "input": "*** Begin"},
        {"type": "function_call_output", "call_id": "c1", "output": "r1"},
        {
            "type": "custom_tool_call_output",
            "call_id": "c2",
            "output": [{"type": "input_text", "text": "r2"}],
        },
        {"role": "user", "content": "next"},
    )
    seal = Seal("openai", SealForm.ENCRYPTED, "gAAAAAB")
    assert [m.role for m in got] == [Role.USER, Role.ASSISTANT, Role.ASSISTANT, Role.USER, Role.USER]
    assert got[1].parts == (Thinking("a\n\nb", seal),)
    assert got[2].parts == (
        Text("ok"),
        ToolCall("c1", "f", '{"x":1}'),
        ToolCall("c2", "p", "*** Begin", custom=True),
    )
    assert got[3].parts == (ToolResult("c1", (Text("r1"),)), ToolResult("c2", (Text("r2"),), custom=True))


def test_unknown_items() -> None:
    """An item that nobody knows is kept as a part that nobody knows."""
    assert said({"type": "novel", "x": 1}, message("user", "hi"))[-1].parts == (Text("hi"),)


@pytest.mark.parametrize("items", [7, ["x"], {}])
def test_malformed(items: Any) -> None:
    """Input of no known shape is refused."""
    with pytest.raises(InvalidRequest, match="`input"):
        as_chat({"model": "m", "input": items})
