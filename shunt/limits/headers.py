"""Usage windows as Anthropic tells of them: in the headers of every answer, and at the usage endpoint.

Logins get `anthropic-ratelimit-unified-<window>-<fact>`; which windows exist is learnt from the names,
because they change (`7d_opus` came and went, `7d_oi` arrived). API keys get one group of headers per
minute-bucket. Traps met in the field and handled here: resets in milliseconds, in the past, absurdly
far away or NaN; utilization above 1; windows without a status; a refusal told only by the summary.
"""

from __future__ import annotations

import re
from typing import Any, Final

from attrs import evolve

from shunt.limits.cooldown import LONGEST
from shunt.limits.durations import parse_moment
from shunt.limits.windows import ALL_MODELS, OVERAGE, Source, Standing, Window
from shunt.wire import json
from shunt.wire.headers import Headers

PREFIX: Final = b"anthropic-ratelimit-"
SUMMARY: Final = "unified"
"""Name of the window made from the summary headers when they name no window of their own."""
BUCKETS: Final = ("requests", "tokens", "input-tokens", "output-tokens")
"""Limits of API keys. They refill continuously within a minute."""
MOST_WINDOWS: Final = 16
"""Windows taken from one answer; vendors send four or five."""
TOLERANCE: Final = 60.0
"""Seconds by which a reset may exceed a window's length without being worth a word: clocks differ."""

_FACTS: Final = ("status", "reset", "utilization", "in-use")
_NAME: Final = re.compile(r"[a-z0-9_]{1,32}")
_LENGTH: Final = re.compile(r"([0-9]{1,3})([mhd])(?:_(.*))?")
_SECONDS: Final = {"m": 60.0, "h": 3600.0, "d": 86_400.0}
_SPELT_OUT: Final = (("five_hour", "5h"), ("seven_day", "7d"), ("overage_included", "oi"))
_STANDINGS: Final = {standing.value: standing for standing in Standing}
_INCLUDED: Final = "oi"
"""The allowance that Fable's weekly limit is kept on; other models keep working when it is spent."""
_INCLUDED_FAMILY: Final = "fable"

Fields = dict[str, list[str]]
"""Header names without the prefix, lower case, each with all its values in order."""


def parse_anthropic(headers: Headers, now: float) -> tuple[Window, ...]:
    """Every window that the headers of an answer tell of; nonsense is left out."""
    fields = _fields(headers)
    if not fields:
        return ()
    return (*_unified(fields, now), *_buckets(fields, now))


def parse_usage_document(body: bytes, now: float) -> tuple[Window, ...]:
    """Every window in the usage endpoint's answer; anything but a JSON object tells of none.

    `{"five_hour": {"utilization": percent, "resets_at": ISO 8601 or null}, …}`. Weekly limits of
    newer models come only in its `limits` list.
    """
    document = json.value(body)
    if not isinstance(document, dict):
        return ()
    windows: dict[str, Window] = {}
    for key, entry in list(document.items())[: 4 * MOST_WINDOWS]:
        name = OVERAGE if key == "extra_usage" else window_name(key)
        if isinstance(entry, dict) and name:
            _keep(windows, _from_usage(name, entry.get("utilization"), entry.get("resets_at"), now))
    limits = document.get("limits")
    for entry in limits[: 4 * MOST_WINDOWS] if isinstance(limits, list) else ():
        name = _limit_name(entry) if isinstance(entry, dict) else ""
        if name and name not in windows:
            _keep(windows, _from_usage(name, entry.get("percent"), entry.get("resets_at"), now))
    return tuple(windows.values())


def window_name(claim: str) -> str:
    """The short name of a window that a claim or a usage key spells out: `seven_day_opus` → `7d_opus`."""
    name = claim.strip().lower()
    for long, short in _SPELT_OUT:
        name = name.replace(long, short)
    return name if _NAME.fullmatch(name) else ""


def length_of(name: str) -> float | None:
    """Seconds a window lasts, as far as its name says: `5h`, `7d_opus`."""
    match = _LENGTH.fullmatch(name)
    return float(match[1]) * _SECONDS[match[2]] if match else None


def scope_of(name: str) -> str:
    """Model family that a window of this name concerns: `7d_opus` → `opus`, `7d` → all."""
    match = _LENGTH.fullmatch(name)
    suffix = (match[3] if match else None) or ALL_MODELS
    return _INCLUDED_FAMILY if suffix == _INCLUDED else suffix


# ── logins ────────────────────────────────────────────────────────────────────────────────────────


def _unified(fields: Fields, now: float) -> tuple[Window, ...]:
    facts: dict[str, Fields] = {}
    for key, values in fields.items():
        if key.startswith("unified-"):
            name, fact = _split(key.removeprefix("unified-"))
            if name and (name in facts or len(facts) < MOST_WINDOWS):
                facts.setdefault(name, {})[fact] = values
    windows: dict[str, Window] = {}
    for name, told in facts.items():
        _keep(windows, _from_facts(name, told, now))
    summary = _from_facts(SUMMARY, {fact: fields.get(f"unified-{fact}", []) for fact in _FACTS}, now)
    if summary is not None:
        _apply_summary(windows, summary, fields)
    return tuple(windows.values())


