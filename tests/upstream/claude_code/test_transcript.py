"""Conversations as the program keeps them."""

from __future__ import annotations

import json
from typing import Any

from shunt.upstream.claude_code.transcript import transcript

TURNS: list[dict[str, Any]] = [
    {"role": "user", "content": [{"type": "text", "text": "hi"}]},
    {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "mcp__c__look", "input": {}}]},
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "sun"}]},
]


def test_each_turn_names_the_one_before() -> None:
    """A chain of lines of one session, in the program's words."""
    told = transcript("s1", TURNS, folder="/w", model="claude-opus-5-5", now=1_800_000_000)
    lines = [json.loads(line) for line in told.splitlines()]
    assert [line["type"] for line in lines] == ["user", "assistant", "user"]
    assert lines[0]["parentUuid"] is None
    assert [line["parentUuid"] for line in lines[1:]] == [line["uuid"] for line in lines[:-1]]
    assert {line["sessionId"] for line in lines} == {"s1"}
    assert lines[0]["timestamp"] == "2027-01-15T08:00:00.000Z"
    assert lines[1]["message"]["stop_reason"] == "tool_use"
    assert lines[2]["message"] == TURNS[2]


def test_the_same_conversation_gives_the_same_lines() -> None:
    """Nothing in it is random: a prompt cache sees what it saw before."""
    one, two = (transcript("s1", TURNS, folder="/w", model="m", now=1.0) for _ in range(2))
    assert one == two
