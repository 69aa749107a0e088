"""Numbers and moments in words. The page's `words.js` says the same things in the same way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

WINDOWS: Final = {"5h": "5 hours", "7d": "7 days", "overage": "extra usage"}
STANDINGS: Final = {"disabled": "paused", "reauth_required": "needs a login or key"}
REASONS: Final = {
    "sticky": "its conversation stays with it",
    "pinned": "it is pinned",
    "asked for": "the client asked for it",
}


def span(seconds: float) -> str:
    """A length of time in its two largest units: `2 h 28 m`, `3 d 4 h`, `45 s`."""
    left = max(0, round(seconds))
    for size, unit, next_size, next_unit in (
        (86400, "d", 3600, "h"),
        (3600, "h", 60, "m"),
        (60, "m", 1, "s"),
    ):
        if left >= size:
            more = left % size // next_size
            return f"{left // size} {unit} {more} {next_unit}" if more else f"{left // size} {unit}"
    return f"{left} s"


def took(milliseconds: float | None) -> str:
    """How long a request took: `840 ms`, `3.2 s`, `2 m 5 s`."""
    if milliseconds is None:
        return "-"
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    return f"{milliseconds / 1000:.1f} s" if milliseconds < 60_000 else span(milliseconds / 1000)


def count(number: float | None) -> str:
    """A count, short where it is long: `950`, `12.4k`, `3.1M`."""
    if number is None:
        return "-"
    if number < 10_000:
        return f"{number:.0f}"
    if number < 999_500:
        return f"{number / 1000:.{1 if number < 99_950 else 0}f}k"
    return f"{number / 1e6:.{1 if number < 99_950_000 else 0}f}M"


def dollars(amount: float | None) -> str:
    """US dollars; small sums keep enough digits to be told from nothing."""
    if amount is None:
        return "-"
    return f"${amount:.4f}" if 0 < amount < 0.01 else f"${amount:,.2f}"


def percent(share: float | None) -> str:
    """A share from 0 to 1: `67%`."""
    return "-" if share is None else f"{share:.0%}"


def window_name(window: Mapping[str, Any]) -> str:
    """What a window is called."""
    name, models = str(window.get("name") or ""), str(window.get("models") or "")
    told = WINDOWS.get(name, name)
    return f"{told}, {models}" if models and models not in name else told


def standing(account: Mapping[str, Any]) -> str:
    """How an account stands."""
    status = str(account.get("status") or "unknown")
    return STANDINGS.get(status, status)


def reason(why: object) -> str:
    """Why an account was chosen; empty when unknown."""
    return REASONS.get(str(why), str(why)) if why else ""


def is_held(active: Mapping[str, Any]) -> bool:
    """Whether a running request waits for an account."""
    return active.get("phase") in ("queued", "waiting")


def result(request: Mapping[str, Any]) -> str:
    """What a client saw of a request: `200`, `429 refused`."""
    outcome = str(request.get("outcome") or "served")
    status = str(request.get("status") or "-")
    return status if outcome == "served" else f"{status} {outcome.replace('_', ' ')}"


def failed(request: Mapping[str, Any]) -> bool:
    """Whether a request went wrong. A client that leaves is no error."""
    return (number(request, "status") or 0) >= 400 and request.get("outcome") != "client_gone"


def number(document: Mapping[str, Any], key: str) -> float | None:
    """A number of a document, None when it is missing or something else."""
    value = document.get(key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def documents(value: object) -> list[Mapping[str, Any]]:
    """The objects of a list; servers older or newer than we are may send anything."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
