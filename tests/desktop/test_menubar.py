"""The menu as text for bars that run commands."""

from __future__ import annotations

import json

from shunt.desktop.menu import Action, Verb, menu_of
from shunt.desktop.menubar import FORMS, setup, waybar, words_for, xbar

STATUS = {
    "accounts": [
        {"name": "work", "status": "available", "utilization_5h": 0.5},
        {"name": 'a|b "c" <d>', "status": "reauth_required"},
    ],
    "pinned_account": "work",
}
MENU = menu_of(STATUS, 0.0)


def test_xbar_lines() -> None:
    """A title, a line across, and commands behind what can be chosen; no name takes a line apart."""
    lines = xbar(MENU, ["/opt/my shunt"]).split("\n")
    assert lines[0].startswith("⇄ 1/2! | color=#")
    assert lines[1] == "---"
    assert (
        '--✓ Use only this one | shell="/opt/my shunt" param1="use" param2="work" terminal=false refresh=true'
        in lines
    )
    assert any(line.startswith("a¦b") for line in lines)
    (login,) = [line for line in lines if "Log in" in line]
    assert login.endswith("terminal=true refresh=true")
    assert "Quit" not in "".join(lines), "there is nothing to end"


def test_waybar_object() -> None:
    """Text, class and a tooltip without markup of others."""
    found = json.loads(waybar(MENU, ["shunt"]))
    assert found["text"] == "⇄ 1/2!"
    assert found["class"] == "needed"
    assert "&lt;d&gt;" in found["tooltip"]
    assert "<d>" not in found["tooltip"]


def test_every_verb_has_its_command() -> None:
    """What a click runs exists."""
    assert words_for(Action(Verb.USE)) == ("use", "auto")
    assert all(words_for(Action(verb, "a")) for verb in Verb if verb is not Verb.QUIT)


def test_what_to_put_where() -> None:
    """For every form."""
    assert "menubar --format xbar" in setup("xbar", ["shunt"])
    assert json.loads(setup("waybar", ["shunt"]))["custom/shunt"]["return-type"] == "json"
    assert set(FORMS) == {"xbar", "swiftbar", "waybar"}
