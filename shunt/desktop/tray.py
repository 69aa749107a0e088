"""The life of the tray: look at the server every few seconds, show what it says, do what is chosen."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol

import trio
from attrs import define, evolve, field

from shunt.desktop.menu import Action, Item, Menu, Verb, menu_of

log = logging.getLogger(__name__)

LOOK_EVERY: Final = 5.0
"""Seconds between two looks; a change of ours is shown at once."""


class Trouble(Exception):
    """Why the server could not be asked, for people."""


class Server(Protocol):
    """What the tray wants of the server. All of it blocks, and raises Trouble."""

    def status(self) -> Mapping[str, Any]:
        """The `/status` document."""

    def use(self, account: str | None) -> None:
        """Send everything to one account; None chooses automatically."""

    def pause(self, account: str) -> None:
        """Take an account out of use."""

    def resume(self, account: str) -> None:
        """Take it back into use."""

    def login(self, account: str) -> None:
        """Begin a login, where a person can go on with it."""

    def dashboard(self) -> None:
        """Open the dashboard in the browser."""

    def start(self) -> None:
        """Start a server."""


@define(eq=False)
class Tray:
    """Shows one server."""

    server: Server
    show: Callable[[Menu], Awaitable[None]]
    now: Callable[[], float]
    _chosen: list[Action] = field(factory=list)
    _stir: trio.Event = field(factory=trio.Event)
    trouble: str = ""
    """What went wrong with the last thing that was chosen."""

    def choose(self, action: Action) -> None:
        """Take note of a click. From this thread; see `trio.from_thread` for others."""
        self._chosen.append(action)
        self._stir.set()

    async def run(self) -> None:
        """Go on until Quit is chosen."""
        while True:
            await self.show(await self._menu())
            with trio.move_on_after(LOOK_EVERY):
                await self._stir.wait()
            self._stir = trio.Event()
            while self._chosen:
                action = self._chosen.pop(0)
                if action.verb is Verb.QUIT:
                    return
                await self._do(action)

    async def _menu(self) -> Menu:
        try:
            status = await trio.to_thread.run_sync(self.server.status, abandon_on_cancel=True)
        except Trouble as error:
            return menu_of(None, self.now(), self.trouble or str(error))
        menu = menu_of(status, self.now())
        return menu if not self.trouble else _with_trouble(menu, self.trouble)

    async def _do(self, action: Action) -> None:
        server, name = self.server, action.account
        steps: dict[Verb, Callable[[], None]] = {
            Verb.USE: lambda: server.use(name or None),
            Verb.PAUSE: lambda: server.pause(name),
            Verb.RESUME: lambda: server.resume(name),
            Verb.LOGIN: lambda: server.login(name),
            Verb.DASHBOARD: server.dashboard,
            Verb.START: server.start,
        }
        self.trouble = ""
        try:
            await trio.to_thread.run_sync(steps[action.verb], abandon_on_cancel=True)
        except Trouble as error:
            log.warning("%s: %s", action.verb, error)
            self.trouble = str(error)


def _with_trouble(menu: Menu, trouble: str) -> Menu:
    return evolve(menu, title=f"{menu.title}; {trouble}", items=(Item(trouble), *menu.items))
