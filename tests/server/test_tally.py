"""What is refused is counted, each thing under its own name."""

from __future__ import annotations

from shunt.server.tally import Refusal, Tally


def test_counts_by_reason() -> None:
    """What never happened is left out; the rest is counted."""
    tally = Tally()
    assert tally.counts == {}
    for refusal in (Refusal.HOST, Refusal.BODY, Refusal.HOST):
        tally.add(refusal)
    assert tally.counts == {"host": 2, "body_size": 1}
