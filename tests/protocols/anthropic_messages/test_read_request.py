"""Requests, whole."""

from __future__ import annotations

from typing import Any

import pytest

from shunt.errors import InvalidRequest
from shunt.inference.content import CacheMark, Message, Role, Text, ToolCall, ToolResult
from shunt.inference.request import (
    ChoiceMode,
    Effort,
    FormatKind,
    GenerateRequest,
    OutputFormat,
    Reasoning,
    Tool,
    ToolChoice,
)
from shunt.protocols.anthropic_messages.read_request import read_request

SCHEMA = {"type": "object", "properties": {}}
HI = [{"role": "user", "content": "hi"}]


def reading(**fields: Any) -> GenerateRequest:
    return read_request({"model": "m", "max_tokens": 10, "messages": HI, **fields})


def said(role: Role, *texts: str) -> Message:
    return Message(role, tuple(map(Text, texts)))


def system(content: Any, **fields: Any) -> dict[str, Any]:
    return {"role": "system", "content": content, **fields}


def test_a_request_of_claude_codes() -> None:
    """Everything in it that has a meaning elsewhere is read."""
    request = read_request(
        {
            "model": "claude-opus-5-5",
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "Do it."}]},
                system("# Environment", output_config={"effort": "low"}),
                {
                    "role": "assistant",
                    "content": [{"type": "tool_use", "id": "t1", "name": "Bash", "input": {"c": "ls"}}],
                },
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "a b"}]},
            ],
            "system": [
                {"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1.329;"},
                {"type": "text", "text": "You are an agent.", "cache_control": {"type": "ephemeral"}},
            ],
            "tools": [{"name": "Bash", "input_schema": SCHEMA}],
            "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
            "metadata": {"user_id": '{"device_id":"0c","session_id":"5a5e010f"}', "more": 1},
            "max_tokens": 128000,
            "thinking": {"type": "adaptive", "display": "omitted"},
            "context_management": {"edits": []},
            "output_config": {"effort": "medium"},
            "safeguards": [{"classifier_context": "/home/me"}],
            "x_new": None,
            "x_future": 1,
            "stream": True,
        }
    )
    assert request == GenerateRequest(
        model="claude-opus-5-5",
        protocol="anthropic-messages",
        instructions=(
            Text("x-anthropic-billing-header: cc_version=2.1.329;"),
            Text("You are an agent.", cache=CacheMark()),
        ),
        messages=(
            said(Role.USER, "Do it."),
            said(Role.SYSTEM, "# Environment"),
            Message(Role.ASSISTANT, (ToolCall("t1", "Bash", '{"c":"ls"}'),)),
            Message(Role.USER, (ToolResult("t1", (Text("a b"),)),)),
        ),
        tools=(Tool("Bash", schema=SCHEMA, raw={"name": "Bash", "input_schema": SCHEMA}),),
        tool_choice=ToolChoice(ChoiceMode.AUTO),
        parallel_tools=False,
        stream=True,
        max_output=128000,
        reasoning=Reasoning(Effort.LOW, adaptive=True, display="omitted"),
        user='{"device_id":"0c","session_id":"5a5e010f"}',
        cache_key="5a5e010f",
        include_usage=True,
        metadata={"more": 1},
        native={
            "context_management": {"edits": []},
            "safeguards": [{"classifier_context": "/home/me"}],
            "x_future": 1,
        },
        hints=request.hints,
    )
    assert {"context_management", "safeguards"} <= request.hints
    assert "x_future" not in request.hints


@pytest.mark.parametrize(
    ("fields", "reasoning"),
    [
        ({}, Reasoning()),
        ({"thinking": {"type": "disabled"}}, Reasoning(Effort.NONE)),
        ({"thinking": {"type": "disabled"}, "output_config": {"effort": "high"}}, Reasoning(Effort.NONE)),
        ({"thinking": {"type": "enabled", "budget_tokens": 2048}}, Reasoning(budget=2048)),
        ({"thinking": {"type": "enabled"}}, Reasoning(adaptive=True)),
        ({"thinking": {"type": "adaptive"}}, Reasoning(adaptive=True)),
        ({"thinking": {"type": "between_tools"}}, Reasoning(adaptive=True)),
        ({"output_config": {"effort": "xhigh"}}, Reasoning(Effort.XHIGH)),
        ({"output_config": {"effort": "novel"}}, Reasoning()),
    ],
)
def test_every_way_to_ask_for_thinking(fields: dict[str, Any], reasoning: Reasoning) -> None:
    """Off, a budget, or a step; what leaves it to the model names no step."""
    assert reading(**fields).reasoning == reasoning


