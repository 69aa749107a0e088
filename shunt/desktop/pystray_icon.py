"""An icon with a menu through pystray: Windows and macOS, and X11 panels that know nothing newer.

The toolkit has to own the main thread there; what is chosen and what is shown crosses between threads
through the two methods below.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from attrs import define, field

from shunt.desktop.icon import rgba
from shunt.desktop.menu import Action, Item, Menu

SIZE = 64


class NoToolkit(Exception):
    """pystray is not installed, or has no screen to draw on."""


@define(eq=False)
class PystrayIcon:
    """The icon. `run` blocks the main thread; `show` and `stop` may be called from another one."""

    clicked: Callable[[Action], None]
    _menu: Menu
    _icon: Any = field(default=None)

    def run(self) -> None:
        """Show the icon until `stop`. Raises NoToolkit."""
        try:
            import pystray  # noqa: PLC0415 - connects to a screen when it is imported
        except Exception as error:
            # Without a screen it raises whatever its toolkit does.
            raise NoToolkit(f"{type(error).__name__}: {error}") from error
        self._icon = pystray.Icon("shunt", _image(self._menu), self._menu.title, self._built(pystray))
        self._icon.run()

    def show(self, menu: Menu) -> None:
        """Show this from now on."""
        before, self._menu = self._menu, menu
        icon = self._icon
        if icon is None:
            return
        if menu.mood is not before.mood:
            icon.icon = _image(menu)
        icon.title = menu.title
        if menu.items != before.items:
            import pystray  # noqa: PLC0415 - there already

            icon.menu = self._built(pystray)
            icon.update_menu()

    def stop(self) -> None:
        """End `run`."""
        if self._icon is not None:
            self._icon.stop()

    def _built(self, toolkit: Any) -> Any:
        return toolkit.Menu(*self._entries(toolkit, self._menu.items))

    def _entries(self, toolkit: Any, items: tuple[Item, ...]) -> Iterator[Any]:
        for item in items:
            if not item.label:
                yield toolkit.Menu.SEPARATOR
                continue
            below = toolkit.Menu(*self._entries(toolkit, item.children)) if item.children else None
            checked = item.checked
            yield toolkit.MenuItem(
                item.label,
                below or self._chosen(item.action),
                checked=None if checked is None else (lambda _, checked=checked: checked),
                radio=checked is not None,
                enabled=bool(item.children or item.action),
            )

    def _chosen(self, action: Action | None) -> Callable[..., None]:
        def choose(_icon: Any, _item: Any) -> None:
            if action is not None:
                self.clicked(action)

        return choose


def _image(menu: Menu) -> Any:
    from PIL import Image  # noqa: PLC0415 - comes with pystray

    return Image.frombytes("RGBA", (SIZE, SIZE), rgba(menu.mood, SIZE))
