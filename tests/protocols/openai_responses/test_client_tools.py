"""Tools of a fixed form that the client runs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shunt.inference.request import GenerateRequest, Tool
from shunt.protocols.openai_responses.client_tools import BY_CALL, CLIENT_TOOLS, call_item, called, offered


@pytest.mark.parametrize("known", CLIENT_TOOLS, ids=lambda tool: tool.name)
def test_each_is_offered_as_a_function_with_a_schema(known: Any) -> None:
    """A function without one would be called with nothing."""
    tool = offered({"type": known.name, "execution": "client"})
    assert tool is not None
    assert (tool.name, tool.custom) == (known.name, False)
    assert tool.description
    assert tool.schema
    assert tool.schema["properties"]


def test_a_tool_that_brings_its_own_words_keeps_them() -> None:
    """As Codex's search for tools does."""
    raw = {
        "type": "tool_search",
        "execution": "client",
        "description": "own",
        "parameters": {"type": "object"},
    }
    tool = offered(raw)
    assert tool is not None
    assert (tool.description, tool.schema) == ("own", {"type": "object"})


@pytest.mark.parametrize(
    "raw",
    [
        {"type": "tool_search"},
        {"type": "tool_search", "execution": "server"},
        {"type": "shell", "environment": {"type": "container_auto"}},
        {"type": "web_search"},
        {},
    ],
)
def test_what_the_vendor_runs_is_none_of_them(raw: dict[str, Any]) -> None:
    """No client could answer the call."""
    assert offered(raw) is None


@pytest.mark.parametrize(
    ("kind", "item"),
    [
        ("local_shell_call", {"action": {"type": "exec", "command": ["ls", "-l"], "env": {"A": "b"}}}),
        ("shell_call", {"action": {"commands": ["ls", "pwd"], "timeout_ms": 5}}),
        ("apply_patch_call", {"operation": {"type": "create_file", "path": "a", "diff": "+x"}}),
        ("tool_search_call", {"arguments": {"query": "git"}, "execution": "client"}),
    ],
)
def test_a_call_says_the_same_both_ways(kind: str, item: dict[str, Any]) -> None:
    """As arguments of a function, and as the item."""
    known = BY_CALL[kind]
    arguments = json.dumps(known.arguments(item))
    assert call_item(known, "c", arguments) == {"type": kind, "call_id": "c", "status": "completed", **item}


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        ('{"command":"ls -l"}', ["bash", "-lc", "ls -l"]),
        ('{"command":[1]}', ["1"]),
        ("{}", []),
        ("nonsense", []),
    ],
)
def test_models_call_loosely(arguments: str, command: list[str]) -> None:
    """The client gets the form that it can run."""
    item = call_item(BY_CALL["local_shell_call"], "c", arguments)
    assert item["action"]["command"] == command
    assert item["action"]["env"] == {}


def test_only_a_client_that_offered_the_form_gets_it() -> None:
    """A function of the same name stays a function, as do all tools of other protocols."""
    typed = Tool("shell", raw={"type": "shell"})
    assert called("shell", GenerateRequest("m", "openai-responses", tools=(typed,))) is not None
    assert (
        called(
            "shell",
            GenerateRequest("m", "openai-responses", tools=(Tool("shell", raw={"type": "function"}),)),
        )
        is None
    )
    assert called("shell", GenerateRequest("m", "openai-chat", tools=(typed,))) is None
    assert called("f", GenerateRequest("m", "openai-responses")) is None
