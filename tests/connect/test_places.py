"""Paths into documents of settings."""

from __future__ import annotations

from shunt.connect.places import ABSENT, Item, find, missing_from, place_of, shown

DOCUMENT = {"env": {"A": "1", "B": None}, "list": [{"name": "x", "value": 1}, "stray"]}


def test_what_is_there_is_found_and_what_is_not_is_told_from_null() -> None:
    """A null is a value; a path through something else than a table leads nowhere."""
    assert find(DOCUMENT, ("env", "A")) == "1"
    assert find(DOCUMENT, ("env", "B")) is None
    assert find(DOCUMENT, ("env", "C")) is ABSENT
    assert find(DOCUMENT, ("env", "A", "deeper")) is ABSENT
    assert find(DOCUMENT, ("list", Item("name", "x"), "value")) == 1
    assert find(DOCUMENT, ("env", Item("name", "x"))) is ABSENT


def test_how_much_of_a_path_exists() -> None:
    """An undo takes out exactly the tables that were made."""
    assert missing_from(DOCUMENT, ("env", "A")) == 2
    assert missing_from(DOCUMENT, ("env", "C")) == 1
    assert missing_from(DOCUMENT, ("new", "C")) == 0


def test_names_for_people() -> None:
    """A path reads as people write it, and an absent value says so."""
    assert shown(("env", Item("name", "x"))) == "env.x"
    assert repr(ABSENT) == "ABSENT"
    assert place_of(DOCUMENT["list"], Item("name", "x")) == 0  # type: ignore[arg-type]
