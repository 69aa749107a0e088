"""Blocks for a client."""

from __future__ import annotations

from typing import Any

import pytest

from shunt.inference.content import (
    Citation,
    Foreign,
    HostedCall,
    HostedResult,
    Part,
    Refusal,
    Seal,
    SealForm,
    SearchHit,
    Text,
    Thinking,
    ToolCall,
)
from shunt.inference.envelope import wrap
from shunt.protocols.anthropic_messages.show_parts import hosted_id, show, shown_seal, tool_name

SIGNED = Seal("anthropic", SealForm.SIGNATURE, "sig")
REDACTED = Seal("anthropic", SealForm.REDACTED, "data")
FOREIGN = Seal("codex", SealForm.ENCRYPTED, "gAAAA", "acc")
RAN = {"type": "code_execution_tool_result", "tool_use_id": "srvtoolu_1", "content": {}}


@pytest.mark.parametrize(
    ("part", "block"),
    [
        (Text("a"), {"type": "text", "text": "a"}),
        (Text(""), None),
        (Text(" \n"), None),
        (Refusal("no"), {"type": "text", "text": "no"}),
        (
            Text("a", (Citation("u", "t"), Citation(raw={"type": "page_location", "cited_text": "c"}))),
            {
                "type": "text",
                "text": "a",
                "citations": [
                    {
                        "type": "web_search_result_location",
                        "url": "u",
                        "title": "t",
                        "cited_text": "",
                        "encrypted_index": "",
                    },
                    {"type": "page_location", "cited_text": "c"},
                ],
            },
        ),
        (Thinking("hm", SIGNED), {"type": "thinking", "thinking": "hm", "signature": "sig"}),
        (Thinking("hm"), {"type": "thinking", "thinking": "hm", "signature": ""}),
        (Thinking("hm", FOREIGN), {"type": "thinking", "thinking": "hm", "signature": wrap(FOREIGN)}),
        (Thinking("", SIGNED), {"type": "thinking", "thinking": "", "signature": "sig"}),
        (Thinking("", REDACTED), {"type": "redacted_thinking", "data": "data"}),
        (Thinking("", FOREIGN), {"type": "redacted_thinking", "data": wrap(FOREIGN)}),
        (Thinking(), None),
        (ToolCall("c", "f", '{"x":1}'), {"type": "tool_use", "id": "c", "name": "f", "input": {"x": 1}}),
        (
            ToolCall("c", "f", "{x", namespace="ns"),
            {"type": "tool_use", "id": "c", "name": "ns__f", "input": {"raw_arguments": "{x"}},
        ),
        (
            ToolCall("c", "p", "+a", custom=True),
            {"type": "tool_use", "id": "c", "name": "p", "input": {"input": "+a"}},
        ),
        (
            HostedCall("ws-1", "web_search", '{"query":"q"}'),
            {"type": "server_tool_use", "id": "srvtoolu_ws_1", "name": "web_search", "input": {"query": "q"}},
        ),
        (HostedCall("fs_1", "file_search"), None),
        (
            HostedCall("srvtoolu_1", "code_execution", "{}", raw={"type": "server_tool_use"}),
            {"type": "server_tool_use", "id": "srvtoolu_1", "name": "code_execution", "input": {}},
        ),
        (
            HostedResult("ws-1", "web_search", (SearchHit("u", "t", opaque="E"), SearchHit("v"))),
            {
                "type": "web_search_tool_result",
                "tool_use_id": "srvtoolu_ws_1",
                "content": [
                    {
                        "type": "web_search_result",
                        "url": "u",
                        "title": "t",
                        "page_age": None,
                        "encrypted_content": "E",
                    },
                    {
                        "type": "web_search_result",
                        "url": "v",
                        "title": "v",
                        "page_age": None,
                        "encrypted_content": "",
                    },
                ],
            },
        ),
        (
            HostedResult("ws", "web_search", error="exploded"),
            {
                "type": "web_search_tool_result",
                "tool_use_id": "srvtoolu_ws",
                "content": {"type": "web_search_tool_result_error", "error_code": "unavailable"},
            },
        ),
        (HostedResult("srvtoolu_1", "code_execution", raw=RAN), RAN),
        (HostedResult("ci_1", "code_interpreter", text="42"), None),
        (Foreign("anthropic-messages", "novel", {"type": "novel"}), {"type": "novel"}),
        (Foreign("openai-responses", "novel", {"type": "novel"}), None),
    ],
)
def test_every_part_is_shown(part: Part, block: dict[str, Any] | None) -> None:
    """What the client has a word for is shown; nothing is shown empty."""
    assert show(part) == block


def test_no_seal_is_made_up() -> None:
    """A signature is the vendor's own, or an envelope, or nothing."""
    assert shown_seal(None, SealForm.SIGNATURE) == ""
    assert shown_seal(SIGNED, SealForm.SIGNATURE) == "sig"
    assert shown_seal(REDACTED, SealForm.SIGNATURE) == wrap(REDACTED)


def test_names_and_ids() -> None:
    """Namespaces are joined to names; ids of hosted calls have the vendor's form, once."""
    assert tool_name(ToolCall("c", "f")) == "f"
    assert hosted_id(hosted_id("ws.1")) == "srvtoolu_ws_1"
