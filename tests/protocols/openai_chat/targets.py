"""Targets to write requests for, and what a server would refuse."""

from __future__ import annotations

import re
from typing import Any

from shunt.models.rules import rules_for
from shunt.protocols.codec import Target

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
PARTS = {"user": {"text", "image_url", "file"}, "assistant": {"text", "refusal"}}


def target(model: str = "gpt-4o", vendor: str = "compatible", origin: str = "api.example.org") -> Target:
    return Target(model, rules_for(model, vendor), vendor, origin, "acc")


OPENAI = target("gpt-5.1", "openai", "openai")
SERVER = target("llama3")


def assert_accepted(document: dict[str, Any]) -> None:
    """Assert what OpenAI demands of a conversation and its tools."""
    open_calls: list[str] = []
    for message in document["messages"]:
        role, content = message["role"], message.get("content")
        if role == "tool":
            assert message["tool_call_id"] in open_calls, "a result that follows no call"
            open_calls.remove(message["tool_call_id"])
            assert isinstance(content, str)
            continue
        assert not open_calls, f"calls without result: {open_calls}"
        assert role in ("system", "developer", "user", "assistant")
        for call in message.get("tool_calls", ()):
            facts = call[call["type"]]
            assert NAME.fullmatch(facts["name"])
            assert NAME.fullmatch(call["id"])
            assert isinstance(facts.get("arguments", facts.get("input")), str)
            open_calls.append(call["id"])
        if isinstance(content, list):
            assert content
            for part in content:
                assert part["type"] in PARTS.get(role, {"text"})
                assert set(part) == {"type", part["type"]}
        else:
            assert content or message.get("tool_calls") or message.get("refusal"), "an empty message"
    assert not open_calls, f"calls without result: {open_calls}"
    names = [tool[tool["type"]]["name"] for tool in document.get("tools", ())]
    assert len(set(names)) == len(names)
    assert all(NAME.fullmatch(name) for name in names)
