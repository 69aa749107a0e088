"""Documents about the past as tables: pure, no clock, no terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from shunt.cli.terminal import clean
from shunt.limits.forecast import FULL
from shunt.views.words import span

Document = Mapping[str, Any]

SHORT_ID = 12
"""Characters of a request's id that are shown; `shunt explain` takes them."""

WIDE = 160
"""Columns from which a request is told in full."""
MIDDLING = 100
HEADS = {
    "WHEN": 0,
    "ACCOUNT": 0,
    "MODEL": 0,
    "STATUS": 0,
    "IN": WIDE,
    "CACHED": WIDE,
    "OUT": MIDDLING,
    "COST": 0,
    "TOOK": MIDDLING,
    "WHY": WIDE,
    "ID": 0,
}
"""What is told of a request, each from this many columns on."""
SHORTENED = {"ACCOUNT": 7, "MODEL": 15}
"""Characters of what is cut where it is narrow."""


def requests_view(document: Document, width: int = WIDE) -> RenderableType:
    """Past requests, one a line. `width` is how many columns there are: less is told where it is narrow."""
    requests = document.get("requests") or []
    if not requests:
        return Text("No such requests.")
    wide = width >= WIDE
    shown = [head for head, least in HEADS.items() if width >= least]
    table = _table(*shown)
    for one in requests:
        cells = _cells(one)
        if not wide:
            cells["WHEN"] = Text(moment(one["ts_ms"] / 1000)[:-3], "dim")
            for head, most in SHORTENED.items():
                cells[head].truncate(most, overflow="ellipsis")
        table.add_row(*(cells[head] for head in shown))
    more = Text("More: --limit, or --json with --before.", "dim") if document.get("next") else Text("")
    return Group(table, more)


def _cells(one: Document) -> dict[str, Text]:
    return {
        "WHEN": Text(moment(one["ts_ms"] / 1000), "dim"),
        "ACCOUNT": Text(clean(str(one.get("account") or "-")), "bold"),
        "MODEL": Text(clean(str(one.get("model") or one.get("operation") or ""))),
        "STATUS": _status(one),
        "IN": _count(one.get("input_tokens")),
        "CACHED": _count(one.get("cache_read_tokens")),
        "OUT": _count(one.get("output_tokens")),
        "COST": Text(dollars(one.get("cost_usd")), justify="right"),
        "TOOK": Text(took(one.get("duration_ms")), justify="right"),
        "WHY": Text(clean(str(one.get("why") or "")), "dim"),
        "ID": Text(clean(str(one.get("id")))[:SHORT_ID], "dim"),
    }


def sums_view(document: Document) -> RenderableType:
    """What groups of requests add up to."""
    by = [str(name) for name in document.get("by", ())]
    heads = ("REQUESTS", "ERRORS", "IN", "CACHED", "CACHE", "OUT", "REBILLED", "COST", "PAID")
    table = _table(*(name.upper() for name in by), *heads)
    for group in document.get("groups", ()):
        key = group.get("key", {})
        table.add_row(*(Text(clean(str(key.get(name) or "-")), "bold") for name in by), *_sums(group))
    total = document.get("total")
    if isinstance(total, Mapping):
        table.add_row(*(Text("in all" if n == 0 else "", "dim") for n in range(len(by))), *_sums(total))
    return table


def _sums(group: Document) -> Iterator[Text]:
    share = group.get("cache_read_share")
    yield _count(group.get("requests"))
    yield _count(group.get("errors"), "red")
    for name in ("input_tokens", "cache_read_tokens"):
        yield _count(group.get(name))
    yield Text(f"{share:.0%}" if isinstance(share, int | float) else "-", justify="right")
    for name in ("output_tokens", "rebilled_tokens"):
        yield _count(group.get(name))
    yield Text(dollars(group.get("cost_usd")), justify="right")
    yield Text(dollars(group.get("metered_usd")), justify="right")


