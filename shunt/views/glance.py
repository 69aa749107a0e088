"""The few facts that a person looks for first, out of the `/status` document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import frozen

from shunt.views.words import documents, is_held, number, percent, reason, span, window_name

Document = Mapping[str, Any]
SPANS: Final = ("today", "week", "all_time")


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
class Money:
    """US dollars at API prices, of today, of seven days and of all time; None where it is not known."""

    today: float | None = None
    week: float | None = None
    in_all: float | None = None


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
    saved: Money
    """What subscriptions did not cost."""
    paid: Money
    """What accounts cost that pay per token."""


def glance(status: Document) -> Glance:
    """Read a `/status` document; what is missing in it stays empty."""
    accounts = documents(status.get("accounts"))
    in_use = str(status.get("last_used_account") or "")
    running = [active for active in documents(status.get("active")) if not is_held(active)]
    requests = [*running, *documents(status.get("recent_requests"))]
    last = next((request for request in requests if request.get("account") == in_use), {})
    found = status.get("savings")
    savings = found if isinstance(found, Mapping) else {}
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
        saved=Money(*(_saved(savings, span) for span in SPANS)),
        paid=Money(*(number(savings, f"{span}_metered_usd") for span in SPANS)),
    )


def _saved(savings: Document, span: str) -> float | None:
    cost = number(savings, f"{span}_cost_usd")
    # A server that does not tell the two apart has counted all of it as saved.
    return (
        None if cost is None else max(0.0, round(cost - (number(savings, f"{span}_metered_usd") or 0.0), 6))
    )


def told_money(seen: Glance) -> list[tuple[str, Money]]:
    """`saved` and `paid` with their sums, each only where there is any; a pool that begins has saved nothing."""
    told = [
        (word, money)
        for word, money in (("saved", seen.saved), ("paid", seen.paid))
        if money.today or money.week or money.in_all
    ]
    return told or ([("saved", seen.saved)] if seen.saved != Money() else [])


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
