"""Tools and the choice among them, out of a client's request."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from shunt.errors import InvalidRequest
from shunt.inference.request import ChoiceMode, HostedTool, Tool, ToolChoice
from shunt.protocols.fields import wrong
from shunt.protocols.openai_responses import client_tools

Raw = Mapping[str, Any]

_WEB_SEARCH: Final = "web_search"
_MODES: Final = {"auto": ChoiceMode.AUTO, "required": ChoiceMode.REQUIRED, "none": ChoiceMode.NONE}


def read_tools(tools: list[Any], field: str) -> tuple[Tool | HostedTool, ...]:
    """Every tool of an array, those within namespaces included. Raises InvalidRequest, naming `field`.

    Tools in Chat's or Anthropic's form are understood as well: clients mix them up.
    """
    return tuple(tool for place, raw in enumerate(tools) for tool in _read(raw, f"{field}[{place}]"))


def read_choice(choice: Any) -> ToolChoice | None:
    """The `tool_choice` field. Raises InvalidRequest for what means nothing we know."""
    if choice is None:
        return None
    raw: Raw = {"type": choice} if isinstance(choice, str) else choice if isinstance(choice, dict) else {}
    kind = raw.get("type")
    if not isinstance(kind, str) or (kind not in _MODES and kind == choice):
        raise InvalidRequest(
            '`tool_choice` must be "auto", "required", "none", or an object that names a tool.',
            param="tool_choice",
        )
    if kind in _MODES:
        return ToolChoice(_MODES[kind])
    return _allowed(raw) if kind == "allowed_tools" else _named(raw, kind)


def _read(raw: Any, field: str) -> Iterator[Tool | HostedTool]:
    if not isinstance(raw, dict):
        raise wrong(field, "an object", raw)
    kind = raw.get("type")
    if kind is None and "input_schema" in raw:
        kind = "function"
    if not isinstance(kind, str) or not kind:
        raise InvalidRequest(f"`{field}.type` is missing.", param=field)
    if kind == "namespace":
        yield from _read_namespace(raw, field)
    elif reader := _READERS.get(kind):
        yield reader(raw, field)
    else:
        yield client_tools.offered(raw) or _read_hosted(raw, kind)


def _read_function(raw: Raw, field: str) -> Tool:
    inner = raw.get("function")
    facts: Raw = inner if isinstance(inner, dict) else raw
    schema = facts.get("parameters", facts.get("input_schema"))
    strict = facts.get("strict")
    return Tool(
        name=_name(facts, field),
        description=_text(facts.get("description")),
        schema=schema if isinstance(schema, dict) else None,
        strict=strict if isinstance(strict, bool) else None,
        deferred=raw.get("defer_loading") is True,
        raw=raw,
    )


def _read_custom(raw: Raw, field: str) -> Tool:
    inner = raw.get("custom")
    facts: Raw = inner if isinstance(inner, dict) else raw
    grammar = facts.get("format")
    return Tool(
        name=_name(facts, field),
        description=_text(facts.get("description")),
        custom=True,
        grammar=grammar if isinstance(grammar, dict) and grammar.get("type") != "text" else None,
        deferred=raw.get("defer_loading") is True,
        raw=raw,
    )


def _read_namespace(raw: Raw, field: str) -> Iterator[Tool]:
    space, tools = _name(raw, field), raw.get("tools")
    if not isinstance(tools, list):
        raise wrong(f"{field}.tools", "an array", tools)
    # The namespace's own words go with each of its tools, so that it can be put together again.
    kept = {"name": space, "description": _text(raw.get("description"))}
    for place, inner in enumerate(tools):
        if not isinstance(inner, dict):
            raise wrong(f"{field}.tools[{place}]", "an object", inner)
        reader = _read_custom if inner.get("type") == "custom" else _read_function
        tool = reader(inner, f"{field}.tools[{place}]")
        yield Tool(
            tool.name,
            tool.description,
            tool.schema,
            tool.strict,
            tool.custom,
            tool.grammar,
            space,
            tool.deferred,
            raw={**inner, "namespace": kept},
        )


def _read_hosted(raw: Raw, kind: str) -> HostedTool:
    filters = raw.get("filters")
    filters = filters if isinstance(filters, dict) else {}
    place = raw.get("user_location")
    return HostedTool(
        kind=_kind_of(kind),
        type=kind,
        allowed_domains=_names(filters.get("allowed_domains")),
        blocked_domains=_names(filters.get("blocked_domains")),
        user_location=place if isinstance(place, dict) else None,
        raw=raw,
    )


_READERS: Final[dict[str, Callable[[Raw, str], Tool]]] = {
    "function": _read_function,
    "custom": _read_custom,
}
_CLIENT_RUN: Final = frozenset(tool.name for tool in client_tools.CLIENT_TOOLS)


def _named(choice: Raw, kind: str) -> ToolChoice:
    name = _chosen_name(choice)
    if kind in _CLIENT_RUN:
        return ToolChoice(ChoiceMode.NAMED, kind)
    if kind not in ("function", "custom"):
        return ToolChoice(ChoiceMode.NAMED, hosted=_kind_of(kind))
    if not name:
        raise InvalidRequest("`tool_choice.name` is missing.", param="tool_choice")
    return ToolChoice(ChoiceMode.NAMED, name, custom=kind == "custom")


def _allowed(choice: Raw) -> ToolChoice:
    inner = choice.get("allowed_tools")
    facts: Raw = inner if isinstance(inner, dict) else choice
    mode, tools = facts.get("mode", "auto"), facts.get("tools")
    if mode not in ("auto", "required") or not isinstance(tools, list):
        raise InvalidRequest(
            '`tool_choice` of type "allowed_tools" needs `mode` "auto" or "required" and `tools`.',
            param="tool_choice",
        )
    names = (
        _chosen_name(tool) or _kind_of(str(tool.get("type"))) for tool in tools if isinstance(tool, dict)
    )
    return ToolChoice(_MODES[mode], allowed=tuple(names))


def _chosen_name(raw: Raw) -> str:
    """The tool's name, in this protocol's place or in Chat's."""
    inner = raw.get(str(raw.get("type")))
    return _text(raw.get("name")) or (_text(inner.get("name")) if isinstance(inner, dict) else "")


def _kind_of(kind: str) -> str:
    return _WEB_SEARCH if kind.startswith(_WEB_SEARCH) else kind


def _name(raw: Raw, field: str) -> str:
    name = raw.get("name")
    if not isinstance(name, str) or not name:
        raise InvalidRequest(f"`{field}.name` is missing.", param=field)
    return name


def _text(found: Any) -> str:
    return found if isinstance(found, str) else ""


def _names(found: Any) -> tuple[str, ...]:
    return tuple(name for name in found if isinstance(name, str)) if isinstance(found, list) else ()
