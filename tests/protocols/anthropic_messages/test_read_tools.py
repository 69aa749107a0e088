"""Tools and their choice."""

from __future__ import annotations

from typing import Any

import pytest

from shunt.errors import InvalidRequest
from shunt.inference.content import CacheMark
from shunt.inference.request import ChoiceMode, HostedTool, Tool, ToolChoice
from shunt.protocols.anthropic_messages.read_tools import ToolSet, read_choice, read_tool
from shunt.protocols.fields import Fields

SCHEMA = {"type": "object", "properties": {"x": {"type": "string"}}}
SEARCH = {
    "type": "web_search_20250305",
    "name": "web_search",
    "max_uses": 3,
    "allowed_domains": ["e.org"],
    "blocked_domains": None,
    "user_location": {"type": "approximate", "country": "DE"},
}


def test_a_tool_named_like_a_hosted_one_is_the_clients() -> None:
    """What a tool is says its type, never its name."""
    raw = {
        "name": "web_search",
        "description": "d",
        "input_schema": SCHEMA,
        "strict": True,
        "defer_loading": True,
        "cache_control": {"type": "ephemeral"},
    }
    tool = Tool("web_search", "d", SCHEMA, strict=True, deferred=True, cache=CacheMark(), raw=raw)
    assert read_tool(Fields(raw)) == tool
    raw = raw | {"type": "custom"}
    assert read_tool(Fields(raw)) == Tool(
        "web_search", "d", SCHEMA, strict=True, deferred=True, cache=CacheMark(), raw=raw
    )


def test_a_hosted_tool_keeps_its_settings() -> None:
    """Domains, place and number of uses are read."""
    assert read_tool(Fields(SEARCH)) == HostedTool(
        "web_search",
        "web_search_20250305",
        "web_search",
        allowed_domains=("e.org",),
        user_location={"type": "approximate", "country": "DE"},
        max_uses=3,
        raw=SEARCH,
    )


@pytest.mark.parametrize(
    ("type_", "kind"),
    [
        ("code_execution_20260521", "code_execution"),
        ("tool_search_tool_bm25_20251119", "tool_search"),
        ("computer_toolset_20260801", "computer_toolset"),
        ("mcp_toolset", "mcp_toolset"),
        ("novel", "novel"),
    ],
)
def test_versions_are_not_part_of_the_kind(type_: str, kind: str) -> None:
    """Every version of a tool is the same kind."""
    tool = read_tool(Fields({"type": type_, "name": "n"}))
    assert isinstance(tool, HostedTool)
    assert tool.kind == kind


@pytest.mark.parametrize("type_", ["bash_20250124", "text_editor_20250728", "memory_20250818"])
def test_what_the_client_runs_becomes_a_function(type_: str) -> None:
    """Claude knows these by their type; any other model is given the schema, under the client's name."""
    tool = read_tool(Fields({"type": type_, "name": "n"}))
    assert isinstance(tool, Tool)
    assert tool.name == "n"
    assert tool.schema
    assert tool.raw["type"] == type_


@pytest.mark.parametrize(
    ("choice", "read"),
    [
        (None, (None, None)),
        ({"type": "auto"}, (ToolChoice(), None)),
        ({"type": "any", "disable_parallel_tool_use": True}, (ToolChoice(ChoiceMode.REQUIRED), False)),
        ({"type": "auto", "disable_parallel_tool_use": False}, (ToolChoice(), True)),
        ({"type": "none"}, (ToolChoice(ChoiceMode.NONE), None)),
        ({"type": "tool", "name": "g"}, (ToolChoice(ChoiceMode.NAMED, "g"), None)),
        (
            {"type": "tool", "name": "web_search"},
            (ToolChoice(ChoiceMode.NAMED, "web_search", hosted="web_search"), None),
        ),
    ],
)
def test_every_choice_is_read(choice: Any, read: Any) -> None:
    """How free the model is, and whether it may call several tools at once."""
    body = Fields({"tool_choice": choice})
    assert read_choice(body, (Tool("g"), read_tool(Fields(SEARCH)))) == read


@pytest.mark.parametrize("choice", [{"type": "some"}, {}, {"type": "tool"}, "auto"])
def test_a_choice_that_means_nothing_is_refused(choice: Any) -> None:
    """A wrong choice is named, not guessed."""
    with pytest.raises(InvalidRequest, match="`tool_choice"):
        read_choice(Fields({"tool_choice": choice}), ())


def test_tools_come_and_go_in_the_middle() -> None:
    """A tool that was defined, named or withdrawn in a later message is on offer, or not, at the end."""
    offered = ToolSet((Tool("a", "first"), Tool("b"), Tool("a", "second"), Tool("d")))
    changes: list[dict[str, Any]] = [
        {"type": "tool_removal", "tool": {"type": "tool_reference", "name": "a"}},
        {
            "type": "tool_addition",
            "tool": {"type": "tool_definition", "definition": {"name": "c", "input_schema": SCHEMA}},
        },
        {"type": "tool_removal", "tool": {"type": "tool_reference", "name": "b"}},
        {"type": "tool_addition", "tool": {"type": "tool_reference", "name": "a"}},
        {"type": "tool_addition"},
    ]
    for change in changes:
        offered.change(Fields(change))
    assert [(tool.name, getattr(tool, "description", "")) for tool in offered.tools()] == [
        ("a", "first"),
        ("d", ""),
        ("c", ""),
    ]
