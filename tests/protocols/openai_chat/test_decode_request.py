"""Chat requests, read: every field has its fate."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.errors import InvalidRequest
from shunt.inference.content import Message, Role, Text
from shunt.inference.request import (
    ChoiceMode,
    Effort,
    FormatKind,
    GenerateRequest,
    HostedTool,
    OutputFormat,
    Reasoning,
    Tool,
    ToolChoice,
)
from shunt.protocols.openai_chat.decode_request import decode_request

HI = [{"role": "user", "content": "hi"}]
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}


def asked(**fields: Any) -> GenerateRequest:
    return decode_request({"model": "m", "messages": HI, **fields})


def test_least() -> None:
    """A request with nothing but model and messages says nothing else."""
    assert asked() == GenerateRequest(
        model="m", protocol="openai-chat", messages=(Message(Role.USER, (Text("hi"),)),)
    )


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        ({"stream": True}, "stream", True),
        ({"max_tokens": 7}, "max_output", 7),
        ({"max_completion_tokens": 8, "max_tokens": 7}, "max_output", 8),
        ({"max_tokens": 0}, "max_output", 0),
        ({"temperature": 0}, "temperature", 0),
        ({"top_p": 0.5}, "top_p", 0.5),
        ({"top_k": 5}, "top_k", 5),
        ({"stop": "END"}, "stop", ("END",)),
        ({"stop": ["a", "b"]}, "stop", ("a", "b")),
        ({"stop_sequences": ["a"]}, "stop", ("a",)),
        ({"verbosity": "low"}, "verbosity", "low"),
        ({"user": "u"}, "user", "u"),
        ({"user": "u", "safety_identifier": "s"}, "user", "s"),
        ({"prompt_cache_key": "k"}, "cache_key", "k"),
        ({"service_tier": "flex"}, "tier", "flex"),
        ({"store": False}, "store", False),
        ({"metadata": {"a": "b"}}, "metadata", {"a": "b"}),
        ({"stream_options": {"include_usage": True}}, "include_usage", True),
        ({"stream_options": {"include_obfuscation": False}}, "include_usage", False),
        ({"parallel_tool_calls": True}, "parallel_tools", True),
        ({"previous_response_id": "resp_1"}, "previous", "resp_1"),
        ({"system": "S"}, "instructions", (Text("S"),)),
        ({"reasoning_effort": "high"}, "reasoning", Reasoning(Effort.HIGH)),
        ({"reasoning_effort": "none"}, "reasoning", Reasoning(Effort.NONE)),
        ({"reasoning": {"effort": "low"}}, "reasoning", Reasoning(Effort.LOW)),
        ({"reasoning": {"max_tokens": 2048}}, "reasoning", Reasoning(budget=2048)),
        ({"reasoning": {"enabled": False}}, "reasoning", Reasoning(Effort.NONE)),
        ({"thinking": {"type": "enabled", "budget_tokens": 2048}}, "reasoning", Reasoning(budget=2048)),
        ({"thinking": {"type": "enabled"}}, "reasoning", Reasoning(adaptive=True)),
        ({"thinking": {"type": "disabled"}}, "reasoning", Reasoning(Effort.NONE)),
        ({"response_format": {"type": "text"}}, "format", None),
        ({"response_format": {"type": "json_object"}}, "format", OutputFormat(FormatKind.JSON_OBJECT)),
        (
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "n", "schema": SCHEMA, "strict": True},
                }
            },
            "format",
            OutputFormat(FormatKind.JSON_SCHEMA, SCHEMA, "n", strict=True),
        ),
        (
            {"response_format": {"type": "json_schema", "name": "n", "schema": SCHEMA, "description": "d"}},
            "format",
            OutputFormat(FormatKind.JSON_SCHEMA, SCHEMA, "n", description="d"),
        ),
        ({"tool_choice": "required"}, "tool_choice", ToolChoice(ChoiceMode.REQUIRED)),
        ({"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}}, "parallel_tools", False),
    ],
)
def test_field(fields: dict[str, Any], name: str, value: Any) -> None:
    """Each field is found under its name in the shared vocabulary, and is nobody's own."""
    got = asked(**fields)
    assert getattr(got, name) == value
    assert got.native == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seed", 5),
        ("logit_bias", {"5": 1}),
        ("logprobs", True),
        ("top_logprobs", 3),
        ("presence_penalty", 0.5),
        ("frequency_penalty", -0.5),
        ("prediction", {"type": "content", "content": "x"}),
        ("x_brand_new", {"a": 1}),
        ("reasoning_effort", "default"),
        ("response_format", {"type": "grammar", "grammar": "x"}),
    ],
)
def test_native(name: str, value: Any) -> None:
    """What only Chat, or only some server has is kept apart, and missed when it is left out."""
    got = asked(**{name: value})
    assert got.native == {name: value}
    assert got.hints == frozenset()


