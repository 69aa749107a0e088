"""Rate limits of API keys in OpenAI's dialect: `x-ratelimit-limit-…`, `-remaining-…` and `-reset-…`.

Requests and tokens, each a bucket that refills continuously. Resets are durations (`1s`, `6m0s`, `20ms`) at
OpenAI and Groq, and moments at others.
"""

from __future__ import annotations

from typing import Final

from shunt.limits.durations import parse_duration, parse_moment
from shunt.limits.windows import Source, Standing, Window
from shunt.wire.headers import Headers, text

BUCKETS: Final = ("requests", "tokens")
LATEST: Final = 86_400.0
"""Seconds: no bucket refills more slowly (Groq counts requests by the day)."""


def parse_openai(headers: Headers, now: float) -> tuple[Window, ...]:
    """Both buckets, as far as the headers of an answer tell of them."""
    return tuple(window for bucket in BUCKETS if (window := _bucket(headers, bucket, now)) is not None)


def _bucket(headers: Headers, name: str, now: float) -> Window | None:
    limit, remaining, reset = (
        text(headers, f"x-ratelimit-{fact}-{name}".encode()) for fact in ("limit", "remaining", "reset")
    )
    most, left = parse_duration(limit or ""), parse_duration(remaining or "")
    if not most or left is None:
        return None
    moment = parse_moment(reset or "", now)
    used = 1 - min(left / most, 1.0)
    return Window(
        name=name,
        used=used,
        # An empty bucket takes requests again long before it is full: a warning, no refusal.
        resets_at=None if moment is None or moment <= now else min(moment, now + LATEST),
        standing=Standing.WARNING if used >= 1 else Standing.ALLOWED,
        source=Source.HEADER,
        seen_at=now,
    )
