"""Lengths of time and moments as vendors and people write them. Nonsense gives None, never an error.

Vendors mix Go durations (`6m0s`, `20ms`), plain seconds, ISO 8601, epoch seconds or milliseconds and
HTTP dates, sometimes in headers of one answer; `20ms` read as 20 minutes has stalled pools elsewhere.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from shunt.wire.headers import Headers, get_all

LONGEST_TEXT: Final = 64
"""Characters; no sane value is longer."""
RELATIVE_BELOW: Final = 1e8
"""A bare number below this (three years) counts from now; above it is a moment since the epoch."""
MILLISECONDS_FROM: Final = 1e11
"""Epoch seconds pass this in the year 5138, epoch milliseconds did in 1973."""
MICROSECONDS_FROM: Final = 1e14

_UNITS: Final = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
    "d": 86_400.0,
}
_NUMBER: Final = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
_PLAIN: Final = re.compile(rf"[+-]?{_NUMBER}(?:[eE][+-]?[0-9]+)?")
_TERM: Final = re.compile(rf"({_NUMBER}) ?(ns|us|µs|ms|s|m|h|d) ?")


def parse_duration(text: str) -> float | None:
    """Seconds meant by `1h2m3.5s`, `250ms`, `5h`, `0s` or a plain number of seconds.

    Negative, infinite and malformed texts give None.
    """
    text = text.strip()
    if not text or len(text) > LONGEST_TEXT:
        return None
    number = _plain(text)
    if number is not None:
        return number if number >= 0 else None
    total, place = 0.0, 0
    while place < len(text):
        term = _TERM.match(text, place)
        if term is None:
            return None
        total += float(term[1]) * _UNITS[term[2]]
        place = term.end()
    return total if math.isfinite(total) else None


def parse_moment(text: str, now: float) -> float | None:
    """Epoch seconds meant by ISO 8601, epoch s or ms, an HTTP date, or a duration from `now`.

    Dates without a zone are UTC. Zero and negative numbers mean nothing.
    """
    text = text.strip()
    if not text or len(text) > LONGEST_TEXT:
        return None
    number = _plain(text)
    if number is not None:
        return _moment_of(number, now) if number > 0 else None
    return _parse_date(text) or _from_now(parse_duration(text), now)


def parse_retry_after(headers: Headers, now: float) -> float | None:
    """Seconds to stay away per `retry-after-ms` or `retry-after`, the first sane value of either.

    Zero is "no information" (Anthropic's usage endpoint sends it with every 429), as are values in
    the past, negative ones and words. The result is positive but not clamped.
    """
    for value in get_all(headers, b"retry-after-ms"):
        number = _plain(_text(value))
        if number is not None and number > 0:
            return number / 1000
    for value in get_all(headers, b"retry-after"):
        # RFC 9110 §10.2.3: seconds or an HTTP date. An epoch moment or `20s` is met in the field.
        moment = parse_moment(_text(value), now)
        if moment is not None and moment > now:
            return moment - now
    return None


def _text(value: bytes) -> str:
    return value.decode("ascii", "replace").strip()


def _plain(text: str) -> float | None:
    if len(text) > LONGEST_TEXT or not _PLAIN.fullmatch(text):
        return None
    number = float(text)
    return number if math.isfinite(number) else None


def _moment_of(number: float, now: float) -> float:
    if number < RELATIVE_BELOW:
        return now + number
    if number < MILLISECONDS_FROM:
        return number
    return number / (1e3 if number < MICROSECONDS_FROM else 1e6)


def _parse_date(text: str) -> float | None:
    try:
        moment = datetime.fromisoformat(text) if text[0].isdigit() else parsedate_to_datetime(text)
        seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return seconds if seconds > 0 else None


def _from_now(seconds: float | None, now: float) -> float | None:
    return now + seconds if seconds else None
