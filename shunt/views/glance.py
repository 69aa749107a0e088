"""The few facts that a person looks for first, out of the `/status` document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from shunt.views.words import documents, is_held, number, percent, reason, span, window_name

Document = Mapping[str, Any]


@frozen
class Reset:
    """A window that resets."""

    account: str
    window: str
    """Its name for people."""
    used: float
    """Share spent, from 0 to 1."""
    at: float
    """Epoch seconds."""


@frozen
class Glance:
    """What the top of every view says."""

    in_use: str
    """Account that served last; empty while none has."""
    why: str
    """Why it was chosen, for people; empty when unknown."""
    pinned: str
    strategy: str
    reset: Reset | None
    """The first reset among windows that hold something."""
    available: int
    accounts: int
    running: int
    waiting: int
    saved_today: float | None
    """US dollars at API prices."""
    saved_week: float | None
    saved_in_all: float | None


def glance(status: Document) -> Glance:
    """Read a `/status` document; what is missing in it stays empty."""
    accounts = documents(status.get("accounts"))
    in_use = str(status.get("last_used_account") or "")
    running = [active for active in documents(status.get("active")) if not is_held(active)]
    requests = [*running, *documents(status.get("recent_requests"))]
    last = next((request for request in requests if request.get("account") == in_use), {})
    savings = status.get("savings")
    saved = savings if isinstance(savings, Mapping) else {}
    return Glance(
        in_use=in_use,
        why=reason(last.get("why")),
        pinned=str(status.get("pinned_account") or ""),
        strategy=str(status.get("strategy") or ""),
        reset=next_reset(accounts),
        available=sum(account.get("status") == "available" for account in accounts),
        accounts=len(accounts),
        running=len(running),
        waiting=int(number(status, "waiting") or 0),
        saved_today=number(saved, "today_cost_usd"),
        saved_week=number(saved, "week_cost_usd"),
        saved_in_all=number(saved, "all_time_cost_usd"),
    )


def next_reset(accounts: list[Document]) -> Reset | None:
    """The window that resets first among those that hold something, of accounts that are not paused."""
    resets = [
        Reset(str(account.get("name")), window_name(window), used, at)
        for account in accounts
        if account.get("status") != "disabled"
        for window in documents(account.get("windows"))
        if (used := number(window, "used")) and (at := number(window, "resets_at")) is not None
    ]
    return min(resets, key=lambda reset: reset.at, default=None)


def told_reset(reset: Reset | None, now: float) -> str:
    """`reef in 22 s (5 hours, 100% used)`. `now` is in epoch seconds."""
    if reset is None:
        return "none known yet"
    return f"{reset.account} in {span(reset.at - now)} ({reset.window}, {percent(reset.used)} used)"
