"""Tables about the past."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from rich.console import Console, RenderableType

from shunt.cli.past_views import (
    dollars,
    forecasts_view,
    moment,
    requests_view,
    sums_view,
    took,
    trial_view,
)
from shunt.telemetry.documents import of_request
from tests.fakes.pools import T0
from tests.fakes.records import record


def shown(view: RenderableType, width: int = 200) -> str:
    out = StringIO()
    Console(file=out, width=width, color_system=None).print(view)
    return out.getvalue()


def test_a_request_is_one_line() -> None:
    """What a name holds moves no cursor."""
    told = of_request(record(1, account="a\x1b[2J", outcome="client_gone"))
    lines = shown(requests_view({"requests": [told], "next": "x"}))
    assert "\x1b" not in lines
    assert "left" in lines
    assert "$0.25" in lines
    assert "--before" in lines
    assert shown(requests_view({"requests": []})) == "No such requests.\n"


@pytest.mark.parametrize("width", [80, 100, 120, 200])
@pytest.mark.parametrize("outcome", ["served", "refused", "cut"])
def test_a_request_is_one_line_on_any_terminal(width: int, outcome: str) -> None:
    """Ids stay whole, since `shunt explain` takes them; what has no room is left out or shortened."""
    long = record(
        1, account="a-long-name-of-an-account", outcome=outcome, why="its conversation stays with it"
    )
    told = {**of_request(long), "id": "req_0123456789", "model": "claude-opus-5-5-20261120"}
    lines = shown(requests_view({"requests": [told, told]}, width), width).rstrip().splitlines()
    assert len(lines) == 4
    for line in lines[2:]:
        assert "req_01234567" in line
        assert "a-long" in line
        assert "claude-opus" in line
        assert "$0.25" in line


def test_groups_and_their_sum() -> None:
    """The cache's share in percent, nothing as a dash."""
    sums: dict[str, Any] = {"requests": 1234, "errors": 0, "cache_read_share": 0.875, "cost_usd": 12.5}
    lines = shown(
        sums_view({"by": ["day"], "groups": [{"key": {"day": "2026-11-27"}, **sums}], "total": sums})
    )
    assert "2026-11-27" in lines
    assert "1,234" in lines
    assert "88%" in lines
    assert "in all" in lines


def test_forecasts_say_when_and_how_sure() -> None:
    """Countdowns, and the error on the past."""
    one = {
        "account": "a",
        "window": "5h",
        "used": 0.6,
        "resets_at": T0 + 9000,
        "pace_per_hour": 0.2,
        "runs_dry_at": T0 + 7200,
        "used_at_reset": 1.1,
    }
    error = {"windows": 9, "mean_error": 0.08, "dry_hit_share": 0.75, "median_dry_error_s": 1200}
    lines = shown(forecasts_view({"forecasts": [one], "method": "m", "error": error}, T0))
    assert "in 2 h" in lines
    assert "off by 8.0%" in lines
    assert "75%" in lines
    assert "spent" in shown(forecasts_view({"forecasts": [{**one, "used": 1.0}]}, T0))
    assert "not known yet" in shown(forecasts_view({"forecasts": [one], "error": {}}, T0))
    assert "Nothing to foretell" in shown(forecasts_view({"forecasts": []}, T0))


def test_a_trial_stands_beside_the_present() -> None:
    """Limits, waits, and what each account would have carried."""
    side = {
        "name": "present",
        "limits": 3,
        "held": 2,
        "longest_s": 3600,
        "waited_s": 7200,
        "refused": 0,
        "moves": 1,
    }
    share = {
        "account": "a",
        "requests": 10,
        "cost_usd": 1.0,
        "limits": 3,
        "window_5h_usd": 42.0,
        "guessed": True,
    }
    lines = shown(
        trial_view(
            {
                "requests": 100,
                "days": 30,
                "recorded_refusals": 7,
                "present": side,
                "tried": {**side, "name": "1 more", "accounts": [share]},
            }
        )
    )
    assert "1 more" in lines
    assert "$42.00 (guessed)" in lines
    assert "7 times" in lines


@pytest.mark.parametrize(
    ("value", "told"), [(0, "-"), (None, "-"), (0.00012, "$0.0001"), (1234.5, "$1,234.50")]
)
def test_amounts(value: float | None, told: str) -> None:
    """With as many places as it takes."""
    assert dollars(value) == told


def test_times() -> None:
    """Durations with one place; moments on this machine's clock."""
    assert took(1234) == "1.2 s"
    assert took(None) == "-"
    assert moment(T0).endswith(":20")
