"""The client's tools, offered as an MCP server."""

from __future__ import annotations

from typing import Any

import pytest

from shunt.upstream.claude_code.plan import Tool
from shunt.upstream.claude_code.tool_server import answered, call_of, control_response, handshake

TOOL = Tool("look", "look", "Looks.", {"properties": {"x": {"type": "string"}}})
CALL = {"id": 5, "method": "tools/call", "params": {"name": "look", "_meta": {"claudecode/toolUseId": "t1"}}}


def test_the_handshake() -> None:
    """The program's version is taken, tools are offered, notifications and pings are acknowledged."""
    begun = handshake({"id": 0, "method": "initialize", "params": {"protocolVersion": "2030-01-01"}}, [TOOL])
    assert begun is not None
    assert begun["result"]["protocolVersion"] == "2030-01-01"
    listed = handshake({"id": 1, "method": "tools/list"}, [TOOL])
    assert listed is not None
    (offer,) = listed["result"]["tools"]
    assert (offer["name"], offer["inputSchema"]["type"]) == ("look", "object")
    assert handshake({"method": "notifications/initialized"}, []) == {"jsonrpc": "2.0", "result": {}}
    assert handshake({"id": 2, "method": "ping"}, []) == {"jsonrpc": "2.0", "result": {}, "id": 2}


def test_unknown_methods_are_refused() -> None:
    """With JSON-RPC's own number for it."""
    refused = handshake({"id": 3, "method": "resources/list"}, [])
    assert refused is not None
    assert refused["error"]["code"] == -32601


def test_a_call_is_left_to_the_client() -> None:
    """With the id of the model's block, by which its result will come."""
    assert handshake(CALL, [TOOL]) is None
    call = call_of("r1", CALL)
    assert (call.request, call.rpc, call.tool_use, call.name) == ("r1", 5, "t1", "look")
    assert call_of("r1", {"method": "tools/call"}).tool_use == ""


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (None, []),
        ("sun", [{"type": "text", "text": "sun"}]),
        ([{"type": "text", "text": "sun"}], [{"type": "text", "text": "sun"}]),
        (
            [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QUJD"}}],
            [{"type": "image", "data": "QUJD", "mimeType": "image/png"}],
        ),
        (
            [{"type": "document", "source": {"type": "text", "data": "page"}}],
            [{"type": "text", "text": "page"}],
        ),
        (
            [{"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}],
            [{"type": "text", "text": "[image: https://example.com/a.png]"}],
        ),
        (5, []),
    ],
)
def test_results_are_carried(content: Any, parts: list[Any]) -> None:
    """Texts, images and documents; errors stay errors."""
    told = answered(call_of("r1", CALL), {"content": content, "is_error": True})
    assert (told["id"], told["result"]) == (5, {"content": parts, "isError": True})


def test_replies_are_wrapped_for_the_pipe() -> None:
    """As the program's control protocol wants it."""
    wrapped = control_response("r1", {"id": 1})
    assert wrapped["response"]["request_id"] == "r1"
    assert wrapped["response"]["response"] == {"mcp_response": {"id": 1}}
