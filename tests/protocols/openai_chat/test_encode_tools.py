"""Tools and choices in Chat's words."""

from __future__ import annotations

from typing import Any

import pytest

from shunt.errors import InvalidRequest
from shunt.inference.request import ChoiceMode, GenerateRequest, HostedTool, Tool, ToolChoice
from shunt.protocols.openai_chat.encode_tools import encode_tools
from tests.protocols.openai_chat.targets import OPENAI, SERVER, target

SCHEMA = {"type": "object", "properties": {"x": {"type": "string"}}, "required": ["x"]}
STRICT = {**SCHEMA, "additionalProperties": False}
F, G = Tool("f", "does f", SCHEMA), Tool("g", schema=SCHEMA)
F_ENTRY = {"type": "function", "function": {"name": "f", "description": "does f", "parameters": SCHEMA}}
P = Tool("p", custom=True, grammar={"type": "grammar", "syntax": "lark", "definition": "start: /.+/"})
SEARCH = HostedTool(
    "web_search", "web_search_20250305", "web_search", user_location={"type": "approximate", "city": "X"}
)


def encoded(
    *tools: Any, to: Any = OPENAI, protocol: str = "anthropic-messages", **fields: Any
) -> dict[str, Any]:
    return encode_tools(GenerateRequest("m", protocol=protocol, tools=tools, **fields), to, [])


def test_function() -> None:
    """A function is nested, with its schema; only what was said is sent."""
    assert encoded(F) == {"tools": [F_ENTRY]}
    assert encoded(Tool("f"))["tools"][0]["function"] == {
        "name": "f",
        "parameters": {"type": "object", "properties": {}},
    }


def test_custom() -> None:
    """A custom tool's grammar is nested as Chat wants it."""
    grammar = {"syntax": "lark", "definition": "start: /.+/"}
    assert encoded(P)["tools"] == [
        {"type": "custom", "custom": {"name": "p", "format": {"type": "grammar", "grammar": grammar}}}
    ]
    plain = Tool("p", "d", custom=True, grammar={"type": "text"})
    assert encoded(plain)["tools"][0]["custom"] == {
        "name": "p",
        "description": "d",
        "format": {"type": "text"},
    }


@pytest.mark.parametrize(
    ("schema", "to", "protocol", "sent"),
    [
        (STRICT, OPENAI, "anthropic-messages", True),
        (SCHEMA, OPENAI, "anthropic-messages", False),
        (STRICT, SERVER, "anthropic-messages", False),
        (STRICT, SERVER, "openai-chat", True),
    ],
)
def test_strict(schema: dict[str, Any], to: Any, protocol: str, sent: bool) -> None:
    """Strictness is asked for where the schema bears it and the server knows it."""
    tool = encoded(Tool("f", schema=schema, strict=True), to=to, protocol=protocol)["tools"][0]
    assert ("strict" in tool["function"]) is sent


def test_union_at_the_root() -> None:
    """Models that refuse a union at the root get its branches as one object."""
    union = {"type": "object", "anyOf": [SCHEMA, {"properties": {"y": {}}}]}
    parameters = [
        encoded(Tool("f", schema=union), to=target(model, "openai"))["tools"][0]["function"]["parameters"]
        for model in ("gpt-4o", "gpt-5.1")
    ]
    assert [("anyOf" in schema) for schema in parameters] == [False, True]
    assert set(parameters[0]["properties"]) == {"x", "y"}


@pytest.mark.parametrize(
    ("choice", "wanted"),
    [
        (ToolChoice(), "auto"),
        (ToolChoice(ChoiceMode.NONE), "none"),
        (ToolChoice(ChoiceMode.REQUIRED), "required"),
        (ToolChoice(ChoiceMode.NAMED, "g"), {"type": "function", "function": {"name": "g"}}),
        (ToolChoice(ChoiceMode.NAMED, "p", custom=True), {"type": "custom", "custom": {"name": "p"}}),
        (
            ToolChoice(ChoiceMode.REQUIRED, allowed=("g", "p", "gone")),
            {
                "type": "allowed_tools",
                "allowed_tools": {
                    "mode": "required",
                    "tools": [
                        {"type": "function", "function": {"name": "g"}},
                        {"type": "custom", "custom": {"name": "p"}},
                    ],
                },
            },
        ),
    ],
)
def test_choice(choice: ToolChoice, wanted: Any) -> None:
    """Every choice has its form."""
    assert encoded(F, G, P, tool_choice=choice)["tool_choice"] == wanted


def test_allowed_elsewhere() -> None:
    """Servers that know no list of allowed tools are offered only those."""
    got = encoded(F, G, to=SERVER, tool_choice=ToolChoice(allowed=("g",)))
    assert [tool["function"]["name"] for tool in got["tools"]] == ["g"]
    assert got["tool_choice"] == "auto"


def test_parallel() -> None:
    """Parallel calls are switched off where asked, and never switched on or mentioned without tools."""
    assert encoded(F, parallel_tools=False)["parallel_tool_calls"] is False
    assert "parallel_tool_calls" not in encoded(F, parallel_tools=True)
    assert "parallel_tool_calls" not in encoded(F, parallel_tools=False, to=target("o3-mini", "openai"))
    assert encoded(parallel_tools=False, tool_choice=ToolChoice()) == {}


def test_hosted_tools_are_left_out() -> None:
    """A tool that another vendor runs is left out and reported; forced, it is refused."""
    dropped: list[str] = []
    request = GenerateRequest("m", tools=(F, SEARCH), tool_choice=ToolChoice())
    assert encode_tools(request, OPENAI, dropped)["tools"] == [F_ENTRY]
    assert dropped == ["tools.web_search"]
    with pytest.raises(InvalidRequest, match="web_search"):
        encoded(F, SEARCH, tool_choice=ToolChoice(ChoiceMode.NAMED, hosted="web_search"))
    with pytest.raises(InvalidRequest, match="required"):
        encoded(SEARCH, tool_choice=ToolChoice(ChoiceMode.REQUIRED))


def test_search_models() -> None:
    """OpenAI's search models search by an option, not by a tool."""
    got = encoded(SEARCH, to=target("gpt-4o-search-preview", "openai"))
    assert got == {
        "web_search_options": {"user_location": {"type": "approximate", "approximate": {"city": "X"}}}
    }


def test_search_options_pass() -> None:
    """Options that the client wrote for its server pass as they are."""
    options = {"search_context_size": "low"}
    tool = HostedTool("web_search", "web_search_options", raw=options)
    assert encoded(tool, to=SERVER, protocol="openai-chat") == {"web_search_options": options}
