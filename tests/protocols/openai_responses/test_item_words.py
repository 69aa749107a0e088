"""Items told in words."""

from __future__ import annotations

from typing import Any

import pytest

from shunt.protocols.openai_responses.item_words import output_told, told, tool_names


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (
            {
                "type": "code_interpreter_call",
                "code": "1+1",
                "outputs": [{"type": "logs", "logs": "2"}, {"type": "image"}],
            },
            "[Code was run]\n1+1\n2",
        ),
        ({"type": "code_interpreter_call", "code": None, "outputs": None}, "[Code was run]"),
        (
            {"type": "mcp_call", "server_label": "git", "name": "log", "arguments": "{}", "output": "abc"},
            "[git.log was called with {}]\nabc",
        ),
        (
            {"type": "mcp_call", "server_label": "git", "name": "log", "error": "down"},
            "[git.log was called with {}]\nError: down",
        ),
        (
            {
                "type": "file_search_call",
                "queries": ["cats"],
                "results": [{"filename": "a.md", "text": "purr"}],
            },
            "[Files were searched for: cats]\na.md: purr",
        ),
        ({"type": "image_generation_call", "result": "x"}, "[An image was generated]"),
        (
            {"type": "mcp_approval_request", "server_label": "git", "name": "push"},
            "[Approval was asked for git.push]",
        ),
        ({"type": "mcp_approval_response", "approve": False}, "[The user declined the call]"),
        ({"type": "program_output", "result": "42"}, "42"),
        ({"type": "compaction", "encrypted_content": "x"}, ""),
        ({"type": "novel", "text": " words "}, "words"),
        ({"type": "novel", "text": 5}, ""),
    ],
)
def test_what_items_say(item: dict[str, Any], words: str) -> None:
    """Nothing of what is sealed, or new to us without text."""
    assert told(item, item["type"]) == words


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("FILES", "FILES"),
        (None, ""),
        ({"a": 1}, '{"a":1}'),
        (
            [
                {"stdout": "out", "stderr": "err", "outcome": {"type": "exit", "exit_code": 2}},
                {"stdout": "", "stderr": "", "outcome": {"type": "timeout"}},
                {"stdout": "ok", "outcome": {"type": "exit", "exit_code": 0}},
                "bare",
                5,
            ],
            "out\nerr\n(exit code 2)\n(timed out)\nok\nbare",
        ),
    ],
)
def test_what_commands_printed(output: Any, words: str) -> None:
    """With how they ended, where it was not well."""
    assert output_told({"output": output}) == words


def test_names_of_tools_that_were_found() -> None:
    """Those of a namespace after its name."""
    tools = [
        {"name": "f"},
        {"type": "namespace", "name": "git", "tools": [{"name": "log"}, {}]},
        5,
        {"type": "web_search"},
    ]
    assert tool_names(tools) == ["f", "git__log"]
