"""What one client's key may use in a day, and what it has used."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from attrs import evolve, frozen

from shunt.inference.usage import Usage

MOST: Final = 1000
"""Clients remembered."""


@frozen
class Allowance:
    """Limits of one UTC day; 0 is no limit."""

    requests: int = 0
    tokens: int = 0
    """Fresh input, cache writes and output. What is read from a prompt cache does not count."""
    usd: float = 0.0
    """At API prices."""

    def __bool__(self) -> bool:
        """Whether there is any limit."""
        return bool(self.requests or self.tokens or self.usd)


@frozen
class UsedToday:
    """What a client's requests of one UTC day came to."""

    day: str
    """`YYYY-MM-DD`."""
    requests: int = 0
    tokens: int = 0
    usd: float = 0.0


def day_of(now: float) -> str:
    """The UTC day of a moment in epoch seconds."""
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d")


def next_day(now: float) -> float:
    """Epoch seconds at which the UTC day of `now` ends, and limits begin anew."""
    today = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return (today + timedelta(days=1)).timestamp()


def used_today(used: Mapping[str, UsedToday], client: str, now: float) -> UsedToday:
    """What a client has used on the day of `now`."""
    day = day_of(now)
    found = used.get(client)
    return found if found is not None and found.day == day else UsedToday(day)


def with_use(
    used: Mapping[str, UsedToday], client: str, at: float, usage: Usage, usd: float
) -> Mapping[str, UsedToday]:
    """Count a request that is over. Those of other days are forgotten."""
    before = used_today(used, client, at)
    after = evolve(
        before,
        requests=before.requests + 1,
        tokens=before.tokens + usage.input + usage.cache_write + usage.output,
        usd=before.usd + usd,
    )
    others = {name: each for name, each in used.items() if each.day >= after.day and name != client}
    return dict([*list(others.items())[-MOST + 1 :], (client, after)])


def spent(allowance: Allowance, used: UsedToday, running: int) -> str | None:
    """Which limit stands in the way of one more request, for people; None if none does.

    `running` are the requests going on now, this one included: they are not counted yet.
    """
    if allowance.requests and used.requests + running > allowance.requests:
        return f"its {allowance.requests} requests a day"
    if allowance.tokens and used.tokens >= allowance.tokens:
        return f"its {allowance.tokens} tokens a day"
    if allowance.usd and used.usd >= allowance.usd:
        return f"its ${allowance.usd:g} a day"
    return None
