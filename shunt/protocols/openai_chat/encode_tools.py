"""Tools, and the choice between them, in Chat's words."""

from __future__ import annotations

from typing import Any, Final

from shunt.errors import InvalidRequest
from shunt.inference.request import ChoiceMode, GenerateRequest, HostedTool, Tool, ToolChoice
from shunt.inference.schemas import is_strict, tool_schema
from shunt.protocols.codec import Target
from shunt.protocols.openai_chat.parts import PROTOCOL

Fields = dict[str, Any]

SEARCH: Final = "web_search_options"
"""The field with which Chat switches its models' web search on."""


def encode_tools(request: GenerateRequest, target: Target, dropped: list[str]) -> Fields:
    """The fields `tools`, `tool_choice`, `parallel_tool_calls` and `web_search_options`.

    Raises InvalidRequest when the choice forces a tool that only another vendor runs.
    """
    tools, choice = request.tools, request.tool_choice
    plain = target.vendor == "compatible"
    if choice is not None and choice.allowed is not None and plain:
        # The list of those that may be used is one that such servers do not know.
        tools = tuple(tool for tool in tools if isinstance(tool, HostedTool) or tool.name in choice.allowed)
    fields: Fields = {}
    for tool in tools:
        if isinstance(tool, HostedTool):
            fields |= _hosted(tool, request, target, dropped)
    offered = [tool for tool in tools if isinstance(tool, Tool)]
    if not offered:
        if choice is not None and choice.mode is ChoiceMode.REQUIRED and request.tools:
            raise InvalidRequest(
                "A tool is required, and none of those offered can be used with this model.",
                param="tool_choice",
            )
        return fields
    # Servers like OpenAI may not know `strict`; who asks in Chat's words knows which.
    strict = not plain or request.protocol == PROTOCOL
    fields["tools"] = [
        _custom(tool) if tool.custom else _function(tool, target, strict=strict) for tool in offered
    ]
    if choice is not None:
        fields["tool_choice"] = _choice(choice, offered, plain=plain)
    if request.parallel_tools is False and target.rules.parallel_tools:
        fields["parallel_tool_calls"] = False
    return fields


def _function(tool: Tool, target: Target, *, strict: bool) -> Fields:
    schema = tool_schema(tool.schema, root_unions=target.rules.root_unions)
    function: Fields = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    function["parameters"] = schema
    # OpenAI refuses to be strict with a schema that leaves anything open.
    if tool.strict and strict and is_strict(schema):
        function["strict"] = True
    return {"type": "function", "function": function}


def _custom(tool: Tool) -> Fields:
    custom: Fields = {"name": tool.name}
    if tool.description:
        custom["description"] = tool.description
    form = dict(tool.grammar or {})
    if form.get("type") == "grammar":
        nested = form.get("grammar") or {key: form[key] for key in ("syntax", "definition") if key in form}
        custom["format"] = {"type": "grammar", "grammar": nested}
    elif form:
        custom["format"] = form
    return {"type": "custom", "custom": custom}


def _choice(choice: ToolChoice, offered: list[Tool], *, plain: bool) -> Any:
    """`tool_choice` in Chat's words."""
    if choice.mode is ChoiceMode.NAMED:
        return _named(choice.name, offered)
    if choice.allowed is None or plain or choice.mode is ChoiceMode.NONE:
        return choice.mode.value
    names = [tool.name for tool in offered if tool.name in choice.allowed]
    allowed = {"mode": choice.mode.value, "tools": [_named(name, offered) for name in names]}
    return {"type": "allowed_tools", "allowed_tools": allowed}


def _named(name: str, offered: list[Tool]) -> Fields:
    kind = "custom" if any(tool.custom for tool in offered if tool.name == name) else "function"
    return {"type": kind, kind: {"name": name}}


def _hosted(tool: HostedTool, request: GenerateRequest, target: Target, dropped: list[str]) -> Fields:
    """A tool that its vendor runs: only OpenAI's search models have one on Chat."""
    if tool.type == SEARCH and request.protocol == PROTOCOL:
        return {SEARCH: dict(tool.raw)}  # the client knows its server
    if tool.kind == "web_search" and target.vendor == "openai" and "-search" in target.model:
        return {SEARCH: _search_options(tool)}
    choice = request.tool_choice
    if choice is not None and choice.mode is ChoiceMode.NAMED and choice.hosted == tool.kind:
        raise InvalidRequest(
            f"The tool {tool.kind} is required, and this model has none.", param="tool_choice"
        )
    dropped.append(f"tools.{tool.kind}")
    return {}


def _search_options(tool: HostedTool) -> Fields:
    place = {key: value for key, value in (tool.user_location or {}).items() if key != "type"}
    location = {"user_location": {"type": "approximate", "approximate": place}} if place else {}
    size = tool.raw.get("search_context_size")
    return location | ({"search_context_size": size} if isinstance(size, str) else {})
