"""Tools and their choice, for a vendor."""

from __future__ import annotations

from typing import Any

import pytest

from shunt.errors import InvalidRequest
from shunt.inference.content import CacheMark, Message, Role, ToolCall
from shunt.inference.request import ChoiceMode, GenerateRequest, HostedTool, Tool, ToolChoice
from shunt.models.rules import ModelRules
from shunt.protocols.anthropic_messages.write_tools import (
    WEB_SEARCH,
    is_forced,
    remembered_tools,
    write_choice,
    write_tools,
)

RULES = ModelRules(root_unions=False)
EMPTY = {"type": "object", "properties": {}}
SEARCH = HostedTool("web_search", "web_search", allowed_domains=("e.org",), user_location={"country": "DE"})
BASH = {"type": "bash_20250124", "name": "bash", "cache_control": {"type": "ephemeral"}}


def offering(*tools: Tool | HostedTool, protocol: str = "", **fields: Any) -> GenerateRequest:
    return GenerateRequest("m", protocol=protocol, tools=tools, **fields)


def test_functions() -> None:
    """Name, description, a schema that the vendor takes, and a breakpoint."""
    dropped: list[str] = []
    union = {"anyOf": [{"type": "object", "properties": {"a": {"type": "string"}}}]}
    request = offering(Tool("f", "d", union, strict=True, cache=CacheMark()), Tool("g"))
    assert write_tools(request, RULES, dropped) == [
        {
            "name": "f",
            "description": "d",
            "input_schema": {"type": "object", "properties": {"a": {"type": "string"}}},
            "cache_control": {"type": "ephemeral"},
        },
        {"name": "g", "input_schema": EMPTY},
    ]
    assert not dropped


def test_own_tools_stay_as_they_were() -> None:
    """For the vendor whose words they are in, tools keep every field, and its own types their lack of a schema."""
    raw = {"name": "f", "input_schema": EMPTY, "input_examples": [{}], "defer_loading": True}
    search = {"type": "web_search_20260209", "name": "web_search"}
    request = offering(
        Tool("f", schema=EMPTY, raw=raw),
        Tool("bash", "Run…", EMPTY, cache=CacheMark(), raw=BASH),
        HostedTool("web_search", "web_search_20260209", "web_search", raw=search),
        protocol="anthropic-messages",
    )
    assert write_tools(request, RULES, []) == [raw, BASH, search]


def test_web_search_is_the_vendors_own() -> None:
    """Another vendor's web search becomes Anthropic's, with its filters; never both lists of domains."""
    more = HostedTool("web_search", "web_search_preview", blocked_domains=("x.org",), max_uses=2)
    dropped: list[str] = []
    assert write_tools(offering(SEARCH, more), RULES, dropped) == [
        {
            "type": "web_search_20250305",
            "name": "web_search",
            "allowed_domains": ["e.org"],
            "user_location": {"type": "approximate", "country": "DE"},
        },
        {"type": "web_search_20250305", "name": "web_search", "blocked_domains": ["x.org"], "max_uses": 2},
    ]


def test_other_hosted_tools_are_reported_or_refused() -> None:
    """A tool that only its vendor runs is left out; if the model must use it, that is an error."""
    tool = HostedTool("file_search", "file_search")
    dropped: list[str] = []
    assert write_tools(offering(tool), RULES, dropped) == []
    assert dropped == ["tools.file_search"]
    forced = ToolChoice(ChoiceMode.NAMED, hosted="file_search")
    with pytest.raises(InvalidRequest, match="file_search"):
        write_tools(offering(tool, tool_choice=forced), RULES, [])


def test_only_what_is_allowed_is_offered() -> None:
    """A list of allowed tools becomes the list of tools."""
    choice = ToolChoice(ChoiceMode.REQUIRED, allowed=("g",))
    tools = write_tools(offering(Tool("f"), Tool("g"), tool_choice=choice), RULES, [])
    assert [tool["name"] for tool in tools] == ["g"]


@pytest.mark.parametrize(
    ("choice", "parallel", "written"),
    [
        (None, None, None),
        (None, True, None),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        (ToolChoice(), None, {"type": "auto"}),
        (ToolChoice(ChoiceMode.REQUIRED), False, {"type": "any", "disable_parallel_tool_use": True}),
        (ToolChoice(ChoiceMode.NONE), False, {"type": "none"}),
        (ToolChoice(ChoiceMode.NAMED, "g"), None, {"type": "tool", "name": "g"}),
        (ToolChoice(ChoiceMode.NAMED, hosted="web_search"), None, {"type": "tool", "name": "web_search"}),
    ],
)
def test_every_choice_is_written(choice: ToolChoice | None, parallel: bool | None, written: Any) -> None:
    """All forms, with parallel calls off where that was asked; no choice where there is no tool."""
    request = offering(tool_choice=choice, parallel_tools=parallel)
    assert write_choice(request, [{"name": "g"}], RULES, []) == written
    assert write_choice(request, [], RULES, []) is None


def test_a_model_that_cannot_be_forced() -> None:
    """It is left free, and that is reported."""
    dropped: list[str] = []
    request = offering(tool_choice=ToolChoice(ChoiceMode.REQUIRED))
    free = write_choice(request, [{"name": "g"}], ModelRules(forced_choice=False), dropped)
    assert (free, dropped) == ({"type": "auto"}, ["tool_choice"])


@pytest.mark.parametrize(
    ("choice", "forced"),
    [(None, False), ({"type": "auto"}, False), ({"type": "any"}, True), ({"type": "tool"}, True)],
)
def test_knows_what_is_forced(choice: Any, forced: bool) -> None:
    """A named tool or any tool is a must."""
    assert is_forced(choice) is forced


def test_tools_of_the_past_are_described() -> None:
    """A history of calls goes with the tools that were called, though none is on offer."""
    calls = (ToolCall("1", "f"), ToolCall("2", "g"), ToolCall("3", "f"))
    request = offering(messages=(Message(Role.ASSISTANT, calls),))
    assert remembered_tools(request) == [
        {"name": "f", "input_schema": EMPTY},
        {"name": "g", "input_schema": EMPTY},
    ]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"search_context_size": "high"}, ["search_context_size"]),
        ({"search_context_size": "medium"}, []),
        ({"external_web_access": False}, ["external_web_access"]),
        ({"external_web_access": True}, []),
    ],
)
def test_what_a_search_cannot_be_told_is_reported(options: dict[str, Any], told: list[str]) -> None:
    """How much to read, and to keep off the web; what holds anyway is not."""
    dropped: list[str] = []
    tool = HostedTool("web_search", "web_search", raw={"type": "web_search", **options})
    (written,) = write_tools(offering(tool, protocol="openai-responses"), RULES, dropped)
    assert written == {"type": WEB_SEARCH, "name": "web_search"}
    assert dropped == told
