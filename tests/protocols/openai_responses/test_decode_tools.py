"""Tools and the choice among them, as a client names them."""

from __future__ import annotations

from typing import Any

import pytest

from shunt.errors import InvalidRequest
from shunt.inference.request import ChoiceMode, HostedTool, Tool, ToolChoice
from shunt.protocols.openai_responses.decode_tools import read_choice, read_tools

SCHEMA = {"type": "object", "properties": {"x": {"type": "string"}}}
FUNCTION = {"type": "function", "name": "f", "description": "d", "parameters": SCHEMA, "strict": True}
GRAMMAR = {"type": "grammar", "syntax": "lark", "definition": "start: /.+/"}


def test_functions() -> None:
    """As this protocol writes them, flat."""
    assert read_tools([FUNCTION], "tools") == (Tool("f", "d", SCHEMA, True, raw=FUNCTION),)


@pytest.mark.parametrize(
    "raw",
    [
        {
            "type": "function",
            "function": {"name": "f", "description": "d", "parameters": SCHEMA, "strict": True},
        },
        {"name": "f", "description": "d", "input_schema": SCHEMA, "strict": True},
    ],
)
def test_functions_in_other_protocols_words(raw: dict[str, Any]) -> None:
    """Clients mix them up."""
    assert read_tools([raw], "tools") == (Tool("f", "d", SCHEMA, True, raw=raw),)


def test_a_function_may_say_very_little() -> None:
    """Only its name is needed."""
    raw = {"type": "function", "name": "f", "parameters": None, "defer_loading": True}
    assert read_tools([raw], "tools") == (Tool("f", deferred=True, raw=raw),)


def test_custom_tools() -> None:
    """With a grammar, or with any text."""
    patch = {"type": "custom", "name": "patch", "description": "d", "format": GRAMMAR}
    free = {"type": "custom", "name": "say", "format": {"type": "text"}}
    assert read_tools([patch, free], "tools") == (
        Tool("patch", "d", custom=True, grammar=GRAMMAR, raw=patch),
        Tool("say", custom=True, raw=free),
    )


def test_tools_of_a_namespace() -> None:
    """Each knows where it belongs."""
    raw = {
        "type": "namespace",
        "name": "fs",
        "description": "files",
        "tools": [FUNCTION, {"type": "custom", "name": "c"}],
    }
    found = read_tools([raw], "tools")
    assert [(tool.namespace, tool.name, tool.custom) for tool in found if isinstance(tool, Tool)] == [
        ("fs", "f", False),
        ("fs", "c", True),
    ]
    assert isinstance(found[0], Tool)
    assert found[0].raw["namespace"] == {"name": "fs", "description": "files"}


@pytest.mark.parametrize(
    "kind", ["web_search", "web_search_2025_08_26", "web_search_preview", "web_search_preview_2025_03_11"]
)
def test_searches_of_every_version(kind: str) -> None:
    """Decided by type, with their filters."""
    place = {"type": "approximate", "country": "DE"}
    raw = {"type": kind, "filters": {"allowed_domains": ["e.example", 5]}, "user_location": place}
    assert read_tools([raw], "tools") == (
        HostedTool("web_search", kind, allowed_domains=("e.example",), user_location=place, raw=raw),
    )


@pytest.mark.parametrize(
    "kind", ["file_search", "code_interpreter", "mcp", "image_generation", "computer", "novel"]
)
def test_other_tools_of_the_vendor(kind: str) -> None:
    """Kept as they are."""
    assert read_tools([{"type": kind, "x": 1}], "tools") == (
        HostedTool(kind, kind, raw={"type": kind, "x": 1}),
    )


def test_a_function_may_bear_the_name_of_a_vendors_tool() -> None:
    """It is a function all the same."""
    assert isinstance(read_tools([{"type": "function", "name": "web_search"}], "tools")[0], Tool)


@pytest.mark.parametrize(
    ("tools", "place"),
    [
        ([5], "tools[0]"),
        ([{}], "tools[0].type"),
        ([{"type": "function"}], "tools[0].name"),
        ([{"type": "namespace", "name": "n"}], "tools[0].tools"),
        ([{"type": "namespace", "name": "n", "tools": [5]}], "tools[0].tools[0]"),
    ],
)
def test_what_cannot_be_read_is_named(tools: list[Any], place: str) -> None:
    """By its place."""
    with pytest.raises(InvalidRequest) as caught:
        read_tools(tools, "tools")
    assert f"`{place}`" in str(caught.value)


@pytest.mark.parametrize(
    ("raw", "choice"),
    [
        (None, None),
        ("auto", ToolChoice(ChoiceMode.AUTO)),
        ("required", ToolChoice(ChoiceMode.REQUIRED)),
        ("none", ToolChoice(ChoiceMode.NONE)),
        ({"type": "auto"}, ToolChoice(ChoiceMode.AUTO)),
        ({"type": "function", "name": "f"}, ToolChoice(ChoiceMode.NAMED, "f")),
        ({"type": "function", "function": {"name": "f"}}, ToolChoice(ChoiceMode.NAMED, "f")),
        ({"type": "custom", "name": "p"}, ToolChoice(ChoiceMode.NAMED, "p", custom=True)),
        ({"type": "web_search_preview"}, ToolChoice(ChoiceMode.NAMED, hosted="web_search")),
        ({"type": "mcp", "server_label": "s"}, ToolChoice(ChoiceMode.NAMED, hosted="mcp")),
        ({"type": "apply_patch"}, ToolChoice(ChoiceMode.NAMED, "apply_patch")),
        (
            {
                "type": "allowed_tools",
                "mode": "required",
                "tools": [{"type": "function", "name": "f"}, {"type": "web_search"}],
            },
            ToolChoice(ChoiceMode.REQUIRED, allowed=("f", "web_search")),
        ),
        (
            {
                "type": "allowed_tools",
                "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "f"}}]},
            },
            ToolChoice(ChoiceMode.AUTO, allowed=("f",)),
        ),
    ],
)
def test_choices_of_every_form(raw: Any, choice: ToolChoice | None) -> None:
    """Flat, or as Chat nests them."""
    assert read_choice(raw) == choice


@pytest.mark.parametrize(
    "raw",
    ["any", 5, {}, {"type": 5}, {"type": "function"}, {"type": "allowed_tools", "mode": "all", "tools": []}],
)
def test_choices_that_mean_nothing(raw: Any) -> None:
    """Are refused: a guess could call a tool that nobody wanted."""
    with pytest.raises(InvalidRequest) as caught:
        read_choice(raw)
    assert caught.value.param == "tool_choice"