@pytest.mark.parametrize(
    "fields",
    [
        {"n": 1},
        {"n": None},
        {"logprobs": False},
        {"seed": None},
        {"presence_penalty": 0, "frequency_penalty": 0.0},
        {"logit_bias": {}},
        {"modalities": ["text"]},
        {"audio": None},
        {"tools": None, "tool_choice": None, "stop": None, "max_tokens": None, "stream_options": None},
    ],
)
def test_neutral(fields: dict[str, Any]) -> None:
    """Values that say nothing are as good as absent."""
    assert asked(**fields) == asked()


def test_hints() -> None:
    """Fields that only help may go without a report."""
    got = asked(prompt_cache_retention="24h", seed=1)
    assert set(got.native) == {"prompt_cache_retention", "seed"}
    assert got.hints == {"prompt_cache_retention"}


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"n": 2}, "n"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"audio": {"voice": "alloy", "format": "wav"}}, "modalities"),
        ({"background": True}, "background"),
        ({"model": ""}, "model"),
        ({"model": None}, "model"),
        ({"model": 7}, "model"),
        ({"messages": None}, "messages"),
        ({"messages": "hi"}, "messages"),
        ({"max_tokens": "many"}, "max_tokens"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"max_tokens": True}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"temperature": "hot"}, "temperature"),
        ({"stop": 7}, "stop"),
        ({"stop": ["a", 7]}, "stop[1]"),
        ({"stream": "yes"}, "stream"),
        ({"tools": {}}, "tools"),
        ({"tool_choice": "sometimes"}, "tool_choice"),
        ({"response_format": {"type": "json_schema", "json_schema": {"name": "n"}}}, "response_format"),
        ({"metadata": "x"}, "metadata"),
    ],
)
def test_refused(fields: dict[str, Any], param: str) -> None:
    """What cannot be understood, or not be translated, is refused by its name."""
    with pytest.raises(InvalidRequest) as caught:
        asked(**fields)
    assert caught.value.param == param
    assert f"`{param}`" in str(caught.value)


def test_legacy_functions() -> None:
    """Functions are tools for a client that can be told of one call at a time."""
    got = asked(functions=[{"name": "f", "parameters": SCHEMA}], function_call={"name": "f"})
    assert [(type(tool), tool.name) for tool in got.tools] == [(Tool, "f")]
    assert got.tool_choice == ToolChoice(ChoiceMode.NAMED, "f")
    assert got.legacy_functions
    assert got.parallel_tools is False


def test_web_search() -> None:
    """The search that Chat switches on with a field is a tool of the vendor's."""
    options = {
        "user_location": {"type": "approximate", "approximate": {"city": "Bern"}},
        "search_context_size": "low",
    }
    (tool,) = asked(web_search_options=options).tools
    assert isinstance(tool, HostedTool)
    assert (tool.kind, tool.user_location) == ("web_search", {"type": "approximate", "city": "Bern"})


def test_nested_absurdly() -> None:
    """A body nested without end is refused, not fatal."""
    part: Any = {"type": "text", "text": "x"}
    for _ in range(5000):
        part = {"type": "tool_result", "tool_use_id": "t", "content": [part]}
    with pytest.raises(InvalidRequest, match="nested"):
        asked(messages=[{"role": "user", "content": [part]}])


JSON = st.recursive(
    st.sampled_from([None, True, False, 0, 1, -1, 0.5, "", "auto", "text", "function", "data:x", "high"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "role", "content", "name", "function", "text", "id", "tools", "image_url", "file"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(
            [
                *("messages", "input", "instructions", "tools", "tool_choice", "functions", "function_call"),
                *(
                    "stop",
                    "response_format",
                    "reasoning",
                    "thinking",
                    "system",
                    "stream_options",
                    "n",
                    "text",
                ),
                *("modalities", "web_search_options", "metadata", "user", "x"),
            ]
        ),
        JSON,
        max_size=5,
    )
)
def test_any_body(fields: dict[str, Any]) -> None:
    """Any JSON is a request, or is refused as an invalid one."""
    with suppress(InvalidRequest):
        assert asked(**fields).model == "m"
