"""The Messages record."""

from __future__ import annotations

from shunt.protocols.anthropic_messages.protocol import PROTOCOL


def test_keep_alives_are_the_vendors_pings() -> None:
    """Claude Code counts them as signs of life."""
    assert PROTOCOL.keep_alive(0) == PROTOCOL.keep_alive(7) == b'event: ping\ndata: {"type": "ping"}\n\n'


def test_a_held_stream_is_answered_before_claude_code_gives_up() -> None:
    """It waits 360 s for the first header."""
    assert PROTOCOL.hold_silent == 240
