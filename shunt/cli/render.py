"""Documents of the control API as tables and cards: pure, no clock, no terminal.

Everything that came from elsewhere goes through `clean`, and into `Text`, so that nothing in it is
taken for markup or moves the cursor. Missing fields are left out, never guessed: the server may be
older or newer than this command.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from shunt.cli.remarks import Level, Remark
from shunt.cli.terminal import clean, login_cure
from shunt.views.glance import glance, told_money, told_reset
from shunt.views.words import dollars, span

Document = Mapping[str, Any]

BAR = 20
"""Characters of a full bar."""
NARROW = 0.75
"""Share of a window from which its bar warns."""
SPENT = 0.95
"""Share from which its bar alarms."""

TABLE_WIDTH = 100
"""Columns from which accounts are shown as a table."""
STALE = 900.0
"""Seconds after which a fact about a window is shown with its age."""

STYLES = {"available": "green", "cooling": "yellow", "disabled": "dim", "reauth_required": "bold red"}
MARKS = {
    Level.FINE: ("ok", "green"),
    Level.NOTE: ("note", "cyan"),
    Level.WARNING: ("warn", "yellow"),
    Level.FAULT: ("FAIL", "bold red"),
}
LABELS = {"disabled": "paused", "reauth_required": "needs a login or key"}


def bar(share: float, *, ascii_only: bool = False) -> Text:
    """The spent share of a window as a bar, coloured by how little is left."""
    full, empty = ("#", ".") if ascii_only else ("█", "░")
    cells = round(min(1.0, max(0.0, share)) * BAR)
    if share > 0:
        cells = max(1, cells)
    style = "red" if share >= SPENT else "yellow" if share >= NARROW else "green"
    return Text.assemble((full * cells, style), (empty * (BAR - cells), "dim"))


def status_view(status: Document, now: float, *, ascii_only: bool = False) -> RenderableType:
    """The whole `status` page: a heading, a card per account, what the pool is doing.

    Args:
        status: the `/status` document.
        now: epoch seconds, for countdowns.
        ascii_only: draw bars for a terminal without block characters.
    """
    parts: list[RenderableType] = [_heading(status, now)]
    accounts = _dicts(status.get("accounts"))
    if accounts:
        parts.append(_now(status, now))
    parts.append(Text(""))
    if not accounts:
        parts += _first_steps(status)
    for account in accounts:
        parts += [account_card(account, now, ascii_only=ascii_only), Text("")]
    parts += _footer(status)
    return Group(*parts)


def account_card(account: Document, now: float, *, ascii_only: bool = False) -> RenderableType:
    """One account: who, how it stands, a bar per window, what holds it back."""
    state = _text(account, "status") or "unknown"
    facts = [_text(account, key) for key in ("provider", "plan_type", "email")]
    running = _number(account, "in_flight")
    if running:
        facts.append(f"{running:.0f} running")
    head = Text.assemble(
        (_text(account, "name"), "bold"),
        ("  " + " · ".join(filter(None, facts)) + "  ", "dim"),
        (LABELS.get(state, state), STYLES.get(state, "")),
    )
    windows = Table.grid(padding=(0, 2))
    for window in _windows(account):
        windows.add_row(*_window_row(window, now, ascii_only=ascii_only))
    lines: list[RenderableType] = [head]
    if windows.row_count:
        lines.append(windows)
    lines += [Text(f"  {line}", "yellow") for line in _hindrances(account, now)]
    return Group(*lines)


def _window_row(window: Document, now: float, *, ascii_only: bool) -> tuple[Text, Text, Text, Text]:
    used, reset = _number(window, "used"), _number(window, "resets_at")
    name = _text(window, "name")
    if models := _text(window, "models"):
        name = name if models in name else f"{name} {models}"
    notes = []
    if _text(window, "status") == "rejected":
        notes.append("spent")
    if reset is not None and reset > now:
        notes.append(f"resets in {span(reset - now)}")
    seen = _number(window, "seen_at")
    if seen is not None and now - seen >= STALE:
        notes.append(f"as of {span(now - seen)} ago")
    return (
        Text(f"  {name}"),
        bar(used, ascii_only=ascii_only) if used is not None else Text(""),
        Text(f"{used:.0%} used" if used is not None else "use unknown", justify="right"),
        Text(", ".join(notes), "dim"),
    )


def accounts_view(rows: Iterable[Document], now: float, width: int) -> RenderableType:
    """What `shunt accounts` shows: a table, or a few short lines per account where that has no room.

    Args:
        rows: documents as `accounts --json` prints them.
        now: epoch seconds.
        width: columns there are.
    """
    if width < TABLE_WIDTH:
        return Group(*(line for row in rows for line in _account_lines(row, now)))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for title in ("NAME", "PROVIDER", "STATUS", "SECRET", "KEPT IN", "SHARED WITH", "WHO"):
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(
            Text(_text(row, "name"), "bold"),
            Text(_text(row, "provider")),
            _standing(row, now),
            Text(_text(row, "secret") or "none"),
            Text(_kept_in(row) or "-"),
            Text(_text(row, "shared_with") or "-"),
            Text(_who(row) or "-"),
        )
    return table


def _kept_in(row: Document) -> str:
    """Where a secret is, and what closes it besides the file's mode."""
    sealed = ", sealed by the keychain" if row.get("sealed") is True else ""
    return f"{_text(row, 'kept_in')}{sealed}" if _text(row, "kept_in") else ""


