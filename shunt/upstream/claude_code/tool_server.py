"""The client's tools as an MCP server inside the pipe to the program. Pure.

Read off the program's own requests (MCP 2025-11-25, JSON-RPC 2.0): `initialize`, `tools/list`,
`tools/call` with the id of the model's call in `_meta`. A call is not answered here: that is the client's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from attrs import frozen

from shunt.upstream.claude_code.plan import Block, Tool

CALL_ID: Final = "claudecode/toolUseId"
UNKNOWN_METHOD: Final = -32601


@frozen
class Call:
    """A tool call that waits for the client."""

    request: str
    """Id of the program's control request."""
    rpc: Any
    """Id of the JSON-RPC message inside."""
    tool_use: str
    """Id of the model's `tool_use` block; empty if the program did not say."""
    name: str


def handshake(message: Mapping[str, Any], tools: Iterable[Tool]) -> dict[str, Any] | None:
    """The answer to anything but a call; None when it is a call."""
    method, rpc = message.get("method"), message.get("id")
    if method == "tools/call":
        return None
    if method == "initialize":
        wanted = (message.get("params") or {}).get("protocolVersion", "2025-11-25")
        result: dict[str, Any] = {
            "protocolVersion": wanted,
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "client-tools", "version": "1"},
        }
    elif method == "tools/list":
        result = {"tools": [_offer(tool) for tool in tools]}
    elif method == "ping" or rpc is None:
        result = {}
    else:
        return {
            "jsonrpc": "2.0",
            "id": rpc,
            "error": {"code": UNKNOWN_METHOD, "message": f"no method {method}"},
        }
    return {"jsonrpc": "2.0", "result": result} | ({} if rpc is None else {"id": rpc})


def call_of(request: str, message: Mapping[str, Any]) -> Call:
    """Take a `tools/call` message."""
    parameters = message.get("params") or {}
    meta = parameters.get("_meta") or {}
    return Call(request, message.get("id"), str(meta.get(CALL_ID, "")), str(parameters.get("name", "")))


def answered(call: Call, result: Block) -> dict[str, Any]:
    """The client's `tool_result` as the answer to a call."""
    return {
        "jsonrpc": "2.0",
        "id": call.rpc,
        "result": {
            "content": _content(result.get("content")),
            "isError": result.get("is_error") is True,
        },
    }


def control_response(request: str, reply: Mapping[str, Any]) -> dict[str, Any]:
    """Wrap a JSON-RPC reply for the program's pipe."""
    return {
        "type": "control_response",
        "response": {"subtype": "success", "request_id": request, "response": {"mcp_response": reply}},
    }


def _offer(tool: Tool) -> dict[str, Any]:
    return {
        "name": tool.name,
        "description": tool.description,
        "inputSchema": {"type": "object", **tool.schema},
        # Lets the program hand over parallel calls together instead of one after the other.
        "annotations": {"readOnlyHint": True},
        # Every tool is told to the model, as the client asked, none is put off until it is searched for.
        "_meta": {"anthropic/alwaysLoad": True},
    }


def _content(content: object) -> list[dict[str, Any]]:
    if content is None:
        return []
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    if not isinstance(content, Sequence):
        return []
    return [part for block in content if isinstance(block, dict) for part in _part(block)]


def _part(block: Block) -> list[dict[str, Any]]:
    kind, source = block.get("type"), block.get("source") or {}
    if kind == "text":
        return [{"type": "text", "text": str(block.get("text", ""))}]
    if kind == "image" and source.get("type") == "base64":
        return [{"type": "image", "data": source.get("data"), "mimeType": source.get("media_type")}]
    if kind == "document" and source.get("type") == "text":
        return [{"type": "text", "text": str(source.get("data", ""))}]
    if kind == "document" and source.get("type") == "base64":
        name = str(block.get("title") or "document")
        resource = {
            "uri": f"file:///{name}",
            "mimeType": source.get("media_type"),
            "blob": source.get("data"),
        }
        return [{"type": "resource", "resource": resource}]
    where = source.get("url") or block.get("tool_name") or ""
    return [{"type": "text", "text": f"[{kind}{': ' + str(where) if where else ''}]"}]
