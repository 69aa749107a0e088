"""From `/status` to a menu."""

from __future__ import annotations

from typing import Any

import pytest

from shunt.desktop.menu import MOST, Action, Item, Mood, Verb, menu_of, span

NOW = 1_763_715_600.0


def account(name: str, status: str = "available", **more: Any) -> dict[str, Any]:
    return {"name": name, "status": status, **more}


def line(items: tuple[Item, ...], word: str) -> Item:
    return next(item for item in items if word in item.label)


def test_accounts_with_their_windows_and_what_can_be_done() -> None:
    """One line each, with the verbs that fit its state."""
    status = {
        "accounts": [
            account("work", utilization_5h=0.42, utilization_7d=0.17),
            account("spent", "cooling", cooldown_until_ms=(NOW + 7500) * 1000),
            account("off", "disabled"),
            account("key"),
        ],
        "pinned_account": "work",
        "waiting": 2,
    }
    menu = menu_of(status, NOW)
    assert menu.mood is Mood.GOOD
    assert menu.title == "shunt: 2 of 4 accounts available, 2 waiting"
    assert menu.short == "2/4"
    work = line(menu.items, "work:")
    assert work.label == "work: 5h 42%, week 17%"
    assert work.checked is True
    assert [child.action for child in work.children] == [Action(Verb.USE, "work"), Action(Verb.PAUSE, "work")]
    assert line(menu.items, "spent").label == "spent: back in 2 h 5 min"
    assert line(menu.items, "key").label == "key: available"
    assert line(menu.items, "off").children[-1].action == Action(Verb.RESUME, "off")
    assert line(menu.items, "automatically").checked is False
    assert [item.action.verb for item in menu.items if item.action] == [Verb.USE, Verb.DASHBOARD, Verb.QUIT]


@pytest.mark.parametrize(
    ("states", "mood"),
    [
        (("available", "cooling"), Mood.GOOD),
        (("cooling", "disabled"), Mood.WAITING),
        (("available", "reauth_required"), Mood.NEEDED),
        ((), Mood.WAITING),
    ],
)
def test_the_icon_tells_whether_anybody_is_needed(states: tuple[str, ...], mood: Mood) -> None:
    """A login that is needed comes before everything else."""
    menu = menu_of({"accounts": [account(f"a{n}", state) for n, state in enumerate(states)]}, NOW)
    assert menu.mood is mood


def test_a_login_that_is_needed_can_be_begun() -> None:
    """First in the account's own menu, and told in the title."""
    menu = menu_of({"accounts": [account("old", "reauth_required")]}, NOW)
    assert "login needed: old" in menu.title
    assert menu.short == "0/1!"
    assert line(menu.items, "old:").children[0].action == Action(Verb.LOGIN, "old")


def test_no_server() -> None:
    """Said with the reason, and it can be started."""
    menu = menu_of(None, NOW, "shunt is not running")
    assert menu.mood is Mood.DOWN
    assert Action(Verb.START) in [item.action for item in menu.items]


def test_whatever_a_server_says_makes_a_menu() -> None:
    """A newer or broken one must not end the tray."""
    for status in ({}, {"accounts": None}, {"accounts": ["x", {}]}, {"accounts": [{"utilization_5h": True}]}):
        assert menu_of(status, NOW).items
    many = menu_of({"accounts": [account(f"a{n}") for n in range(MOST + 3)]}, NOW)
    assert line(many.items, "3 more").action is None


@pytest.mark.parametrize(
    ("seconds", "words"), [(-1, "0 s"), (59, "59 s"), (720, "12 min"), (3 * 86400, "3 d")]
)
def test_spans(seconds: float, words: str) -> None:
    """In the largest unit that says enough."""
    assert span(seconds) == words