def _account_lines(row: Document, now: float) -> Iterator[Text]:
    facts = ("provider", "email", "plan_type")
    yield Text.assemble((_text(row, "name"), "bold"), "  ", _standing(row, now))
    yield Text("  " + " · ".join(filter(None, (_text(row, fact) for fact in facts))))
    yield Text(f"  {_text(row, 'secret') or 'no secret'} {_kept_in(row)}".rstrip())
    if shared := _text(row, "shared_with"):
        yield Text(f"  shared with {shared}")


def _standing(row: Document, now: float) -> Text:
    state = _text(row, "status")
    until = _number(row, "cooldown_until_ms")
    label = LABELS.get(state, state) or "-"
    if state == "cooling" and until is not None and until / 1000 > now:
        label += f", {span(until / 1000 - now)} left"
    return Text(label, STYLES.get(state, ""))


def _who(row: Document) -> str:
    return " · ".join(filter(None, (_text(row, "email"), _text(row, "plan_type"))))


def remarks_view(remarks: Iterable[Remark]) -> RenderableType:
    """What `shunt doctor` says, each cure on a line of its own."""
    lines: list[RenderableType] = []
    for remark in remarks:
        mark, style = MARKS[remark.level]
        lines.append(
            Text.assemble((f"{mark:4}", style), "  ", (clean(remark.about), "bold"), ": ", clean(remark.says))
        )
        if remark.cure:
            lines.append(Text(f"      → {clean(remark.cure)}", "dim"))
    return Group(*lines)


def _heading(status: Document, now: float) -> Text:
    started = _number(status, "started_ms")
    strategy, pinned = (_text(status, key) for key in ("strategy", "pinned_account"))
    if strategy and _text(status, "strategy_source") == "override":
        strategy += " (set while running)"
    facts = [
        f"shunt {_text(status, 'version')}",
        f"up {span(now - started / 1000)}" if started is not None else "",
        f"strategy {strategy}" if strategy else "",
        f"pinned to {pinned}" if pinned else "no pin",
        f"every request served by {model}" if (model := _text(status, "model_override")) else "",
    ]
    return Text(" · ".join(filter(None, facts)))


def _now(status: Document, now: float) -> Text:
    """Who serves and why, and what resets next."""
    seen = glance(status)
    why = f", because {clean(seen.why)}" if seen.why else ""
    return Text.assemble(
        ("in use: ", "dim"),
        (clean(seen.in_use) or "nobody yet", "bold"),
        why,
        (" · next reset: ", "dim"),
        clean(told_reset(seen.reset, now)),
    )


def _first_steps(status: Document) -> Iterator[Text]:
    """What somebody without accounts can do, with what the server has found on its machine."""
    found = _dicts(status.get("found"))
    if not found:
        yield Text("No accounts yet. `shunt add-account NAME` adds one.")
        return
    yield Text("No accounts yet. On the server's machine there is:")
    for finding in found:
        yield Text(f"  {_text(finding, 'what')} ({_text(finding, 'where')}); add it:")
        yield Text(f"    {_text(finding, 'command')}", "bold")


def _windows(account: Document) -> list[Document]:
    """The windows in detail, or what the first shunt's fields say of them."""
    detailed = _dicts(account.get("windows"))
    if detailed:
        return detailed
    plain = [
        {"name": name, "used": account.get(f"utilization_{name}"), "resets_at": account.get(f"reset_{name}")}
        for name in ("5h", "7d")
    ]
    return [window for window in plain if window["used"] is not None or window["resets_at"] is not None]


def _hindrances(account: Document, now: float) -> Iterator[str]:
    until = _number(account, "cooldown_until_ms")
    reason = _text(account, "cooldown_reason")
    if until is not None and until / 1000 > now:
        yield f"back in {span(until / 1000 - now)}" + (f": {reason}" if reason else "")
    for cooldown in _dicts(account.get("cooldowns")):
        models, ends = _text(cooldown, "models"), _number(cooldown, "until")
        if models and ends is not None and ends > now:
            yield f"{models} back in {span(ends - now)}: {_text(cooldown, 'reason')}"
    if _text(account, "status") == "reauth_required":
        yield login_cure(str(account.get("name")), login=account.get("subscription") is not False)


def _footer(status: Document) -> Iterator[Text]:
    waiting = _number(status, "waiting")
    if waiting:
        yield Text(f"{waiting:.0f} request{'s' * (waiting != 1)} waiting for an account", "yellow")
    for word, money in told_money(glance(status)):
        sums = ((money.today, "today"), (money.week, "7 days"), (money.in_all, "in all"))
        told = [f"{dollars(sum_)} {label}" for sum_, label in sums if sum_ is not None]
        yield Text(f"{word}, at API prices: " + " · ".join(told))
    kept = status.get("credentials")
    if isinstance(kept, Mapping) and _text(kept, "file"):
        sealed = ", sealed by the system's keychain" if _text(kept, "kept_in") == "keychain" else ""
        yield Text(f"logins and stored keys: {_text(kept, 'file')}{sealed}", "dim")
    troubles = status.get("troubles")
    for about, trouble in troubles.items() if isinstance(troubles, Mapping) else ():
        yield Text(f"{clean(str(about))}: {clean(str(trouble))}", "yellow")
    watchers = _dicts(status.get("watchers"))
    unwell = [watcher for watcher in watchers if watcher.get("degraded")]
    if watchers and not unwell:
        yield Text(f"{len(watchers)} watchers, all well", "dim")
    for watcher in unwell:
        yield Text(
            f"watcher {_text(watcher, 'name')} is not well: {_text(watcher, 'last_error') or 'silent'}",
            "yellow",
        )


def _text(document: Document, key: str) -> str:
    value = document.get(key)
    return clean(str(value)) if value is not None else ""


def _number(document: Document, key: str) -> float | None:
    value = document.get(key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _dicts(value: Any) -> list[Document]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