def forecasts_view(document: Document, now: float) -> RenderableType:
    """When each window runs dry."""
    table = _table("ACCOUNT", "WINDOW", "USED", "PACE", "RUNS DRY", "AT THE RESET")
    for one in document.get("forecasts", ()):
        dry, reset = one.get("runs_dry_at"), one["resets_at"]
        ends = "spent" if dry is None or dry <= now or one["used"] >= FULL else f"in {span(dry - now)}"
        table.add_row(
            Text(clean(str(one["account"])), "bold"),
            Text(clean(str(one["window"]))),
            Text(f"{one['used']:.0%}", justify="right"),
            Text(f"{one['pace_per_hour']:.1%}/h", justify="right"),
            Text(ends, "yellow") if dry is not None else Text("lasts", "green"),
            Text(f"{one['used_at_reset']:.0%} in {span(reset - now)}", "dim"),
        )
    if not table.row_count:
        return Text("Nothing to foretell yet: windows are learnt from the answers to requests.")
    return Group(table, Text(""), *_method(document))


def _method(document: Document) -> Iterator[Text]:
    error = document.get("error", {})
    yield Text(f"Method: {document.get('method', '')}.", "dim")
    if error.get("mean_error") is None:
        yield Text("Its error is not known yet: no window of the past was seen long enough.", "dim")
        return
    told = (
        f"On {error['windows']} past windows it was off by {error['mean_error']:.1%} of a window on average"
    )
    if error.get("dry_hit_share") is not None:
        told += f", and foresaw {error['dry_hit_share']:.0%} of those that ran dry"
    if error.get("median_dry_error_s") is not None:
        told += f" (to within {span(error['median_dry_error_s'])}, median)"
    yield Text(f"{told}.", "dim")


def trial_view(document: Document) -> RenderableType:
    """What a simulation came to, beside the present way."""
    table = _table("", "LIMITS HIT", "WAITED", "LONGEST", "IN ALL", "REFUSED", "MOVES")
    for name in ("present", "tried"):
        one = document[name]
        table.add_row(
            Text(clean(str(one["name"])), "bold"),
            Text(str(one["limits"]), justify="right"),
            _count(one["held"]),
            Text(span(one["longest_s"]) if one["longest_s"] else "-", justify="right"),
            Text(span(one["waited_s"]) if one["waited_s"] else "-", justify="right"),
            _count(one["refused"], "red"),
            _count(one["moves"]),
        )
    shares = _table("ACCOUNT", "REQUESTS", "COST", "LIMITS HIT", "5H WINDOW HOLDS")
    for share in document["tried"]["accounts"]:
        size = share.get("window_5h_usd")
        told = "not known" if size is None else f"{dollars(size)}{' (guessed)' if share['guessed'] else ''}"
        shares.add_row(
            Text(clean(str(share["account"])), "bold"),
            _count(share["requests"]),
            Text(dollars(share["cost_usd"]), justify="right"),
            Text(str(share["limits"]), justify="right"),
            Text(told, "dim"),
        )
    head = Text(f"{document['requests']:,} requests of {document['days']:.0f} days, replayed", "bold")
    real = Text(f"In truth, requests found an account spent {document['recorded_refusals']:,} times.", "dim")
    return Group(head, table, shares, real)


# ── words ─────────────────────────────────────────────────────────────────────────────────────────


def moment(seconds: float) -> str:
    """A moment of the past on this machine's clock."""
    return datetime.fromtimestamp(seconds, tz=UTC).astimezone().strftime("%d %b %H:%M:%S")


def dollars(value: Any) -> str:
    """An amount, with as many places as it takes to see it."""
    if not isinstance(value, int | float) or not value:
        return "-"
    return f"${value:,.2f}" if value >= 0.1 else f"${value:.4f}"


def took(milliseconds: Any) -> str:
    """A duration with one place."""
    return f"{milliseconds / 1000:,.1f} s" if isinstance(milliseconds, int | float) else "-"


def _status(one: Document) -> Text:
    outcome, status = str(one.get("outcome")), str(one.get("status"))
    if outcome == "served":
        return Text(status, "green")
    style = "dim" if outcome == "client_gone" else "red"
    return Text("left" if outcome == "client_gone" else f"{status} {clean(outcome)}", style)


def _count(value: Any, style: str = "") -> Text:
    told = f"{value:,}" if isinstance(value, int | float) and value else "-"
    return Text(told, style if told != "-" else "dim", justify="right")


def _table(*heads: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for head in heads:
        table.add_column(head, overflow="fold", no_wrap=head == "ID")
    return table