def _apply_summary(windows: dict[str, Window], summary: Window, fields: Fields) -> None:
    """Let the summary say what the single windows leave open."""
    claim = next(filter(None, map(window_name, fields.get("unified-representative-claim", []))), "")
    rejected = summary.standing is Standing.REJECTED and not any(
        window.standing is Standing.REJECTED and window.name != OVERAGE for window in windows.values()
    )
    claimed = windows.get(claim)
    if claimed is not None and claim != OVERAGE:
        open_standing = rejected or claimed.standing is Standing.UNKNOWN
        windows[claim] = evolve(
            claimed,
            standing=summary.standing if open_standing else claimed.standing,
            resets_at=summary.resets_at if claimed.resets_at is None else claimed.resets_at,
        )
    elif rejected or not windows:
        # A refusal whose window is not named, or is one (overage) that refuses nothing by itself.
        name = claim if claim and claim != OVERAGE else SUMMARY
        resets_at, named = _reset(name, summary.named_reset or summary.resets_at, summary.seen_at)
        windows[name] = evolve(
            summary,
            name=name,
            resets_at=resets_at,
            named_reset=named,
            length=length_of(name),
            scope=scope_of(name),
        )


def _split(key: str) -> tuple[str, str]:
    """`7d_opus-reset` → (`7d_opus`, `reset`); empty when it is not a fact about a window."""
    for fact in _FACTS:
        name = key.removesuffix(f"-{fact}")
        if name != key and _NAME.fullmatch(name):
            return name, fact
    return "", ""


def _from_facts(name: str, told: Fields, now: float) -> Window | None:
    used = _first(told.get("utilization", []))
    resets_at, named = _reset(name, _first_moment(told.get("reset", []), now), now)
    standing = next(
        (_STANDINGS[word] for value in told.get("status", []) if (word := value.lower()) in _STANDINGS),
        Standing.UNKNOWN,
    )
    if used is None and resets_at is None and standing is Standing.UNKNOWN:
        return None
    return Window(
        name=name,
        used=used,
        resets_at=resets_at,
        standing=standing,
        source=Source.HEADER,
        seen_at=now,
        length=length_of(name),
        scope=scope_of(name),
        in_use=any(value.lower() == "true" for value in told.get("in-use", [])),
        named_reset=named,
    )


# ── API keys ──────────────────────────────────────────────────────────────────────────────────────


def _buckets(fields: Fields, now: float) -> list[Window]:
    windows = []
    for name in BUCKETS:
        limit = _first(fields.get(f"{name}-limit", []))
        remaining = _first(fields.get(f"{name}-remaining", []))
        if not limit or remaining is None:
            continue
        moment = _first_moment(fields.get(f"{name}-reset", []), now)
        used = 1 - min(remaining / limit, 1.0)
        windows.append(
            Window(
                name=name,
                used=used,
                # The reset is when the bucket is full again; it takes requests long before, so an
                # empty one is a warning and `retry-after` says how long to pause.
                resets_at=None if moment is None or moment <= now else min(moment, now + 60),
                standing=Standing.WARNING if used >= 1 else Standing.ALLOWED,
                source=Source.HEADER,
                seen_at=now,
                length=60.0,
            )
        )
    return windows


# ── the usage endpoint ────────────────────────────────────────────────────────────────────────────


def _from_usage(name: str, percent: Any, resets: Any, now: float) -> Window | None:
    used = _share(percent)
    if used is None:
        return None
    resets_at, named = _reset(name, parse_moment(resets, now) if isinstance(resets, str) else None, now)
    return Window(
        name=name,
        used=used,
        resets_at=resets_at,
        # The endpoint lags behind; only an answer to a real request says that a window refuses.
        standing=Standing.UNKNOWN,
        source=Source.USAGE_ENDPOINT,
        seen_at=now,
        length=length_of(name),
        scope=scope_of(name),
        named_reset=named,
    )


def _limit_name(entry: dict[str, Any]) -> str:
    """The window that an entry of `limits` is about, by the name that headers give it."""
    kind = entry.get("kind")
    if kind == "session":
        return "5h"
    if kind == "weekly_all":
        return "7d"
    scope = entry.get("scope")
    model = scope.get("model") if kind == "weekly_scoped" and isinstance(scope, dict) else None
    shown = model.get("display_name") if isinstance(model, dict) else None
    if not isinstance(shown, str):
        return ""
    family = shown.strip().lower().replace(" ", "_")
    return window_name(f"7d_{_INCLUDED if family == _INCLUDED_FAMILY else family}")


def _share(percent: Any) -> float | None:
    if isinstance(percent, bool) or not isinstance(percent, (int, float)):
        return None
    # A JSON integer may be larger than any float.
    return percent / 100 if 0 <= percent < 1e9 else None


# ── values ────────────────────────────────────────────────────────────────────────────────────────


def _fields(headers: Headers) -> Fields:
    fields: Fields = {}
    for key, value in headers:
        name = key.lower()
        if name.startswith(PREFIX):
            text = value.decode("ascii", "replace").strip()
            fields.setdefault(name[len(PREFIX) :].decode("ascii", "replace"), []).append(text)
    return fields


def _keep(windows: dict[str, Window], window: Window | None) -> None:
    if window is not None and len(windows) < MOST_WINDOWS:
        windows[window.name] = window


def _first(values: list[str]) -> float | None:
    """The first finite number that is not negative."""
    for value in values:
        try:
            number = float(value)
        except ValueError:
            continue
        if 0 <= number < float("inf"):
            return number
    return None


def _first_moment(values: list[str], now: float) -> float | None:
    return next((moment for value in values if (moment := parse_moment(value, now)) is not None), None)


def _reset(name: str, moment: float | None, now: float) -> tuple[float | None, float | None]:
    """(when the window resets, the moment that was named if it had to be cut).

    A reset in the past says nothing about a window that was just described: it is dropped.
    """
    if moment is None or moment <= now:
        return None, None
    latest = now + (length_of(name) or LONGEST)
    return min(moment, latest), moment if moment > latest + TOLERANCE else None
