"""Tools and the choice among them, for an upstream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from shunt.errors import InvalidRequest
from shunt.inference.request import ChoiceMode, GenerateRequest, HostedTool, Tool, ToolChoice
from shunt.inference.schemas import tool_schema
from shunt.models.rules import ModelRules
from shunt.protocols.openai_responses.content import NAME
from shunt.protocols.openai_responses.search import WEB_SEARCH

Raw = dict[str, Any]

_PLACE: Final = ("city", "country", "region", "timezone")


def write_tools(request: GenerateRequest, rules: ModelRules, dropped: list[str]) -> list[Raw]:
    """Every tool that the upstream can offer; what it cannot is named in `dropped`.

    Raises InvalidRequest when the tool that is forced is one of those.
    """
    tools: list[Raw] = []
    spaces: dict[str, Raw] = {}
    for tool in request.tools:
        if isinstance(tool, HostedTool):
            written = _write_hosted(tool, request, dropped)
            tools += [written] if written is not None else []
        elif tool.namespace:
            space = spaces.get(tool.namespace)
            if space is None:
                space = spaces[tool.namespace] = _write_namespace(tool)
                tools.append(space)
            space["tools"].append(_write_tool(tool, request, rules))
        else:
            tools.append(_write_tool(tool, request, rules))
    return tools


def write_choice(request: GenerateRequest, tools: list[Raw]) -> Any:
    """The value of `tool_choice`; None leaves it out."""
    choice = request.tool_choice
    if choice is None or not tools:
        return None
    if choice.allowed is not None:
        mode = "auto" if choice.mode in (ChoiceMode.AUTO, ChoiceMode.NONE) else "required"
        return {"type": "allowed_tools", "mode": mode, "tools": _allowed(choice.allowed, tools)}
    if choice.mode is not ChoiceMode.NAMED:
        return choice.mode.value
    if not choice.hosted:
        return _named(choice, tools)
    if len(tools) == 1:
        return "required"
    # Only some hosted tools can be forced by their type; any can be the only one that is allowed.
    return {"type": "allowed_tools", "mode": "required", "tools": _allowed((choice.hosted,), tools)}


def _write_tool(tool: Tool, request: GenerateRequest, rules: ModelRules) -> Raw:
    own = request.protocol == NAME
    written: Raw = {"type": "custom" if tool.custom else "function", "name": tool.name}
    if tool.description:
        written["description"] = tool.description
    if tool.custom:
        written["format"] = _write_format(tool.grammar)
    else:
        written["parameters"] = tool_schema(tool.schema, root_unions=rules.root_unions)
        # Left out it would mean strict. Anthropic's strict tools may have optional fields, ours not.
        if tool.strict is not None or not own:
            written["strict"] = tool.strict is True and request.protocol.startswith("openai")
    if own and tool.deferred:
        written["defer_loading"] = True
    return written


def _write_format(grammar: Mapping[str, Any] | None) -> Raw:
    if not grammar:
        return {"type": "text"}
    inner = grammar.get("grammar")  # Chat puts it one level deeper
    return {"type": "grammar", **inner} if isinstance(inner, dict) else dict(grammar)


def _write_namespace(tool: Tool) -> Raw:
    kept = tool.raw.get("namespace")
    said = kept.get("description") if isinstance(kept, dict) else ""
    return {
        "type": "namespace",
        "name": tool.namespace,
        "description": said or f"Tools of {tool.namespace}.",
        "tools": [],
    }


def _write_hosted(tool: HostedTool, request: GenerateRequest, dropped: list[str]) -> Raw | None:
    if request.protocol == NAME:
        return dict(tool.raw)
    if tool.kind == WEB_SEARCH:
        return _write_search(tool, dropped)
    choice = request.tool_choice
    if choice is not None and choice.hosted == tool.kind:
        raise InvalidRequest(
            f"The tool {tool.type} is forced, but the account that answers here does not have it.",
            param="tool_choice",
        )
    dropped.append(f"tools.{tool.type}")
    return None


def _write_search(tool: HostedTool, dropped: list[str]) -> Raw:
    written: Raw = {"type": WEB_SEARCH}
    if tool.allowed_domains:
        written["filters"] = {"allowed_domains": list(tool.allowed_domains)}
    if tool.user_location:
        place = {name: tool.user_location[name] for name in _PLACE if tool.user_location.get(name)}
        written["user_location"] = {"type": "approximate", **place}
    if isinstance(size := tool.raw.get("search_context_size"), str):
        written["search_context_size"] = size
    if tool.blocked_domains:
        dropped.append("blocked_domains")
    if tool.max_uses is not None:
        dropped.append("max_uses")
    return written


def _named(choice: ToolChoice, tools: list[Raw]) -> Raw:
    inner = [tool for space in tools for tool in space.get("tools", ())]
    kinds = {tool.get("name", tool["type"]): tool["type"] for tool in (*inner, *tools)}
    return {"type": kinds.get(choice.name, "function"), "name": choice.name}


def _allowed(names: tuple[str, ...], tools: list[Raw]) -> list[Raw]:
    found = []
    for tool in tools:
        kind, name = tool["type"], tool.get("name")
        if name in names and kind != "namespace":
            found.append({"type": kind, "name": name})
        elif name is None and any(kind.startswith(one) for one in names):
            found.append({"type": kind})
    return found
