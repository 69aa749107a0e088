"""One line for prompts and bars."""

from __future__ import annotations

import re

from shunt.views.line import DEFAULT, FIELDS, line, unknown_fields
from tests.views.test_glance import STATUS


def test_every_field_is_filled() -> None:
    """And text around them stays."""
    for name in FIELDS:
        told = line(STATUS, 100.0, f"<{{{name}}}>")
        assert re.fullmatch(r"<[^{}]+>", told), name
    assert line(STATUS, 140.0, "{resets_account} {resets_in}: {saved_today}") == "a 1 m: $1.50"


def test_money_paid_is_a_field_of_its_own() -> None:
    """It is no part of what was saved."""
    status = {
        "savings": {"today_cost_usd": 3, "today_metered_usd": 1, "week_cost_usd": 5, "week_metered_usd": 2}
    }
    pattern = "{saved_today} {saved_week} {paid_today} {paid_week}"
    assert line(status, 0.0, pattern) == "$2.00 $3.00 $1.00 $2.00"


def test_the_pinned_account_is_the_one_that_is_told_of() -> None:
    """It is what serves next, whatever served last."""
    pinned = {**STATUS, "pinned_account": "a"}
    assert line(pinned, 0.0, "{account} {status} {pinned}") == "a cooling a"


def test_what_is_not_known_is_a_dash() -> None:
    """A prompt keeps its shape."""
    assert line({}, 0.0, DEFAULT) == "- - - | 0/0 free | reset - | -"


def test_unknown_fields_are_named() -> None:
    """So that a typing mistake is told instead of shown in every prompt."""
    assert unknown_fields("{account} {acount} {}") == ["acount"]
    assert line(STATUS, 0.0, "{acount} {}") == "{acount} {}"
    assert unknown_fields(DEFAULT) == []
