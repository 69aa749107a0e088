"""The icon through pystray, with the toolkit played: its own ones need a screen."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from shunt.desktop.menu import Action, Verb, menu_of
from shunt.desktop.pystray_icon import NoToolkit, PystrayIcon

MENU = menu_of({"accounts": [{"name": "a", "status": "available"}], "pinned_account": "a"}, 0.0)


class Played:
    """A toolkit that keeps what it is given."""

    def __init__(self) -> None:
        self.icons: list[Any] = []

    def Icon(self, name: str, image: Any, title: str, menu: Any) -> Any:  # noqa: N802 - the toolkit's name
        icon = SimpleNamespace(name=name, icon=image, title=title, menu=menu, drawn=0)
        icon.run = icon.stop = lambda: None
        icon.update_menu = lambda: setattr(icon, "drawn", icon.drawn + 1)
        self.icons.append(icon)
        return icon

    class Menu(tuple[Any, ...]):
        __slots__ = ()
        SEPARATOR = "----"

        def __new__(cls, *items: Any) -> Any:
            return super().__new__(cls, items)

    @staticmethod
    def MenuItem(text: str, action: Any, **options: Any) -> Any:  # noqa: N802 - the toolkit's name
        return SimpleNamespace(text=text, action=action, **options)


@pytest.fixture
def toolkit(monkeypatch: pytest.MonkeyPatch) -> Played:
    pytest.importorskip("PIL", reason="images come with the extra `tray`")
    played = Played()
    monkeypatch.setitem(sys.modules, "pystray", played)
    return played


def test_the_menu_is_built_and_clicked(toolkit: Played) -> None:
    """Lines, marks, what is below, and what a click means."""
    clicked: list[Action] = []
    shown = PystrayIcon(clicked.append, MENU)
    shown.run()
    (icon,) = toolkit.icons
    assert icon.icon.size == (64, 64)
    assert icon.menu[0].enabled is False
    assert icon.menu[1] == Played.Menu.SEPARATOR
    account = next(item for item in icon.menu if getattr(item, "text", "").startswith("a:"))
    assert account.checked(None) is True
    account.action[1].action(None, None)
    assert clicked == [Action(Verb.PAUSE, "a")]
    shown.stop()


def test_only_what_changed_is_drawn(toolkit: Played) -> None:
    """A new menu is; the same one is not."""
    shown = PystrayIcon(lambda _: None, MENU)
    shown.show(MENU)
    shown.run()
    shown.show(MENU)
    assert toolkit.icons[0].drawn == 0
    shown.show(menu_of(None, 0.0))
    assert toolkit.icons[0].drawn == 1


def test_without_the_toolkit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Said, whatever the toolkit raised."""
    monkeypatch.setitem(sys.modules, "pystray", None)
    with pytest.raises(NoToolkit):
        PystrayIcon(lambda _: None, MENU).run()
