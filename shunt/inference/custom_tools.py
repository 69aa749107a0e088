"""Custom tools, whose input is free text, for targets whose tools all take JSON."""

from __future__ import annotations

from typing import Final

from attrs import evolve

from shunt.inference.arguments import INPUT, wrapped
from shunt.inference.content import Part, ToolCall, ToolResult
from shunt.inference.request import GenerateRequest, HostedTool, Tool

SCHEMA: Final = {
    "type": "object",
    "properties": {INPUT: {"type": "string", "description": "The tool's whole input, as plain text."}},
    "required": [INPUT],
    "additionalProperties": False,
}


def as_functions(request: GenerateRequest) -> GenerateRequest:
    """The request with every custom tool, call and result as a function with one string, `input`.

    `restoration.Restoration` turns the calls in the answer back.
    """
    choice = request.tool_choice
    return evolve(
        request,
        tools=tuple(_as_function(tool) for tool in request.tools),
        messages=tuple(
            evolve(message, parts=tuple(_as_json(part) for part in message.parts))
            for message in request.messages
        ),
        tool_choice=evolve(choice, custom=False) if choice is not None else None,
    )


def _as_function(tool: Tool | HostedTool) -> Tool | HostedTool:
    if isinstance(tool, HostedTool) or not tool.custom:
        return tool
    return evolve(tool, custom=False, schema=SCHEMA, grammar=None, description=_described(tool), raw={})


def _described(tool: Tool) -> str:
    """The description, with the grammar that the input must follow: the model is held to it by words."""
    grammar = tool.grammar or {}
    inner = grammar.get("grammar")
    facts = inner if isinstance(inner, dict) else grammar  # Chat nests it one level deeper
    definition = facts.get("definition")
    if not isinstance(definition, str):
        return tool.description
    form = f"`{INPUT}` must follow this {facts.get('syntax') or ''} grammar:".replace("  ", " ")
    return "\n\n".join(filter(None, (tool.description, f"{form}\n{definition}")))


def _as_json(part: Part) -> Part:
    match part:
        case ToolCall(custom=True):
            return evolve(part, custom=False, arguments=wrapped(part.arguments))
        case ToolResult(custom=True):
            return evolve(part, custom=False)
        case _:
            return part
