"""Tools and tool choice of a Messages request."""

from __future__ import annotations

import re
from typing import Final

from attrs import evolve

from shunt.errors import InvalidRequest
from shunt.inference.request import ChoiceMode, HostedTool, Tool, ToolChoice
from shunt.protocols.anthropic_messages.client_tools import described
from shunt.protocols.anthropic_messages.read_blocks import read_cache
from shunt.protocols.fields import Fields

Tools = tuple[Tool | HostedTool, ...]

_VERSION: Final = re.compile(r"_\d{8}$")
_MODES: Final = {
    "auto": ChoiceMode.AUTO,
    "any": ChoiceMode.REQUIRED,
    "tool": ChoiceMode.NAMED,
    "none": ChoiceMode.NONE,
}


def read_tool(tool: Fields) -> Tool | HostedTool:
    """One entry of `tools`. What it is says its type, never its name."""
    kind = kind_of(tool.text("type"))
    if not kind:
        return Tool(
            name=tool.required_text("name"),
            description=tool.text("description"),
            schema=tool.mapping("input_schema"),
            strict=tool.flag("strict"),
            deferred=tool.flag("defer_loading") or False,
            cache=read_cache(tool),
            raw=tool.document,
        )
    name = tool.text("name")
    if known := described(kind):
        # The client runs it: for a model that does not know its type it is a function like any other.
        description, schema = known
        return Tool(name or kind, description, schema, cache=read_cache(tool), raw=tool.document)
    return HostedTool(
        kind=kind,
        type=tool.text("type"),
        name=name,
        allowed_domains=tool.texts("allowed_domains"),
        blocked_domains=tool.texts("blocked_domains"),
        user_location=tool.mapping("user_location"),
        max_uses=tool.count("max_uses"),
        raw=tool.document,
    )


def read_choice(body: Fields, tools: Tools) -> tuple[ToolChoice | None, bool | None]:
    """`tool_choice`, and whether parallel calls are switched off in it (None: nothing was said)."""
    choice = body.object("tool_choice")
    if choice is None:
        return None, None
    off = choice.flag("disable_parallel_tool_use")
    parallel = None if off is None else not off
    mode = _MODES.get(choice.text("type"))
    if mode is None:
        place = choice.path("type")
        raise InvalidRequest(f"`{place}` must be one of {', '.join(_MODES)}.", param=place)
    if mode is not ChoiceMode.NAMED:
        return ToolChoice(mode), parallel
    name = choice.required_text("name")
    hosted = next((t.kind for t in tools if isinstance(t, HostedTool) and t.name == name), "")
    return ToolChoice(mode, name, hosted=hosted), parallel


def kind_of(type_: str) -> str:
    """A versioned type without its version; empty for a tool that the client describes itself."""
    kind = _VERSION.sub("", type_)
    if kind.startswith("tool_search"):
        return "tool_search"
    return "" if kind in ("custom", "function") else kind


class ToolSet:
    """The tools on offer, as messages in the middle of the conversation change them."""

    def __init__(self, tools: Tools) -> None:
        self._tools: dict[str, Tool | HostedTool] = {}
        for tool in tools:
            self._tools.setdefault(_key(tool), tool)
        self._gone: set[str] = set()

    def change(self, block: Fields) -> None:
        """A `tool_addition` or `tool_removal` block."""
        tool = block.object("tool")
        if tool is None:
            return
        definition = tool.object("definition")
        if definition is not None:
            added = read_tool(definition)
            self._tools[_key(added)] = evolve(added, deferred=False) if isinstance(added, Tool) else added
        name = tool.text("name") if definition is None else _key(read_tool(definition))
        if block.text("type") == "tool_removal":
            self._gone.add(name)
        else:
            self._gone.discard(name)

    def tools(self) -> Tools:
        """What is on offer at the end."""
        return tuple(tool for key, tool in self._tools.items() if key not in self._gone)


def _key(tool: Tool | HostedTool) -> str:
    return tool.name if isinstance(tool, Tool) else tool.name or tool.type
