"""Prompt-cache breakpoints."""

from __future__ import annotations

from typing import Any

from shunt.protocols.anthropic_messages.cache_marks import place

MARK = {"cache_control": {"type": "ephemeral"}}


def block(text: str, **fields: Any) -> dict[str, Any]:
    return {"type": "text", "text": text, **fields}


def marked(value: Any) -> list[str]:
    """Names and texts of what carries a breakpoint, in order."""
    found: list[str] = []
    if isinstance(value, dict):
        if "cache_control" in value:
            found.append(str(value.get("name") or value.get("text") or value.get("type")))
        for key in ("tools", "system", "messages", "content"):
            found += marked(value.get(key))
    elif isinstance(value, list):
        for item in value:
            found += marked(item)
    return found


def test_where_the_client_sets_none() -> None:
    """The last tool that is shown, the last system text and the user's last words are marked."""
    document: dict[str, Any] = {
        "tools": [{"name": "a"}, {"name": "b"}, {"name": "late", "defer_loading": True}],
        "system": [block("s1"), block("s2")],
        "messages": [
            {"role": "user", "content": [block("u1")]},
            {"role": "assistant", "content": [block("a1")]},
            {"role": "user", "content": [block("u2"), {"type": "tool_result", "content": [block("in")]}]},
            {"role": "system", "content": [block("now")]},
        ],
    }
    place(document)
    assert marked(document) == ["b", "s2", "tool_result"]


def test_the_clients_own_stay_alone() -> None:
    """Where the client has set one, or leaves it to the vendor, none is added."""
    document: dict[str, Any] = {"messages": [{"role": "user", "content": [block("u1", **MARK), block("u2")]}]}
    place(document)
    assert marked(document) == ["u1"]
    document = {"messages": [{"role": "user", "content": [block("u1")]}], **MARK}
    place(document)
    assert marked(document) == ["None"]


def test_of_too_many_the_last_four_stay() -> None:
    """The vendor takes four; those nearest to the end cache the most."""
    inner = {"type": "tool_result", "content": [block("in", **MARK)]}
    document = {
        "tools": [{"name": "t", **MARK}],
        "system": [block("s1", **MARK), block("s2", **MARK)],
        "messages": [{"role": "user", "content": [inner, block("u1", **MARK), block("u2", **MARK)]}],
    }
    place(document)
    assert marked(document) == ["s2", "in", "u1", "u2"]


def test_a_short_request_has_few() -> None:
    """There may be neither tools nor system texts, and content without text."""
    document: dict[str, Any] = {
        "messages": [{"role": "user", "content": [{"type": "tool_result", "content": "s"}]}]
    }
    place(document)
    assert marked(document) == ["tool_result"]
