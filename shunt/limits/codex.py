"""Usage windows of ChatGPT logins: in the headers of every answer, and at the usage endpoint.

`x-codex-primary-…` and `x-codex-secondary-…` are the account's windows; `x-codex-<limit>-primary-…` are
those of a limit that only some model has, whose name `x-codex-<limit>-limit-name` tells. Which window is
which says only its length: "primary" is not always the one of five hours. Traps met in the field and handled
here: a reset that is empty, a window of 0 minutes (there is none), percentages above 100.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from attrs import evolve

from shunt.limits.cooldown import LONGEST
from shunt.limits.durations import parse_duration, parse_moment
from shunt.limits.windows import ALL_MODELS, OVERAGE, Source, Standing, Window
from shunt.models.families import family_of
from shunt.wire import json
from shunt.wire.headers import Headers

PREFIX: Final = "x-codex-"
MOST_WINDOWS: Final = 16
"""Windows taken from one answer; the vendor sends two to six."""
NEAR: Final = 120.0
"""Seconds by which two tellings of the same reset may differ."""
PLAN: Final = "plan"
"""Name of the window made from a refusal that names none."""

_FACT: Final = re.compile(
    r"(?:(?P<limit>[a-z0-9_.-]{1,40})-)?(?P<slot>primary|secondary)"
    r"-(?P<fact>used-percent|window-minutes|reset-at|reset-after-seconds)"
)
_LIMIT_NAME: Final = re.compile(r"([a-z0-9_.-]{1,40})-limit-name")
_TRUE: Final = frozenset({"true", "1"})
_UNITS: Final = ((10_080, "d", 1440), (1440, "d", 1440), (60, "h", 60))
"""Minutes that a length must be a multiple of → unit, minutes per unit; the longest first."""

Facts = dict[str, str]


def parse_codex(headers: Headers, now: float) -> tuple[Window, ...]:
    """Every window that the headers of an answer tell of; nonsense is left out."""
    fields = {
        name[len(PREFIX) :]: value.decode("ascii", "replace").strip()
        for key, value in headers
        if (name := key.decode("ascii", "replace").lower()).startswith(PREFIX)
    }
    slots: dict[tuple[str, str], Facts] = {}
    for name, value in fields.items():
        if (found := _FACT.fullmatch(name)) and len(slots) <= MOST_WINDOWS:
            slots.setdefault((found["limit"] or "", found["slot"]), {})[found["fact"]] = value
    scopes = {found[1]: value for name, value in fields.items() if (found := _LIMIT_NAME.fullmatch(name))}
    windows = (_from_facts(slot, facts, _scope(limit, scopes), now) for (limit, slot), facts in slots.items())
    return (*_distinct(windows), *_credits(fields, now))


def parse_codex_usage(body: bytes, now: float) -> tuple[Window, ...]:
    """Every window in the usage endpoint's answer; anything but a JSON object tells of none.

    `{"rate_limit": {"primary_window": {"used_percent", "limit_window_seconds", "reset_at"}, …},
    "additional_rate_limits": [{"limit_name", "rate_limit": …}], …}`.
    """
    document = json.value(body)
    if not isinstance(document, dict):
        return ()
    windows = list(_of_limit(document.get("rate_limit"), ALL_MODELS, now))
    extra = document.get("additional_rate_limits")
    for entry in extra[:MOST_WINDOWS] if isinstance(extra, list) else ():
        if isinstance(entry, dict) and isinstance(name := entry.get("limit_name"), str) and name:
            windows += _of_limit(entry.get("rate_limit"), family_of(name), now)
    return tuple(_distinct(windows))


def refused(windows: Iterable[Window], resets_at: float | None, scope: str, now: float) -> tuple[Window, ...]:
    """The windows of an answer that refuses: the one that is spent, or that resets when it says, is rejected.

    When none is, the refusal itself is told as a window, so that the reset is not lost.
    """
    told = tuple(windows)
    concerned = [window for window in told if window.scope in (ALL_MODELS, scope) and window.name != OVERAGE]
    spent = [
        window
        for window in concerned
        if (
            resets_at is not None
            and window.resets_at is not None
            and abs(window.resets_at - resets_at) <= NEAR
        )
        or (resets_at is None and (window.used or 0.0) >= 1)
    ]
    if spent:
        rejected = {window.name: evolve(window, standing=Standing.REJECTED) for window in spent}
        return tuple(rejected.get(window.name, window) for window in told)
    if resets_at is None or resets_at <= now:
        return told
    reset = min(resets_at, now + LONGEST)
    return (*told, Window(PLAN, 1.0, reset, Standing.REJECTED, Source.BODY, now))


def window_name(minutes: float) -> str:
    """The short name of a window of this length: 300 → `5h`, 10080 → `7d`."""
    whole = round(minutes)
    for multiple, unit, size in _UNITS:
        if whole and whole % multiple == 0:
            return f"{whole // size}{unit}"
    return f"{whole}m"


def _from_facts(slot: str, facts: Facts, scope: str, now: float) -> Window | None:
    minutes = parse_duration(facts.get("window-minutes", ""))
    used = parse_duration(facts.get("used-percent", ""))
    reset = parse_moment(facts.get("reset-at", ""), now)
    if reset is None and (wait := parse_duration(facts.get("reset-after-seconds", ""))):
        reset = now + wait
    if used is None or (minutes == 0 and not used):
        return None
    return _window(slot, used, minutes * 60 if minutes else None, reset, scope, Source.HEADER, now)


def _of_limit(limit: Any, scope: str, now: float) -> Iterator[Window]:
    for slot in ("primary", "secondary"):
        entry = limit.get(f"{slot}_window") if isinstance(limit, dict) else None
        if not isinstance(entry, dict):
            continue
        used, seconds = _number(entry, "used_percent"), _number(entry, "limit_window_seconds")
        reset = _number(entry, "reset_at")
        if reset is None and (wait := _number(entry, "reset_after_seconds")):
            reset = now + wait
        if used is not None and (used or seconds):
            yield _window(slot, used, seconds or None, reset, scope, Source.USAGE_ENDPOINT, now)


def _window(
    slot: str,
    percent: float,
    seconds: float | None,
    reset: float | None,
    scope: str,
    source: Source,
    now: float,
) -> Window:
    name = window_name(seconds / 60) if seconds else slot
    latest = now + (seconds or LONGEST)
    told = reset if reset is not None and reset > now else None
    used = min(percent, 1e6) / 100
    if source is Source.USAGE_ENDPOINT:
        standing = Standing.UNKNOWN  # only an answer to a real request says that a window refuses
    else:
        standing = Standing.WARNING if used >= 1 else Standing.ALLOWED
    return Window(
        name=f"{name}_{scope}" if scope else name,
        used=used,
        resets_at=None if told is None else min(told, latest),
        standing=standing,
        source=source,
        seen_at=now,
        length=seconds,
        scope=scope,
        named_reset=told if told is not None and told > latest + NEAR else None,
    )


def _credits(fields: Mapping[str, str], now: float) -> Iterator[Window]:
    """Whether work can go on for money when the plan is spent."""
    has, unlimited = fields.get("credits-has-credits"), fields.get("credits-unlimited")
    if has is None and unlimited is None:
        return
    more = {(has or "").lower(), (unlimited or "").lower()} & _TRUE
    standing = Standing.ALLOWED if more else Standing.REJECTED
    yield Window(OVERAGE, None, None, standing, Source.HEADER, now)


def _scope(limit: str, names: Mapping[str, str]) -> str:
    """The model family that a limit is kept for; the account's own limit is for all."""
    return family_of(names.get(limit) or limit) if limit and limit != "codex" else ALL_MODELS


def _distinct(windows: Iterable[Window | None]) -> Iterator[Window]:
    """Each name once: of two tellings of the same window the fuller counts."""
    kept: dict[str, Window] = {}
    for window in windows:
        if window is None or (window.name not in kept and len(kept) >= MOST_WINDOWS):
            continue
        known = kept.get(window.name)
        if known is None or (window.used or 0.0) > (known.used or 0.0):
            kept[window.name] = window
    yield from kept.values()


def _number(entry: Mapping[str, Any], name: str) -> float | None:
    found = entry.get(name)
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        return None
    return float(found) if 0 <= found < 1e12 else None
