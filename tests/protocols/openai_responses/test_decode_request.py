"""A client's Responses request, understood."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.errors import InvalidRequest
from shunt.inference.content import Message, Role, Text
from shunt.inference.request import Effort, FormatKind, GenerateRequest, OutputFormat, Reasoning, Tool
from shunt.protocols.openai_responses.decode_request import decode_request

SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}


def read(**fields: Any) -> GenerateRequest:
    return decode_request({"model": "m", "input": "hi", **fields})


def test_the_least_request() -> None:
    """Nothing was said that was not said."""
    assert read() == GenerateRequest(
        "m", "openai-responses", messages=(Message(Role.USER, (Text("hi"),)),), hints=read().hints
    )


def test_everything_at_once() -> None:
    """Each field means what it says."""
    found = read(
        stream=True,
        max_output_tokens=99,
        temperature=0.5,
        top_p=0.9,
        parallel_tool_calls=False,
        reasoning={"effort": "high", "summary": "auto"},
        text={
            "verbosity": "low",
            "format": {"type": "json_schema", "name": "out", "schema": SCHEMA, "strict": True},
        },
        include=["reasoning.encrypted_content"],
        prompt_cache_key="conv-1",
        safety_identifier="u",
        service_tier="default",
        store=False,
        metadata={"a": "b"},
    )
    assert (found.stream, found.max_output, found.temperature, found.top_p) == (True, 99, 0.5, 0.9)
    assert found.parallel_tools is False
    assert found.reasoning == Reasoning(Effort.HIGH, display="auto")
    assert found.format == OutputFormat(FormatKind.JSON_SCHEMA, SCHEMA, "out", True)
    assert (found.verbosity, found.include_encrypted, found.cache_key, found.user) == (
        "low",
        True,
        "conv-1",
        "u",
    )
    assert (found.tier, found.store, dict(found.metadata)) == ("standard", False, {"a": "b"})
    assert not set(found.native) - found.hints


def test_leading_system_texts_are_instructions() -> None:
    """One per part; later ones stay where they are."""
    found = read(
        instructions="A",
        input=[
            {
                "role": "developer",
                "content": [{"type": "input_text", "text": "B"}, {"type": "input_text", "text": "C"}],
            },
            {"role": "system", "content": "D"},
            {"role": "user", "content": "hi"},
            {"role": "developer", "content": "LATE"},
        ],
    )
    assert [text.text for text in found.instructions] == ["A", "B", "C", "D"]
    assert [message.role for message in found.messages] == [Role.USER, Role.DEVELOPER]


def test_tools_that_items_add_are_offered_once() -> None:
    """After the request's own."""
    more = {
        "type": "additional_tools",
        "tools": [{"type": "function", "name": "f"}, {"type": "function", "name": "g"}],
    }
    found = read(tools=[{"type": "function", "name": "f"}], input=[more, {"role": "user", "content": "hi"}])
    assert [tool.name for tool in found.tools if isinstance(tool, Tool)] == ["f", "g"]


@pytest.mark.parametrize(
    ("fields", "lost"),
    [
        ({"truncation": "auto"}, {"truncation"}),
        ({"truncation": "disabled"}, set()),
        ({"max_tool_calls": 5}, {"max_tool_calls"}),
        ({"top_logprobs": 0}, set()),
        ({"top_logprobs": 5, "include": ["message.output_text.logprobs"]}, {"top_logprobs", "include"}),
        ({"include": ["web_search_call.action.sources", "reasoning.encrypted_content"]}, set()),
        ({"client_metadata": {"x": "y"}, "stream_options": {"include_obfuscation": False}}, set()),
        ({"prompt_cache_retention": "24h"}, set()),
        ({"context_management": [{"type": "compaction"}]}, {"context_management"}),
        ({"reasoning": {"mode": "pro"}}, {"reasoning.mode"}),
        ({"reasoning": {"effort": "enormous"}}, {"reasoning.effort"}),
        ({"x_brand_new": {"a": 1}}, {"x_brand_new"}),
        ({"x_brand_new": None, "background": False}, set()),
        ({"input": [{"role": "critic", "content": "a"}]}, {"input[0].role"}),
    ],
)
def test_what_will_be_missed_elsewhere(fields: dict[str, Any], lost: set[str]) -> None:
    """Fields of this protocol alone are kept by name; hints are not worth a word."""
    found = read(**fields)
    assert set(found.native) - found.hints == lost


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id", "previous_response_not_found"),
        ({"conversation": {"id": "conv_1"}}, "conversation", ""),
        ({"prompt": {"id": "pmpt_1"}}, "prompt", ""),
        ({"background": True}, "background", ""),
        ({"model": ""}, "model", ""),
        ({"model": None}, "model", ""),
        ({"input": None}, "input", ""),
        ({"input": 5}, "input", ""),
        ({"stream": "yes"}, "stream", ""),
        ({"temperature": "hot"}, "temperature", ""),
        ({"max_output_tokens": 1.5}, "max_output_tokens", ""),
        ({"tools": {}}, "tools", ""),
        ({"text": {"format": {"type": "yaml"}}}, "text.format.type", ""),
        ({"instructions": 5}, "", ""),
    ],
)
def test_what_cannot_be_done_is_refused(fields: dict[str, Any], param: str, code: str) -> None:
    """Stored state above all: an answer that ignored it would be about something else."""
    with pytest.raises(InvalidRequest) as caught:
        read(**fields)
    assert (caught.value.param, caught.value.code) == (param, code) or not param


def test_a_body_that_codex_sends() -> None:
    """Its system prompt is an item, its tools are of every kind, its ids are its own."""
    found = read(
        stream=True,
        store=False,
        tool_choice="auto",
        include=["reasoning.encrypted_content"],
        input=[
            {
                "type": "message",
                "id": "msg_1",
                "role": "developer",
                "content": [{"type": "input_text", "text": "You are"}],
            },
            {
                "type": "message",
                "id": "msg_2",
                "role": "user",
                "content": [{"type": "input_text", "text": "go"}],
            },
        ],
        tools=[
            {"type": "function", "name": "exec_command", "strict": False, "parameters": SCHEMA},
            {
                "type": "custom",
                "name": "apply_patch",
                "format": {"type": "grammar", "syntax": "lark", "definition": "s"},
            },
            {"type": "tool_search", "execution": "client", "description": "d", "parameters": SCHEMA},
            {"type": "web_search", "external_web_access": False},
        ],
        client_metadata={"thread_id": "t"},
    )
    assert [text.text for text in found.instructions] == ["You are"]
    assert [type(tool).__name__ for tool in found.tools] == ["Tool", "Tool", "Tool", "HostedTool"]
    assert not set(found.native) - found.hints


VALUES = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=5,
)
FIELDS = [
    "input",
    "tools",
    "tool_choice",
    "text",
    "reasoning",
    "include",
    "stream",
    "metadata",
    "instructions",
    "service_tier",
]


@given(st.dictionaries(st.sampled_from(FIELDS), VALUES))
def test_any_body_is_read_or_refused(fields: dict[str, Any]) -> None:
    """Nothing but InvalidRequest comes out of it."""
    with suppress(InvalidRequest):
        assert decode_request({"model": "m", "input": "hi", **fields}).model == "m"
