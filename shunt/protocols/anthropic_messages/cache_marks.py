"""Prompt-cache breakpoints of a Messages request: at most four, and some where the client knows of none.

Only Anthropic's clients set breakpoints; for all others a long conversation would be read afresh, and paid
in full, at every turn.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

MOST: Final = 4
_MARK: Final = "cache_control"
_UNMARKED: Final = frozenset({"thinking", "redacted_thinking", "tool_reference"})
"""Blocks that take no breakpoint."""


def place(document: dict[str, Any]) -> None:
    """Set or thin out the breakpoints of a request that is written in full.

    Of too many the last ones stay: each caches all that stands before it.
    """
    if _MARK in document:
        return  # the vendor places them
    marked = [block for block in _blocks(document) if _MARK in block]
    for block in marked[: max(0, len(marked) - MOST)]:
        del block[_MARK]
    if not marked:
        for block in _ends(document):
            block[_MARK] = {"type": "ephemeral"}


def _blocks(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Everything that may carry a breakpoint, in the order in which the vendor reads it."""
    yield from document.get("tools") or ()
    yield from document.get("system") or ()
    for message in document["messages"]:
        for block in message["content"]:
            yield block
            inner = block.get("content")
            yield from (part for part in inner if isinstance(part, dict)) if isinstance(inner, list) else ()


def _ends(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The last tool, the last system text, and the last words of the user."""
    tools = [tool for tool in document.get("tools") or () if not tool.get("defer_loading")]
    yield from tools[-1:]
    yield from (document.get("system") or ())[-1:]
    for message in reversed(document["messages"]):
        if message["role"] == "user":
            yield from [block for block in message["content"] if block["type"] not in _UNMARKED][-1:]
            return
