"""`[claude_code]` as people write it."""

from __future__ import annotations

from shunt.config.claude_code import ClaudeCodeConfig
from shunt.config.types import TABLES


def test_the_limits_are_those_people_know() -> None:
    """Five at once, thirty seconds in the queue, a sign of life every fifteen."""
    settings = ClaudeCodeConfig()
    assert (settings.max_concurrent, settings.queue_timeout, settings.heartbeat) == (5, 30.0, 15.0)
    assert TABLES["claude_code"] is ClaudeCodeConfig
