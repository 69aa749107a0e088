"""Tools and tool choice of a Messages request, written for a vendor."""

from __future__ import annotations

from typing import Any, Final

from shunt.errors import InvalidRequest
from shunt.inference.content import ToolCall
from shunt.inference.request import ChoiceMode, GenerateRequest, HostedTool, Tool
from shunt.inference.schemas import tool_schema
from shunt.models.rules import ModelRules
from shunt.protocols.anthropic_messages.read_blocks import NAME
from shunt.protocols.anthropic_messages.write_blocks import write_cache

Block = dict[str, Any]

WEB_SEARCH: Final = "web_search_20250305"
"""The version that every model with web search takes."""
_TYPES: Final = {
    ChoiceMode.AUTO: "auto",
    ChoiceMode.REQUIRED: "any",
    ChoiceMode.NAMED: "tool",
    ChoiceMode.NONE: "none",
}
_FORCED: Final = frozenset({ChoiceMode.REQUIRED, ChoiceMode.NAMED})


def write_tools(request: GenerateRequest, rules: ModelRules, dropped: list[str]) -> list[Block]:
    """The tools on offer. Raises InvalidRequest when a tool is forced that cannot be offered."""
    allowed = request.tool_choice.allowed if request.tool_choice is not None else None
    own = request.protocol == NAME
    written = []
    for tool in request.tools:
        if allowed is not None and isinstance(tool, Tool) and tool.name not in allowed:
            continue
        block = _tool(tool, rules, own=own) if isinstance(tool, Tool) else _hosted(tool, own=own)
        if block is not None:
            written.append(block)
            if isinstance(tool, HostedTool) and not own:
                dropped += _untold(tool)
        elif isinstance(tool, HostedTool):
            _miss(tool, request, dropped)
    return written


def remembered_tools(request: GenerateRequest) -> list[Block]:
    """The tools that the conversation has called, for a request that offers none any more.

    The vendor wants every tool in the history described; the choice `none` keeps the model from them.
    """
    calls = (part for message in request.messages for part in message.parts if isinstance(part, ToolCall))
    return [
        {"name": name, "input_schema": tool_schema(None, root_unions=False)}
        for name in dict.fromkeys(call.name for call in calls)
    ]


def write_choice(
    request: GenerateRequest, tools: list[Block], rules: ModelRules, dropped: list[str]
) -> Block | None:
    """`tool_choice`; None when there is nothing to choose from or nothing was said."""
    if not tools:
        return None
    choice = request.tool_choice
    mode = choice.mode if choice is not None else None
    if mode in _FORCED and not rules.forced_choice:
        dropped.append("tool_choice")
        mode = ChoiceMode.AUTO
    off = request.parallel_tools is False and mode is not ChoiceMode.NONE
    if mode is None and not off:
        return None
    block: Block = {"type": _TYPES[mode or ChoiceMode.AUTO]}
    if mode is ChoiceMode.NAMED and choice is not None:
        block["name"] = choice.hosted or choice.name
    if off:
        block["disable_parallel_tool_use"] = True
    return block


def is_forced(choice: Block | None) -> bool:
    """Whether the model has to use a tool."""
    return choice is not None and choice["type"] in ("any", "tool")


def _tool(tool: Tool, rules: ModelRules, *, own: bool) -> Block:
    block: Block = dict(tool.raw) if own else {}
    block["name"] = tool.name
    if not own or "input_schema" in block or block.get("type") in (None, "custom"):
        block["input_schema"] = tool_schema(tool.schema, root_unions=rules.root_unions)
        if tool.description:
            block["description"] = tool.description
    if tool.cache is not None:
        block["cache_control"] = write_cache(tool.cache)
    return block


def _hosted(tool: HostedTool, *, own: bool) -> Block | None:
    if own:
        return dict(tool.raw)
    if tool.kind != "web_search":
        return None
    block: Block = {"type": WEB_SEARCH, "name": "web_search"}
    if tool.allowed_domains:
        block["allowed_domains"] = list(tool.allowed_domains)
    elif tool.blocked_domains:  # the vendor takes one or the other
        block["blocked_domains"] = list(tool.blocked_domains)
    if tool.user_location:
        block["user_location"] = {"type": "approximate"} | dict(tool.user_location)
    if tool.max_uses:
        block["max_uses"] = tool.max_uses
    return block


def _untold(tool: HostedTool) -> list[str]:
    """What was asked of a search that the vendor's has no word for, by the client's names."""
    raw = tool.raw
    size, inside = raw.get("search_context_size"), raw.get("external_web_access") is False
    asked = {"search_context_size": size not in (None, "medium"), "external_web_access": inside}
    return [name for name, is_asked in asked.items() if is_asked]


def _miss(tool: HostedTool, request: GenerateRequest, dropped: list[str]) -> None:
    """A tool that only its own vendor runs: left out if the model is free, an error if it is forced."""
    choice = request.tool_choice
    if choice is not None and choice.mode is ChoiceMode.NAMED and choice.hosted == tool.kind:
        raise InvalidRequest(
            f"`tool_choice` asks for `{tool.type}`, which only its own vendor runs; offer a function in its place.",
            param="tool_choice",
        )
    dropped.append(f"tools.{tool.type}")
