"""Tools of a fixed form that this protocol's clients run themselves: shells, patches, the search for tools.

Other protocols have no such types, but any model can call a function of the same name with the same
arguments. So such a tool is offered as a function, and the model's call goes back to the client as the
item that it knows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from attrs import frozen

from shunt.inference.arguments import as_object
from shunt.inference.request import GenerateRequest, Tool
from shunt.protocols.openai_responses.content import NAME
from shunt.wire import json

Raw = Mapping[str, Any]

_STRINGS: Final = {"type": "array", "items": {"type": "string"}}


@frozen
class ClientTool:
    """One such tool, under its name, which is also its type."""

    name: str
    call: str
    """Type of the item that is a call."""
    output: str
    """Type of the item that holds what came of it."""
    description: str
    schema: Mapping[str, Any]
    arguments: Callable[[Raw], Any]
    """What a call item says, as the function's arguments."""
    item: Callable[[dict[str, Any]], dict[str, Any]]
    """What the arguments say, as fields of a call item."""


def _shell_item(arguments: dict[str, Any]) -> dict[str, Any]:
    return {"action": {**arguments, "commands": _strings(arguments.get("commands"))}}


def _local_shell_item(arguments: dict[str, Any]) -> dict[str, Any]:
    command = arguments.get("command")
    words = ["bash", "-lc", command] if isinstance(command, str) else _strings(command)
    env = arguments.get("env")
    return {
        "action": {**arguments, "type": "exec", "command": words, "env": env if isinstance(env, dict) else {}}
    }


def _action(item: Raw) -> Any:
    action = item.get("action")
    found = action if isinstance(action, dict) else {}
    return {name: value for name, value in found.items() if name != "type"}


def _strings(found: Any) -> list[str]:
    if isinstance(found, str):
        return [found]
    return (
        [one if isinstance(one, str) else json.encode(one).decode() for one in found or ()]
        if isinstance(found, list)
        else []
    )


CLIENT_TOOLS: Final = (
    ClientTool(
        name="local_shell",
        call="local_shell_call",
        output="local_shell_call_output",
        description="Runs a command on the user's machine and returns what it printed.",
        schema={
            "type": "object",
            "properties": {
                "command": {**_STRINGS, "description": "The program and its arguments."},
                "working_directory": {"type": "string"},
                "timeout_ms": {"type": "integer"},
                "env": {"type": "object", "additionalProperties": {"type": "string"}},
            },
            "required": ["command"],
        },
        arguments=_action,
        item=_local_shell_item,
    ),
    ClientTool(
        name="shell",
        call="shell_call",
        output="shell_call_output",
        description="Runs shell commands one after the other and returns what each printed.",
        schema={
            "type": "object",
            "properties": {
                "commands": {**_STRINGS, "description": "Command lines, run in this order."},
                "timeout_ms": {"type": "integer"},
                "max_output_length": {"type": "integer"},
            },
            "required": ["commands"],
        },
        arguments=_action,
        item=_shell_item,
    ),
    ClientTool(
        name="apply_patch",
        call="apply_patch_call",
        output="apply_patch_call_output",
        description="Creates, changes or deletes one file of the workspace.",
        schema={
            "type": "object",
            "properties": {
                "type": {"type": "string", "enum": ["create_file", "update_file", "delete_file"]},
                "path": {"type": "string", "description": "Path within the workspace."},
                "diff": {"type": "string", "description": "The change as a V4A diff; not for delete_file."},
            },
            "required": ["type", "path"],
        },
        arguments=lambda item: item.get("operation") or {},
        item=lambda arguments: {"operation": arguments},
    ),
    ClientTool(
        name="tool_search",
        call="tool_search_call",
        output="tool_search_output",
        description="Finds further tools by what they do.",
        schema={
            "type": "object",
            "properties": {"query": {"type": "string"}, "limit": {"type": "number"}},
            "required": ["query"],
        },
        arguments=lambda item: item.get("arguments") or {},
        item=lambda arguments: {"arguments": arguments, "execution": "client"},
    ),
)

_BY_NAME: Final = {tool.name: tool for tool in CLIENT_TOOLS}
BY_CALL: Final = {tool.call: tool for tool in CLIENT_TOOLS}
BY_OUTPUT: Final = {tool.output: tool for tool in CLIENT_TOOLS}


def offered(raw: Raw) -> Tool | None:
    """A tool of a client's request as a function; None when it is no such tool, or the vendor runs it."""
    known = _BY_NAME.get(str(raw.get("type")))
    if known is None:
        return None
    environment = raw.get("environment")
    if isinstance(environment, dict) and str(environment.get("type")).startswith("container"):
        return None
    if known.name == "tool_search" and raw.get("execution") != "client":
        return None
    said, schema = raw.get("description"), raw.get("parameters")
    return Tool(
        known.name,
        said if isinstance(said, str) and said else known.description,
        schema if isinstance(schema, dict) else known.schema,
        raw=raw,
    )


def called(name: str, request: GenerateRequest) -> ClientTool | None:
    """The tool that a call of this name means in an answer to `request`; None for an ordinary function."""
    known = _BY_NAME.get(name)
    if known is None or request.protocol != NAME:
        return None
    typed = any(
        isinstance(tool, Tool) and tool.name == name and not tool.namespace and tool.raw.get("type") == name
        for tool in request.tools
    )
    return known if typed else None


def call_item(known: ClientTool, call_id: str, arguments: str) -> dict[str, Any]:
    """A model's call as the client's item, without its id."""
    return {
        "type": known.call,
        "call_id": call_id,
        "status": "completed",
        **known.item(as_object(arguments)),
    }
