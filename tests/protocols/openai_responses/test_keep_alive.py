"""Signs of life."""

from __future__ import annotations

from shunt.protocols.openai_responses.keep_alive import held_keep_alive, keep_alive


def test_every_fourth_is_an_event() -> None:
    """Codex may count only those; comments cannot disturb anybody."""
    found = [keep_alive(n) for n in range(8)]
    assert [b"data:" in each for each in found] == [False, False, False, True] * 2
    assert b"data:" not in found[0]
    assert all(each.endswith(b"\n\n") for each in found)


def test_before_a_response_only_codex_is_sent_events() -> None:
    """The SDKs' helpers fail on a first event that creates no response; Codex may count nothing but events."""
    codex = ((b"originator", b"codex_exec"), (b"user-agent", b"codex_exec/0.169.0"))
    assert [b"data:" in held_keep_alive(n, codex) for n in range(4)] == [False, False, False, True]
    sdk = ((b"user-agent", b"OpenAI/Python 3.52.0"),)
    assert not any(b"data:" in held_keep_alive(n, sdk) for n in range(8))
