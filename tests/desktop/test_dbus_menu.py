"""The menu in the desktop's terms."""

from __future__ import annotations

from shunt.desktop.dbus_menu import ROOT, Numbered
from shunt.desktop.menu import SEPARATOR, Action, Item, Menu, Mood, Verb

ITEMS = (
    Item("a title"),
    SEPARATOR,
    Item("an_account", checked=True, children=(Item("Pause", Action(Verb.PAUSE, "a")),)),
    Item("Quit", Action(Verb.QUIT)),
)
MENU = Menu(Mood.GOOD, "t", "s", ITEMS)


def test_lines_are_numbered_and_found_again() -> None:
    """Every line once, a click leads to its action."""
    numbered = Numbered()
    assert numbered.take(MENU)
    number, properties, children = numbered.layout(ROOT, -1)
    assert (number, properties["children-display"]) == (ROOT, ("s", "submenu"))
    layouts = [layout for _, layout in children]
    assert [layout[1].get("label", layout[1].get("type")) for layout in layouts] == [
        ("s", "a title"),
        ("s", "separator"),
        ("s", "an__account"),
        ("s", "Quit"),
    ]
    assert layouts[0][1]["enabled"] == ("b", False)
    assert layouts[2][1]["toggle-state"] == ("i", 1)
    (pause,) = [child for _, child in layouts[2][2]]
    assert numbered.action(pause[0]) == Action(Verb.PAUSE, "a")
    assert numbered.action(99) is None


def test_depth_and_groups() -> None:
    """As panels ask: level by level, or properties alone."""
    numbered = Numbered()
    numbered.take(MENU)
    assert numbered.layout(ROOT, 0)[2] == []
    assert all(layout[2] == [] for _, layout in numbered.layout(ROOT, 1)[2])
    assert [number for number, _ in numbered.group([])] == [0, 1, 2, 3, 4, 5]
    assert [number for number, _ in numbered.group([5, 99])] == [5]
    assert numbered.properties(99) == {}


def test_a_revision_counts_changes_only() -> None:
    """Panels draw anew when they are told to."""
    numbered = Numbered()
    numbered.take(MENU)
    assert not numbered.take(Menu(Mood.NEEDED, "other", "x", ITEMS))
    assert numbered.revision == 1
    assert numbered.take(Menu(Mood.GOOD, "t", "s", ITEMS[:1]))
    assert numbered.revision == 2
