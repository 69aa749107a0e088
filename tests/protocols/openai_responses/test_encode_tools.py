"""Tools and the choice among them, for an upstream."""

from __future__ import annotations

from typing import Any

import pytest

from shunt.errors import InvalidRequest
from shunt.inference.request import ChoiceMode, GenerateRequest, HostedTool, Tool, ToolChoice
from shunt.models.rules import ModelRules
from shunt.protocols.openai_responses.encode_tools import write_choice, write_tools

SCHEMA = {"type": "object", "properties": {"x": {"type": "string"}}}
EMPTY = {"type": "object", "properties": {}}
SEARCH = HostedTool("web_search", "web_search_20250305", "web_search", allowed_domains=("e.example",))


def write(
    *tools: Any, protocol: str = "anthropic-messages", choice: ToolChoice | None = None, **rules: Any
) -> tuple[list[Any], list[str]]:
    dropped: list[str] = []
    request = GenerateRequest("m", protocol, tools=tools, tool_choice=choice)
    return write_tools(request, ModelRules(**rules), dropped), dropped


def chosen(choice: ToolChoice, *tools: Any) -> Any:
    request = GenerateRequest("m", "anthropic-messages", tools=tools, tool_choice=choice)
    return write_choice(request, write_tools(request, ModelRules(), []))


def test_functions_are_flat_and_not_strict() -> None:
    """Left out, strict would mean yes; deferred tools are all shown."""
    tools, dropped = write(Tool("f", "d", SCHEMA, deferred=True, raw={"cache_control": {}}), Tool("g"))
    assert tools == [
        {"type": "function", "name": "f", "description": "d", "parameters": SCHEMA, "strict": False},
        {"type": "function", "name": "g", "parameters": EMPTY, "strict": False},
    ]
    assert dropped == []


@pytest.mark.parametrize(
    ("protocol", "strict", "written"),
    [
        ("openai-chat", True, True),
        ("openai-chat", None, False),
        # Anthropic's strict tools may have optional fields.
        ("anthropic-messages", True, False),
        ("openai-responses", True, True),
        ("openai-responses", False, False),
    ],
)
def test_strict_is_said_explicitly(protocol: str, strict: bool | None, written: bool) -> None:
    """It means something else when it is not said."""
    assert write(Tool("f", strict=strict), protocol=protocol)[0][0]["strict"] is written


def test_a_client_of_this_protocol_leaves_it_to_the_vendor() -> None:
    """Including which tools are deferred."""
    (tool,), _ = write(Tool("f", deferred=True), protocol="openai-responses")
    assert "strict" not in tool
    assert tool["defer_loading"] is True


def test_unions_are_merged_where_they_are_refused() -> None:
    """At the root of a schema."""
    union = {"anyOf": [SCHEMA, {"type": "object", "properties": {"y": {"type": "number"}}}]}
    assert "anyOf" in write(Tool("f", schema=union))[0][0]["parameters"]
    merged = write(Tool("f", schema=union), root_unions=False)[0][0]["parameters"]
    assert set(merged["properties"]) == {"x", "y"}
    assert "anyOf" not in merged


@pytest.mark.parametrize(
    ("grammar", "form"),
    [
        (None, {"type": "text"}),
        (
            {"type": "grammar", "syntax": "lark", "definition": "s"},
            {"type": "grammar", "syntax": "lark", "definition": "s"},
        ),
        (
            {"type": "grammar", "grammar": {"syntax": "lark", "definition": "s"}},
            {"type": "grammar", "syntax": "lark", "definition": "s"},
        ),
    ],
)
def test_custom_tools_keep_their_grammar(grammar: Any, form: Any) -> None:
    """However deep it stood."""
    (tool,), _ = write(Tool("patch", "d", custom=True, grammar=grammar))
    assert tool == {"type": "custom", "name": "patch", "description": "d", "format": form}


def test_namespaces_are_put_together_again() -> None:
    """With their own words."""
    raw = {"namespace": {"name": "fs", "description": "files"}}
    tools, _ = write(
        Tool("read", namespace="fs", raw=raw),
        Tool("f"),
        Tool("write", namespace="fs", raw=raw),
        Tool("x", namespace="other"),
    )
    assert [tool["name"] for tool in tools] == ["fs", "f", "other"]
    assert tools[0]["description"] == "files"
    assert [tool["name"] for tool in tools[0]["tools"]] == ["read", "write"]
    assert tools[2]["description"]


def test_searches_keep_their_filters() -> None:
    """What has no field here is reported."""
    place = {"type": "approximate", "country": "DE", "novel": 1}
    hosted = HostedTool(
        "web_search",
        "t",
        allowed_domains=("e.example",),
        blocked_domains=("x",),
        user_location=place,
        max_uses=3,
    )
    tools, dropped = write(hosted)
    assert tools == [
        {
            "type": "web_search",
            "filters": {"allowed_domains": ["e.example"]},
            "user_location": {"type": "approximate", "country": "DE"},
        }
    ]
    assert dropped == ["blocked_domains", "max_uses"]


def test_other_vendors_tools_are_left_out() -> None:
    """With a report; unless one of them is demanded."""
    code = HostedTool("code_execution", "code_execution_20250825")
    assert write(code, Tool("f"))[1] == ["tools.code_execution_20250825"]
    with pytest.raises(InvalidRequest, match="code_execution"):
        write(code, choice=ToolChoice(ChoiceMode.NAMED, hosted="code_execution"))


def test_the_vendors_own_tools_pass() -> None:
    """As its client wrote them."""
    raw = {"type": "file_search", "vector_store_ids": ["vs"]}
    assert write(HostedTool("file_search", "file_search", raw=raw), protocol="openai-responses") == (
        [raw],
        [],
    )


F, G, P = Tool("f"), Tool("g"), Tool("p", custom=True)


@pytest.mark.parametrize(
    ("choice", "tools", "written"),
    [
        (ToolChoice(ChoiceMode.AUTO), (F,), "auto"),
        (ToolChoice(ChoiceMode.REQUIRED), (F,), "required"),
        (ToolChoice(ChoiceMode.NONE), (F,), "none"),
        (ToolChoice(ChoiceMode.NAMED, "g"), (F, G), {"type": "function", "name": "g"}),
        (ToolChoice(ChoiceMode.NAMED, "p"), (F, P), {"type": "custom", "name": "p"}),
        (ToolChoice(ChoiceMode.NAMED, "r"), (Tool("r", namespace="fs"),), {"type": "function", "name": "r"}),
        (ToolChoice(ChoiceMode.NAMED, "web_search", hosted="web_search"), (SEARCH,), "required"),
        (
            ToolChoice(ChoiceMode.NAMED, "web_search", hosted="web_search"),
            (F, SEARCH),
            {"type": "allowed_tools", "mode": "required", "tools": [{"type": "web_search"}]},
        ),
        (
            ToolChoice(ChoiceMode.REQUIRED, allowed=("g", "web_search")),
            (F, G, SEARCH),
            {
                "type": "allowed_tools",
                "mode": "required",
                "tools": [{"type": "function", "name": "g"}, {"type": "web_search"}],
            },
        ),
        (
            ToolChoice(ChoiceMode.AUTO, allowed=("f",)),
            (F, G),
            {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]},
        ),
        (ToolChoice(ChoiceMode.REQUIRED), (), None),
    ],
)
def test_choices(choice: ToolChoice, tools: tuple[Any, ...], written: Any) -> None:
    """Flat, by the kind of the tool that is meant; none where there are no tools."""
    assert chosen(choice, *tools) == written
