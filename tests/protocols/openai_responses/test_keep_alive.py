"""Signs of life."""

from __future__ import annotations

from shunt.protocols.openai_responses.keep_alive import keep_alive


def test_every_fourth_is_an_event() -> None:
    """Codex may count only those; comments cannot disturb anybody."""
    found = [keep_alive(n) for n in range(8)]
    assert [b"data:" in each for each in found] == [False, False, False, True] * 2
    assert b"data:" not in found[0]
    assert all(each.endswith(b"\n\n") for each in found)
