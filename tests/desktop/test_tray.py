"""The life of the tray."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import trio
from attrs import define, field

from shunt.desktop.menu import Action, Menu, Mood, Verb
from shunt.desktop.tray import Tray, Trouble


@define
class Scripted:
    """A server that notes what it is asked for."""

    asked: list[tuple[str, Any]] = field(factory=list)
    down: bool = False
    broken: bool = False

    def status(self) -> Mapping[str, Any]:
        if self.down:
            raise Trouble("shunt is not running")
        return {"accounts": [{"name": "a", "status": "available"}]}

    def _note(self, verb: str, name: Any = None) -> None:
        if self.broken:
            raise Trouble("it did not want to")
        self.asked.append((verb, name))

    def use(self, account: str | None) -> None:
        self._note("use", account)

    def pause(self, account: str) -> None:
        self._note("pause", account)

    def resume(self, account: str) -> None:
        self._note("resume", account)

    def login(self, account: str) -> None:
        self._note("login", account)

    def dashboard(self) -> None:
        self._note("dashboard")

    def start(self) -> None:
        self._note("start")
        self.down = False


async def lived(server: Scripted, *actions: Action) -> list[Menu]:
    """Everything that was shown while these were chosen, one after the other, and Quit at last."""
    shown: list[Menu] = []
    left = [*actions, Action(Verb.QUIT)]

    async def show(menu: Menu) -> None:
        shown.append(menu)
        tray.choose(left.pop(0))
        await trio.lowlevel.checkpoint()

    tray = Tray(server, show, lambda: 0.0)
    with trio.fail_after(20):
        await tray.run()
    return shown


async def test_every_verb_reaches_the_server() -> None:
    """With its account; what changed is shown at once."""
    server = Scripted()
    verbs = (Verb.USE, Verb.PAUSE, Verb.RESUME, Verb.LOGIN, Verb.DASHBOARD, Verb.START)
    shown = await lived(server, *(Action(verb, "a") for verb in verbs), Action(Verb.USE))
    assert server.asked == [
        ("use", "a"),
        ("pause", "a"),
        ("resume", "a"),
        ("login", "a"),
        ("dashboard", None),
        ("start", None),
        ("use", None),
    ]
    assert len(shown) == 8


async def test_a_server_that_comes_and_goes() -> None:
    """The tray stays, says so, and can start one."""
    shown = await lived(Scripted(down=True), Action(Verb.START))
    assert [menu.mood for menu in shown] == [Mood.DOWN, Mood.GOOD]


async def test_what_went_wrong_is_shown() -> None:
    """Until something else is chosen."""
    shown = await lived(Scripted(broken=True), Action(Verb.PAUSE, "a"))
    assert "it did not want to" in shown[1].title
    assert "it did not want to" in shown[1].items[0].label
