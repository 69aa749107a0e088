"""The menu in the desktop's own terms, `com.canonical.dbusmenu`: numbers, properties, layouts. Pure.

Panels of KDE, Xfce, LXQt, GNOME (with its extension) and waybar draw it; we never do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from attrs import define, field

from shunt.desktop.menu import Action, Item, Menu

PATH: Final = "/MenuBar"
INTERFACE: Final = "com.canonical.dbusmenu"
ROOT: Final = 0

Variant = tuple[str, Any]
Layout = tuple[int, dict[str, Variant], list[Variant]]
LAYOUT: Final = "(ia{sv}av)"


@define
class Numbered:
    """A menu whose lines have numbers; number 0 is the menu itself."""

    revision: int = 0
    """Grows with every change."""
    _menu: Menu | None = None
    _items: dict[int, Item] = field(factory=dict)
    _children: dict[int, tuple[int, ...]] = field(factory=dict)

    def take(self, menu: Menu) -> bool:
        """Show this menu from now on; whether anything is different."""
        if self._menu is not None and menu.items == self._menu.items:
            return False
        self._menu = menu
        self.revision += 1
        self._items, self._children = {}, {}
        self._children[ROOT] = tuple(self._number(menu.items))
        return True

    def _number(self, items: Sequence[Item]) -> Iterator[int]:
        for item in items:
            number = len(self._items) + 1
            self._items[number] = item
            self._children[number] = tuple(self._number(item.children))
            yield number

    def action(self, number: int) -> Action | None:
        """What a click on a line means."""
        item = self._items.get(number)
        return item.action if item else None

    def layout(self, number: int, depth: int) -> Layout:
        """A line with what is below it, `depth` levels deep (-1: all)."""
        below = self._children.get(number, ()) if depth else ()
        children: list[Variant] = [(LAYOUT, self.layout(child, depth - 1)) for child in below]
        return number, self.properties(number), children

    def group(self, numbers: Sequence[int]) -> list[tuple[int, dict[str, Variant]]]:
        """Properties of several lines; of all when none is named."""
        wanted = numbers or [ROOT, *self._items]
        return [(number, self.properties(number)) for number in wanted if number in self._children]

    def properties(self, number: int) -> dict[str, Variant]:
        """How a line looks. What is usual is left out."""
        if number == ROOT:
            return {"children-display": ("s", "submenu")}
        item = self._items.get(number)
        if item is None:
            return {}
        if not item.label:
            return {"type": ("s", "separator")}
        # An underscore would mark the letter behind it as a shortcut.
        found: dict[str, Variant] = {"label": ("s", item.label.replace("_", "__"))}
        if item.children:
            found["children-display"] = ("s", "submenu")
        elif item.action is None:
            found["enabled"] = ("b", False)
        if item.checked is not None:
            found["toggle-type"] = ("s", "radio")
            found["toggle-state"] = ("i", int(item.checked))
        return found
