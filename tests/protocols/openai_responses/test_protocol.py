"""The Responses record."""

from __future__ import annotations

from shunt.protocols.openai_responses.protocol import PROTOCOL


def test_keep_alives_are_comments_and_now_and_then_an_event() -> None:
    """Codex may count only parsed events; the event has data, or SDKs would raise on it."""
    written = [PROTOCOL.keep_alive(nth) for nth in range(8)]
    assert written.count(b": keep-alive\n\n") == 6
    assert written[3] == written[7] == b'event: keepalive\ndata: {"type":"keepalive"}\n\n'


def test_a_held_stream_is_answered_before_tunnels_cut() -> None:
    """They do so at 100 to 120 s."""
    assert PROTOCOL.hold_silent == 100
