"""The page that explains one request."""

from __future__ import annotations

from shunt.tui.why import decided, explained
from tests.tui.scene import REQUEST, T0

DECISION = {
    "account": "coral",
    "why": "strategy maximus",
    "candidates": [
        {
            "account": "reef",
            "chosen": False,
            "refusal": "window_rejected",
            "detail": "5h window full",
            "back_at": T0 + 90,
            "fact": {"kind": "window", "source": "header", "seen_at": T0 - 12},
        },
        {"account": "coral", "chosen": True, "refusal": None, "detail": ""},
        {"account": "lagoon", "chosen": False, "refusal": None, "detail": ""},
    ],
}


def test_a_choice_names_every_candidate_and_what_stood_against_it() -> None:
    """With the fact, who told it, and when the account is back."""
    assert decided(DECISION, T0).plain.splitlines()[1:] == [
        "Chosen: coral (strategy maximus)",
        "    reef: refused, window rejected (5h window full) · told by header 12 s ago · back in 1 m 30 s",
        "  ▸ coral: chosen",
        "    lagoon: free, ranked lower",
    ]


def test_a_choice_of_nobody_says_so() -> None:
    """The request waited or was turned away."""
    assert "Nobody: all are cooling" in decided({"account": None, "why": "all are cooling"}, T0).plain


def test_a_request_is_told_from_why_to_phases() -> None:
    """What the table has, the choices, and where the time went."""
    trace = {"decisions": [DECISION], "phases": [{"phase": "connected", "at_ms": 31, "detail": "reused"}]}
    told = explained(REQUEST, trace, T0).plain
    assert told.startswith("coral, because its conversation stays with it\n")
    assert "reef: limited, 5h window rejected" in told
    assert "31 ms  connected  reused" in told


def test_without_a_trace_the_request_s_own_facts_remain() -> None:
    """A server forgets traces before it forgets requests."""
    assert "req_1" in explained(REQUEST, {}, T0).plain
