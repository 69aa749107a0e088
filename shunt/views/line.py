"""One line for shell prompts and status bars, by a pattern of the user's own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from shunt.views.glance import glance
from shunt.views.words import documents, dollars, number, percent, span

DEFAULT: Final = (
    "{account} {used_5h} {used_7d} | {available}/{accounts} free | reset {resets_in} | {saved_today}"
)
FIELDS: Final = {
    "account": "the account in use",
    "why": "why it was chosen",
    "status": "how it stands",
    "used_5h": "share spent of its 5-hour window",
    "used_7d": "share spent of its 7-day window",
    "resets_in": "time to the next reset of any account",
    "resets_account": "the account that resets next",
    "available": "accounts that can serve now",
    "accounts": "accounts in all",
    "running": "requests running now",
    "waiting": "requests waiting for an account",
    "saved_today": "what today's tokens of subscriptions would have cost at API prices",
    "saved_week": "the same of 7 days",
    "paid_today": "what today's tokens cost of accounts that pay per token",
    "paid_week": "the same of 7 days",
    "strategy": "the strategy in force",
    "pinned": "the pinned account, or -",
}
"""What may stand in braces, with its meaning."""

_FIELD: Final = re.compile(r"\{(\w+)\}")


def unknown_fields(pattern: str) -> list[str]:
    """Names in braces that mean nothing here."""
    return [name for name in _FIELD.findall(pattern) if name not in FIELDS]


def line(status: Mapping[str, Any], now: float, pattern: str = DEFAULT) -> str:
    """The pattern with every field filled in.

    Args:
        status: the `/status` document.
        now: epoch seconds.
        pattern: text with names of FIELDS in braces; other text stays as it is.
    """
    facts = _facts(status, now)
    return _FIELD.sub(lambda found: facts.get(found[1], found[0]), pattern)


def _facts(status: Mapping[str, Any], now: float) -> dict[str, str]:
    seen = glance(status)
    name = seen.pinned or seen.in_use
    accounts = documents(status.get("accounts"))
    account = next((each for each in accounts if each.get("name") == name), {})
    return {
        "account": name or "-",
        "why": seen.why or "-",
        "status": str(account.get("status") or "-"),
        "used_5h": percent(number(account, "utilization_5h")),
        "used_7d": percent(number(account, "utilization_7d")),
        "resets_in": span(seen.reset.at - now) if seen.reset else "-",
        "resets_account": seen.reset.account if seen.reset else "-",
        "available": str(seen.available),
        "accounts": str(seen.accounts),
        "running": str(seen.running),
        "waiting": str(seen.waiting),
        "saved_today": dollars(seen.saved.today),
        "saved_week": dollars(seen.saved.week),
        "paid_today": dollars(seen.paid.today),
        "paid_week": dollars(seen.paid.week),
        "strategy": seen.strategy or "-",
        "pinned": seen.pinned or "-",
    }
