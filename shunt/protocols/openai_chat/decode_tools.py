"""The tools of a Chat request and the choice between them, read.

Chat nests a tool's facts one level deeper than Responses does; Anthropic calls the schema `input_schema`.
Clients send all three shapes in Chat bodies.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from shunt.errors import InvalidRequest
from shunt.inference.request import ChoiceMode, HostedTool, Tool, ToolChoice
from shunt.protocols.fields import wrong
from shunt.protocols.openai_chat.parts import cache_mark
from shunt.wire import json

Fields = Mapping[str, Any]

_MODES: Final = {
    "auto": ChoiceMode.AUTO,
    "none": ChoiceMode.NONE,
    "required": ChoiceMode.REQUIRED,
    "any": ChoiceMode.REQUIRED,
}
_VERSION: Final = re.compile(r"(_\d{8}|_preview.*)$")


def decode_tools(tools: list[Any], where: str) -> tuple[Tool | HostedTool, ...]:
    """Read a list of tools. Raises InvalidRequest, naming the place."""
    return tuple(
        found for n, tool in enumerate(tools) for found in _tools(tool, f"{where}[{n}]", namespace="")
    )


def decode_choice(choice: Any) -> tuple[ToolChoice, bool | None]:
    """Read a tool choice, and whether it says anything of parallel calls. Raises InvalidRequest."""
    if isinstance(choice, str):
        if choice not in _MODES:
            raise InvalidRequest(
                f"`tool_choice` must be none, auto or required, got {choice!r}.", param="tool_choice"
            )
        return ToolChoice(_MODES[choice]), None
    if not isinstance(choice, dict):
        raise wrong("tool_choice", "a string or an object", choice)
    parallel = False if choice.get("disable_parallel_tool_use") is True else None
    return _choice(choice, choice.get("type")), parallel


def decode_function_choice(choice: Any) -> ToolChoice:
    """Read the older `function_call`: a mode, or the name of a function. Raises InvalidRequest."""
    if isinstance(choice, str) and choice in _MODES:
        return ToolChoice(_MODES[choice])
    if isinstance(choice, dict) and isinstance(name := choice.get("name"), str):
        return ToolChoice(ChoiceMode.NAMED, name)
    raise InvalidRequest(
        "`function_call` must be none, auto, or an object with a name.", param="function_call"
    )


def _tools(tool: Any, where: str, namespace: str) -> Iterator[Tool | HostedTool]:
    if not isinstance(tool, dict):
        raise wrong(where, "an object", tool)
    kind = tool.get("type")
    if kind == "namespace":
        inner = tool.get("tools")
        for n, one in enumerate(inner if isinstance(inner, list) else ()):
            yield from _tools(one, f"{where}.tools[{n}]", namespace=_str(tool, "name"))
    elif kind == "custom" and "input_schema" not in tool:
        yield _custom(tool, where, namespace)
    elif kind in (None, "function", "custom"):
        yield _function(tool, where, namespace)
    elif isinstance(kind, str):
        yield _hosted(tool, kind)
    else:
        raise wrong(f"{where}.type", "a string", kind)


def _function(tool: Fields, where: str, namespace: str) -> Tool:
    nested = tool.get("function")
    facts = nested if isinstance(nested, dict) else tool
    schema = facts.get("parameters") or facts.get("input_schema")
    if schema is not None and not isinstance(schema, dict):
        raise wrong(f"{where}.parameters", "an object", schema)
    strict = facts.get("strict")
    return Tool(
        name=_name(facts, where),
        description=_str(facts, "description"),
        schema=schema,
        strict=strict if isinstance(strict, bool) else None,
        namespace=namespace,
        deferred=tool.get("defer_loading") is True,
        cache=cache_mark(tool),
        raw=tool,
    )


def _custom(tool: Fields, where: str, namespace: str) -> Tool:
    nested = tool.get("custom")
    facts = nested if isinstance(nested, dict) else tool
    return Tool(
        name=_name(facts, where),
        description=_str(facts, "description"),
        custom=True,
        grammar=_grammar(facts.get("format")),
        namespace=namespace,
        raw=tool,
    )


def _grammar(form: Any) -> Fields | None:
    """A custom tool's format, flat as Responses writes it; Chat nests the grammar."""
    if not isinstance(form, dict):
        return None
    nested = form.get("grammar")
    return {"type": "grammar", **nested} if isinstance(nested, dict) else form


def _hosted(tool: Fields, kind: str) -> HostedTool:
    filters = tool.get("filters")
    facts = filters if isinstance(filters, dict) else tool
    location = tool.get("user_location")
    return HostedTool(
        kind=_VERSION.sub("", kind),
        type=kind,
        name=_str(tool, "name"),
        allowed_domains=_strings(facts.get("allowed_domains")),
        blocked_domains=_strings(facts.get("blocked_domains")),
        user_location=location if isinstance(location, dict) else None,
        max_uses=json.count(tool.get("max_uses")),
        raw=tool,
    )


def _choice(choice: Fields, kind: Any) -> ToolChoice:
    if kind == "allowed_tools":
        nested = choice.get("allowed_tools")
        facts = nested if isinstance(nested, dict) else choice
        tools = facts.get("tools")
        names = tuple(_chosen(tool) for tool in (tools if isinstance(tools, list) else ()))
        mode = ChoiceMode.REQUIRED if facts.get("mode") == "required" else ChoiceMode.AUTO
        return ToolChoice(mode, allowed=tuple(name for name in names if name))
    if kind in ("function", "custom", "tool"):
        name = _chosen(choice)
        if not name:
            raise InvalidRequest("`tool_choice` names no tool.", param="tool_choice")
        return ToolChoice(ChoiceMode.NAMED, name, custom=kind == "custom")
    if isinstance(kind, str) and kind in _MODES:
        return ToolChoice(_MODES[kind])
    if isinstance(kind, str):
        return ToolChoice(ChoiceMode.NAMED, hosted=_VERSION.sub("", kind))
    raise wrong("tool_choice.type", "a string", kind)


def _chosen(tool: Any) -> str:
    """The name in a choice, nested or flat."""
    if not isinstance(tool, dict):
        return ""
    nested = next((one for key in ("function", "custom") if isinstance(one := tool.get(key), dict)), tool)
    return _str(nested, "name")


def _name(facts: Fields, where: str) -> str:
    name = _str(facts, "name")
    if not name:
        raise InvalidRequest(f"`{where}` has no name.", param=where)
    return name


def _strings(values: Any) -> tuple[str, ...]:
    return tuple(one for one in (values if isinstance(values, list) else ()) if isinstance(one, str))


def _str(fields: Fields, name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""
