"""What stands in the tables."""

from __future__ import annotations

from typing import Any

import pytest
from rich.text import Text

from shunt.tui import rows
from tests.tui.scene import ACTIVE, ERROR, REQUEST, SUMS, T0, account, status

WIDTHS = (80, 200)


def plain(cells: Any) -> list[str]:
    return [cell.plain if isinstance(cell, Text) else cell for cell in cells]


@pytest.mark.parametrize("width", WIDTHS)
def test_every_row_fits_its_titles(width: int) -> None:
    """At both widths."""
    coral = status()["accounts"][0]
    assert len(rows.account_cells(coral, "", T0, width)) == len(rows.account_titles(width))
    assert len(rows.request_cells(REQUEST, "09:00:00", width)) == len(rows.request_titles(width))
    assert len(rows.live_cells(ACTIVE, width)) == len(rows.live_titles(width))


def test_an_account_s_row_says_how_it_stands() -> None:
    """Both windows with bar, share and countdown, and a mark when it is pinned."""
    name, state, five, seven = plain(rows.account_cells(account("coral", 0.33), "coral", T0, 80))
    assert (name, state) == ("● coral", "available")
    assert five == "██░░░░  33% 2 h 28 m"
    assert seven.endswith("41% 3 d 11 h")


def test_the_wide_row_has_the_rest() -> None:
    """Tokens, cache, outlook, whose it is."""
    forecast = {"window": "5h", "runs_dry_at": T0 + 600, "used_at_reset": 1.2}
    cells = plain(rows.account_cells(account("coral", 0.33, forecast=forecast), "", T0, 200))
    assert cells[4:] == ["1", "12.3k", "80%", "5 hours dry in 10 m", "anthropic · max · coral@example.test"]


def test_the_outlook_is_dry_or_a_share() -> None:
    """Whichever comes first."""
    told = {"forecast": {"window": "7d", "runs_dry_at": None, "used_at_reset": 0.8}}
    assert rows.outlook(told, T0) == "7 days 80% by its reset"
    assert rows.outlook({}, T0) == "-"


def test_the_chosen_account_is_told_of_in_lines() -> None:
    """Why it rests and until when, and windows that have no column."""
    reef = {
        **status()["accounts"][1],
        "cooldowns": [{"models": "opus", "until": T0 + 60, "reason": "throttled"}],
        "windows": [{"name": "7d_opus", "models": "opus", "used": 0.5}],
    }
    lines = rows.account_lines(reef, T0)
    assert lines[0].startswith("reef: anthropic · max · reef@example.test · cooling")
    assert lines[1:] == [
        "back in 1 m 30 s: 5h window rejected",
        "opus back in 1 m: throttled",
        "7d_opus: 50% used",
    ]


def test_a_request_s_row_says_why() -> None:
    """And which accounts were left on the way."""
    cells = plain(rows.request_cells(REQUEST, "09:00:00", 200))
    assert cells[:2] == ["09:00:00", "coral"]
    assert cells[2] == "its conversation stays with it, after reef"
    assert "$0.0031" in cells


def test_a_live_row_shows_speed_and_silence() -> None:
    """And says so when a stream has stalled."""
    assert plain(rows.live_cells(ACTIVE, 80))[1:5] == ["streaming", "2.1 s", "42", "120 ms ago"]
    assert plain(rows.live_cells({**ACTIVE, "stalled": True}, 80))[1] == "stalled"
    assert plain(rows.live_cells({"phase": "waiting"}, 80))[1] == "waits for an account"


def test_errors_come_with_their_cure() -> None:
    """What happened, to whom, what to do."""
    told = rows.error_lines(ERROR, "09:00:00").plain
    assert told == (
        "09:00:00 529 reef · claude-sonnet-5-5\n  The vendor is overloaded.\n  → Nothing to do; shunt tries again."
    )


def test_watchers_show_their_last_round_or_their_trouble() -> None:
    """One line each."""
    watcher = status()["watchers"][0]
    assert rows.watcher_line(watcher, T0).plain == "● cooldown     idle, last 3 s ago"
    assert (
        "disk full" in rows.watcher_line({**watcher, "degraded": True, "last_error": "disk full"}, T0).plain
    )


def test_names_move_no_cursor() -> None:
    """A client may call its model anything."""
    cells = plain(rows.request_cells({**REQUEST, "model": "a\x1b[2Jb"}, "09:00:00", 200))
    assert "a?[2Jb" in cells


def test_sums_are_by_account_and_in_all() -> None:
    """What is missing is a dash."""
    told = [plain(cells) for cells in rows.sum_rows(SUMS).values()]
    assert [len(cells) for cells in told] == [len(rows.SUM_TITLES)] * 2
    assert told[0] == ["coral", "3", "0", "12.3k", "-", "-", "-", "$1.00"]
    assert told[1][-2:] == ["50%", "$2.00"]
    assert rows.sum_rows({}) == {}
