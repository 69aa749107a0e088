"""What stands in the monitor's tables: pure, from documents to cells. Widths decide how much there is room for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.text import Text

from shunt.views.words import (
    count,
    documents,
    dollars,
    failed,
    number,
    percent,
    reason,
    result,
    span,
    standing,
    took,
    window_name,
)

Document = Mapping[str, Any]
Cell = Text | str

WIDE: Final = 120
"""Columns from which tables show everything."""
NARROW_SHARE: Final = 0.75
SPENT_SHARE: Final = 0.95
STYLES: Final = {"available": "green", "cooling": "yellow", "disabled": "dim", "reauth_required": "bold red"}
PHASES: Final = {
    "waiting": "waits for an account",
    "queued": "waits for an account",
    "sent": "sent, no answer yet",
    "chosen": "account chosen",
    "done": "ending",
}


def bar(share: float | None, cells: int) -> Text:
    """The spent share of a window."""
    if share is None:
        return Text("·" * cells, "dim")
    full = min(cells, max(1 if share > 0 else 0, round(share * cells)))
    style = "red" if share >= SPENT_SHARE else "yellow" if share >= NARROW_SHARE else "green"
    return Text.assemble(("█" * full, style), ("░" * (cells - full), "dim"))


def account_titles(width: int) -> Sequence[str]:
    """Titles of the table of accounts."""
    usual = ("Account", "State", "5 hours", "7 days")
    return (*usual, "Running", "Tokens", "Cache", "Outlook", "Who") if width >= WIDE else usual


def account_cells(account: Document, pinned: str, now: float, width: int) -> Sequence[Cell]:
    """One account. `now` is in epoch seconds."""
    wide = width >= WIDE
    status = str(account.get("status") or "unknown")
    told = standing(account)
    if not wide:
        told = {"needs a login or key": "login?"}.get(told, told)
    name = Text(f"{'● ' if account.get('name') == pinned else ''}{_said(account, 'name')}", "bold")
    cells: list[Cell] = [
        name,
        Text(told, STYLES.get(status, "")),
        _window(account, "5h", now, 12 if wide else 6),
        _window(account, "7d", now, 12 if wide else 6),
    ]
    if wide:
        used = account.get("tokens_used")
        cells += [
            _said(account, "in_flight"),
            count(number(used if isinstance(used, Mapping) else {}, "total")),
            percent(number(account, "cache_read_share")),
            outlook(account, now),
            " · ".join(filter(None, (_said(account, key) for key in ("provider", "plan_type", "email")))),
        ]
    return cells


def _window(account: Document, name: str, now: float, cells: int) -> Text:
    used, reset = number(account, f"utilization_{name}"), number(account, f"reset_{name}")
    if used is None and reset is None:
        return Text("-", "dim")
    left = span(reset - now) if reset is not None and reset > now else ""
    return Text.assemble(bar(used, cells), f" {percent(used):>4} ", (left, "dim"))


def outlook(account: Document, now: float) -> str:
    """When it runs dry at the present pace."""
    forecast = account.get("forecast")
    if not isinstance(forecast, Mapping):
        return "-"
    dry, then = number(forecast, "runs_dry_at"), number(forecast, "used_at_reset")
    window = window_name({"name": forecast.get("window")})
    if dry is not None and dry > now:
        return f"{window} dry in {span(dry - now)}"
    return f"{window} {percent(min(1.0, then))} by its reset" if then is not None else "-"


def account_lines(account: Document, now: float) -> list[str]:
    """What there is to say of the chosen account beyond its row."""
    name = _said(account, "name")
    facts = [_said(account, key) for key in ("provider", "plan_type", "email")]
    lines = [
        f"{name}: {' · '.join(filter(None, [*facts, standing(account), outlook(account, now).strip('-')]))}"
    ]
    until = number(account, "cooldown_until_ms")
    if until is not None and until / 1000 > now:
        lines.append(f"back in {span(until / 1000 - now)}: {_said(account, 'cooldown_reason')}")
    for cooldown in documents(account.get("cooldowns")):
        ends = number(cooldown, "until")
        if cooldown.get("models") and ends is not None and ends > now:
            lines.append(
                f"{_said(cooldown, 'models')} back in {span(ends - now)}: {_said(cooldown, 'reason')}"
            )
    others = [
        window for window in documents(account.get("windows")) if window.get("name") not in ("5h", "7d")
    ]
    lines += [f"{window_name(window)}: {percent(number(window, 'used'))} used" for window in others]
    return lines


def request_titles(width: int) -> Sequence[str]:
    """Titles of the table of finished requests."""
    if width >= WIDE:
        return (
            "Time",
            "Account",
            "Why",
            "Model",
            "Result",
            "In",
            "Cached",
            "Out",
            "Price",
            "First",
            "Took",
            "Client",
        )
    return ("Time", "Account", "Why", "Result", "In", "Out", "Took")


def request_cells(request: Document, clock: str, width: int) -> Sequence[Cell]:
    """One finished request. `clock` is its time of day."""
    moved = [
        str(note.get("account"))
        for note in documents(request.get("attempts"))
        if note.get("account") != request.get("account")
    ]
    why = (reason(request.get("why")) or "-") + (f", after {', '.join(moved)}" if moved else "")
    told = Text(result(request), "red" if failed(request) else "")
    account = Text(_said(request, "account") or "-", "bold")
    into, out = count(number(request, "input_tokens")), count(number(request, "output_tokens"))
    time = took(number(request, "duration_ms"))
    if width < WIDE:
        return (clock, account, _cut(why, 27), told, into, out, time)
    return (
        *(clock, account, _cut(why, 44), _said(request, "model"), told, into),
        count(number(request, "cache_read_tokens")),
        *(out, dollars(number(request, "cost_usd")), took(number(request, "first_byte_ms")), time),
        _said(request, "client") or "this machine",
    )


def live_titles(width: int) -> Sequence[str]:
    """Titles of the table of running requests."""
    if width >= WIDE:
        return ("Account", "Now", "Age", "Tokens/s", "Last byte", "Out", "Model", "Why", "Client")
    return ("Account", "Now", "Age", "Tok/s", "Last byte", "Model")


def live_cells(active: Document, width: int) -> Sequence[Cell]:
    """One request that runs or waits."""
    phase = str(active.get("phase") or "")
    now = Text("stalled", "bold red") if active.get("stalled") else Text(PHASES.get(phase, phase))
    rate, last = number(active, "tokens_per_second"), number(active, "since_last_byte_ms")
    cells: tuple[Cell, ...] = (
        Text(_said(active, "account") or "-", "bold"),
        now,
        took(number(active, "age_ms")),
        "-" if rate is None else f"{rate:.0f}",
        "-" if last is None else f"{took(last)} ago",
    )
    model = _said(active, "model")
    if width < WIDE:
        return (*cells, _cut(model, 22))
    why = reason(active.get("why"))
    return (
        *cells,
        count(number(active, "output_tokens")),
        model,
        why,
        _said(active, "client") or "this machine",
    )


SUM_TITLES: Final = ("Account", "Requests", "Errors", "In", "Cached", "Out", "From cache", "Price")
"""Titles of the table of sums."""


def sum_rows(sums: Document) -> dict[str, Sequence[Cell]]:
    """What the last day adds up to, by account and in all; from `/history?by=account`."""
    found = {}
    for group in documents(sums.get("groups")):
        key = group.get("key")
        name = _said(key, "account") if isinstance(key, Mapping) else ""
        found[name] = _sum_cells(name or "-", group)
    total = sums.get("total")
    if isinstance(total, Mapping):
        found["\n all"] = _sum_cells("all", total)  # no account is called so
    return found


def _sum_cells(name: str, group: Document) -> Sequence[Cell]:
    keys = ("requests", "errors", "input_tokens", "cache_read_tokens", "output_tokens")
    return (
        Text(name, "bold"),
        *(count(number(group, key)) for key in keys),
        percent(number(group, "cache_read_share")),
        dollars(number(group, "cost_usd")),
    )


def error_lines(error: Document, clock: str) -> Text:
    """One error with its cure."""
    who = " · ".join(filter(None, (_said(error, "account"), _said(error, "model"))))
    told = Text.assemble(
        (f"{clock} ", "dim"),
        (f"{_said(error, 'status') or _said(error, 'outcome')} ", "bold red"),
        who,
        "\n  ",
    )
    told.append(_said(error, "message"))
    if cure := _said(error, "cure"):
        told.append(f"\n  → {cure}", "green")
    return told


def watcher_line(watcher: Document, now: float) -> Text:
    """One watcher and how it does."""
    name = f"{_said(watcher, 'name'):<12} "
    if watcher.get("degraded"):
        return Text.assemble(("✗ ", "bold red"), name, _said(watcher, "last_error") or "silent")
    facts = [_said(watcher, "state")]
    last, coming = number(watcher, "last_run_ms"), number(watcher, "next_run_ms")
    if last is not None:
        facts.append(f"last {span(now - last / 1000)} ago")
    if coming is not None and coming / 1000 > now:
        facts.append(f"next in {span(coming / 1000 - now)}")
    return Text.assemble(("● ", "green"), name, (", ".join(facts), "dim"))


def _said(document: Document, key: str) -> str:
    """A field as text that moves no cursor."""
    value = document.get(key)
    text = "" if value is None else str(value)
    return text if text.isprintable() else "".join(char if char.isprintable() else "?" for char in text)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
