"""The facts that a person looks for first."""

from __future__ import annotations

from typing import Any

from shunt.views.glance import Reset, glance, next_reset, told_money, told_reset

STATUS: dict[str, Any] = {
    "strategy": "maximus",
    "pinned_account": None,
    "last_used_account": "b",
    "waiting": 2,
    "accounts": [
        {
            "name": "a",
            "status": "cooling",
            "windows": [
                {"name": "5h", "used": 1.0, "resets_at": 200.0},
                {"name": "7d", "used": 0.4, "resets_at": 900.0},
            ],
        },
        {"name": "b", "status": "available", "windows": [{"name": "5h", "used": 0.0, "resets_at": 100.0}]},
        {"name": "c", "status": "disabled", "windows": [{"name": "5h", "used": 0.9, "resets_at": 50.0}]},
    ],
    "active": [
        {"id": "1", "phase": "streaming"},
        {"id": "2", "phase": "queued", "account": "b", "why": "nobody can"},
    ],
    "recent_requests": [{"account": "a", "why": "pinned"}, {"account": "b", "why": "sticky"}],
    "savings": {"today_cost_usd": 1.5, "week_cost_usd": 2, "all_time_cost_usd": None},
}


def test_everything_is_seen_at_one_glance() -> None:
    """Who serves and why, what is free, what runs, waits, and was saved."""
    seen = glance(STATUS)
    assert (seen.in_use, seen.why, seen.pinned, seen.strategy) == (
        "b",
        "its conversation stays with it",
        "",
        "maximus",
    )
    assert (seen.available, seen.accounts, seen.running, seen.waiting) == (1, 3, 1, 2)
    assert (seen.saved.today, seen.saved.week, seen.saved.in_all) == (1.5, 2.0, None)
    assert (seen.paid.today, seen.paid.week, seen.paid.in_all) == (None, None, None)


def test_what_was_paid_is_not_saved() -> None:
    """The part that accounts cost which pay per token; only what there is of the two is told."""
    savings = {"today_cost_usd": 1.5, "today_metered_usd": 0.5, "week_cost_usd": 2, "week_metered_usd": 2}
    seen = glance({"savings": savings})
    assert (seen.saved.today, seen.saved.week, seen.saved.in_all) == (1.0, 0.0, None)
    assert (seen.paid.today, seen.paid.week, seen.paid.in_all) == (0.5, 2.0, None)
    assert told_money(seen) == [("saved", seen.saved), ("paid", seen.paid)]
    paid = glance({"savings": {"today_cost_usd": 2, "today_metered_usd": 2}})
    assert told_money(paid) == [("paid", paid.paid)]
    nothing = glance({"savings": {"today_cost_usd": 0, "today_metered_usd": 0}})
    assert told_money(nothing) == [("saved", nothing.saved)]
    assert told_money(glance({})) == []


def test_the_next_reset_is_of_a_window_that_holds_something() -> None:
    """An empty window's reset brings nothing, and a paused account's nothing yet."""
    assert glance(STATUS).reset == Reset("a", "5 hours", 1.0, 200.0)
    assert next_reset([]) is None


def test_the_reset_is_told_with_its_account_and_time() -> None:
    """Or that none is known."""
    assert told_reset(Reset("a", "5 hours", 1.0, 200.0), 178.0) == "a in 22 s (5 hours, 100% used)"
    assert told_reset(None, 0.0) == "none known yet"


def test_an_empty_document_makes_an_empty_glance() -> None:
    """Nothing is guessed."""
    seen = glance({})
    assert (seen.in_use, seen.reset, seen.saved.today, seen.accounts) == ("", None, None, 0)
