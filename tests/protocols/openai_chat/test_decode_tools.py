"""Tools and choices of Chat requests, in the shapes of all three protocols."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from shunt.errors import InvalidRequest
from shunt.inference.content import CacheMark
from shunt.inference.request import ChoiceMode, HostedTool, Tool, ToolChoice
from shunt.protocols.openai_chat.decode_tools import decode_choice, decode_function_choice, decode_tools

SCHEMA = {"type": "object", "properties": {"x": {"type": "string"}}}
GRAMMAR = {"syntax": "lark", "definition": "start: /.+/"}
F = Tool("f", "does f", SCHEMA)


@pytest.mark.parametrize(
    ("tool", "wanted"),
    [
        ({"type": "function", "function": {"name": "f", "description": "does f", "parameters": SCHEMA}}, F),
        ({"type": "function", "name": "f", "description": "does f", "parameters": SCHEMA}, F),
        ({"name": "f", "description": "does f", "parameters": SCHEMA}, F),
        ({"name": "f", "description": "does f", "input_schema": SCHEMA}, F),
        ({"type": "custom", "name": "f", "description": "does f", "input_schema": SCHEMA}, F),
        ({"function": {"name": "f"}}, Tool("f")),
        ({"type": "function", "function": {"name": "f", "strict": True}}, Tool("f", strict=True)),
        (
            {
                "name": "f",
                "input_schema": SCHEMA,
                "cache_control": {"type": "ephemeral"},
                "defer_loading": True,
            },
            Tool("f", schema=SCHEMA, deferred=True, cache=CacheMark()),
        ),
        (
            {"type": "custom", "custom": {"name": "p", "format": {"type": "grammar", "grammar": GRAMMAR}}},
            Tool("p", custom=True, grammar={"type": "grammar", **GRAMMAR}),
        ),
        (
            {"type": "custom", "name": "p", "format": {"type": "grammar", **GRAMMAR}},
            Tool("p", custom=True, grammar={"type": "grammar", **GRAMMAR}),
        ),
        ({"type": "custom", "custom": {"name": "p"}}, Tool("p", custom=True)),
        (
            {
                "type": "web_search_20250305",
                "name": "web_search",
                "max_uses": 3,
                "blocked_domains": ["a.org"],
            },
            HostedTool("web_search", "web_search_20250305", "web_search", (), ("a.org",), max_uses=3),
        ),
        (
            {
                "type": "web_search_preview",
                "filters": {"allowed_domains": ["a.org"]},
                "user_location": {"city": "X"},
            },
            HostedTool("web_search", "web_search_preview", "", ("a.org",), user_location={"city": "X"}),
        ),
        ({"type": "bash_20250124", "name": "bash"}, HostedTool("bash", "bash_20250124", "bash")),
    ],
)
def test_tool(tool: dict[str, Any], wanted: Tool | HostedTool) -> None:
    """A tool is read in whichever protocol's words it is offered."""
    assert decode_tools([tool], "tools") == (evolve(wanted, raw=tool),)


def test_namespace() -> None:
    """The tools of a namespace know it."""
    inner = {"type": "function", "name": "read", "parameters": SCHEMA}
    (tool,) = decode_tools([{"type": "namespace", "name": "fs", "tools": [inner]}], "tools")
    assert (tool.name, getattr(tool, "namespace", None)) == ("read", "fs")


@pytest.mark.parametrize(
    "tool",
    [
        "x",
        {"type": 7},
        {"type": "function", "function": {}},
        {"name": "f", "parameters": "x"},
        {"type": "custom"},
    ],
)
def test_malformed_tool(tool: Any) -> None:
    """A tool that makes no sense is refused by its place."""
    with pytest.raises(InvalidRequest, match=r"`tools\[0\]"):
        decode_tools([tool], "tools")


NAMED = ToolChoice(ChoiceMode.NAMED, "f")


@pytest.mark.parametrize(
    ("choice", "wanted", "parallel"),
    [
        ("auto", ToolChoice(), None),
        ("none", ToolChoice(ChoiceMode.NONE), None),
        ("required", ToolChoice(ChoiceMode.REQUIRED), None),
        ("any", ToolChoice(ChoiceMode.REQUIRED), None),
        ({"type": "function", "function": {"name": "f"}}, NAMED, None),
        ({"type": "function", "name": "f"}, NAMED, None),
        ({"type": "custom", "custom": {"name": "f"}}, evolve(NAMED, custom=True), None),
        ({"type": "tool", "name": "f", "disable_parallel_tool_use": True}, NAMED, False),
        ({"type": "any"}, ToolChoice(ChoiceMode.REQUIRED), None),
        ({"type": "auto", "disable_parallel_tool_use": True}, ToolChoice(), False),
        (
            {
                "type": "allowed_tools",
                "allowed_tools": {
                    "mode": "required",
                    "tools": [{"type": "function", "function": {"name": "f"}}],
                },
            },
            ToolChoice(ChoiceMode.REQUIRED, allowed=("f",)),
            None,
        ),
        (
            {
                "type": "allowed_tools",
                "mode": "auto",
                "tools": [{"type": "function", "name": "f"}, {"type": "mcp"}],
            },
            ToolChoice(allowed=("f",)),
            None,
        ),
        ({"type": "web_search_preview"}, ToolChoice(ChoiceMode.NAMED, hosted="web_search"), None),
    ],
)
def test_choice(choice: Any, wanted: ToolChoice, parallel: bool | None) -> None:
    """A choice is read in all its forms, and what it says of parallel calls."""
    assert decode_choice(choice) == (wanted, parallel)


@pytest.mark.parametrize("choice", ["sometimes", 7, {}, {"type": "function"}, {"type": 7}])
def test_malformed_choice(choice: Any) -> None:
    """A choice that makes no sense is refused."""
    with pytest.raises(InvalidRequest, match="`tool_choice"):
        decode_choice(choice)


def test_function_choice() -> None:
    """The older field has a mode or a name."""
    assert decode_function_choice("none") == ToolChoice(ChoiceMode.NONE)
    assert decode_function_choice({"name": "f"}) == NAMED
    with pytest.raises(InvalidRequest, match="`function_call`"):
        decode_function_choice({})
