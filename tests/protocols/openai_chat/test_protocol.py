"""The Chat Completions record."""

from __future__ import annotations

from shunt.protocols.openai_chat.protocol import PROTOCOL


def test_keep_alives_are_comments() -> None:
    """SDKs raise on any event without a chunk in it."""
    assert PROTOCOL.keep_alive(0) == PROTOCOL.keep_alive(3) == b": keep-alive\n\n"


def test_a_held_stream_is_answered_before_tunnels_cut() -> None:
    """They do so at 100 to 120 s."""
    assert PROTOCOL.hold_silent == 100