@pytest.mark.parametrize(
    "field",
    [
        {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
        {"output_format": {"type": "json_schema", "schema": SCHEMA}},
    ],
)
def test_structured_output(field: dict[str, Any]) -> None:
    """The schema is found in the field of today and in that of the beta."""
    assert reading(**field).format == OutputFormat(FormatKind.JSON_SCHEMA, SCHEMA)


def test_the_rest_of_the_parameters() -> None:
    """Sampling, stops and speed; nothing said is nothing read."""
    request = reading(
        temperature=0.5, top_p=0.9, top_k=5, stop_sequences=["END"], speed="fast", service_tier="auto"
    )
    assert (request.temperature, request.top_p, request.top_k, request.stop) == (0.5, 0.9, 5, ("END",))
    assert request.tier == "fast"
    assert not request.native
    assert reading(service_tier="standard_only").tier == "standard_only"
    assert reading().tool_choice is None
    assert reading().parallel_tools is None


@pytest.mark.parametrize(
    ("messages", "instructions", "read"),
    [
        ([system("a"), *HI, system("b")], ("s", "a"), (said(Role.USER, "hi"), said(Role.SYSTEM, "b"))),
        ([{"role": "ctx", "content": "c"}], ("s",), (said(Role.USER, "c"),)),
        ([{"role": "user", "content": ""}], ("s",), (said(Role.USER, ""),)),
        (
            [*HI, system(None, output_config={"effort": "low"})],
            ("s",),
            (said(Role.USER, "hi"), said(Role.SYSTEM)),
        ),
        (
            [
                *HI,
                system("gone", clear_at="next_user_message"),
                *HI,
                system("now", clear_at="next_user_message"),
            ],
            ("s",),
            (said(Role.USER, "hi"), said(Role.USER, "hi"), said(Role.SYSTEM, "now")),
        ),
        (
            [
                {"role": "user", "content": "long ago"},
                {"role": "assistant", "content": [{"type": "compaction", "content": None}]},
                {
                    "role": "assistant",
                    "content": [
                        {"type": "text", "text": "x"},
                        {"type": "compaction", "content": "S"},
                        {"type": "text", "text": "y"},
                    ],
                },
                *HI,
            ],
            ("s",),
            (
                said(Role.USER, "[Summary of the conversation so far]\nS"),
                said(Role.ASSISTANT, "y"),
                said(Role.USER, "hi"),
            ),
        ),
    ],
)
def test_what_the_model_would_see(
    messages: list[Any], instructions: tuple[str, ...], read: tuple[Message, ...]
) -> None:
    """Leading system messages are instructions, later ones stay; unknown roles are users.

    What is meant for one turn, or stands before a summary, is left out, as the vendor does.
    """
    request = reading(system="s", messages=messages)
    assert tuple(text.text for text in request.instructions) == instructions
    assert request.messages == read


def test_tools_changed_in_the_middle() -> None:
    """A system message may bring tools; they are on offer like any other."""
    change = {"type": "tool_addition", "tool": {"type": "tool_definition", "definition": {"name": "late"}}}
    request = reading(messages=[*HI, system([{"type": "text", "text": "New tool."}, change])])
    assert request.tools == (Tool("late", raw={"name": "late"}),)
    assert request.messages[1] == said(Role.SYSTEM, "New tool.")


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"model": None}, "model"),
        ({"messages": None}, "messages"),
        ({"messages": "hi"}, "messages"),
        ({"messages": ["hi"]}, "messages[0]"),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": 1}]}]},
            "messages[0].content[0].text",
        ),
        ({"system": [{"type": "image", "source": {"type": "url", "url": "u"}}]}, "system[0]"),
        ({"max_tokens": "10"}, "max_tokens"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"temperature": "hot"}, "temperature"),
        ({"stop_sequences": "END"}, "stop_sequences"),
        ({"tools": {}}, "tools"),
        ({"tools": [{"input_schema": {}}]}, "tools[0].name"),
        ({"thinking": True}, "thinking"),
        ({"stream": "yes"}, "stream"),
    ],
)
def test_says_what_is_wrong(fields: dict[str, Any], place: str) -> None:
    """A field of a wrong type is named."""
    with pytest.raises(InvalidRequest) as caught:
        reading(**fields)
    assert caught.value.param == place
    assert f"`{place}`" in str(caught.value)
