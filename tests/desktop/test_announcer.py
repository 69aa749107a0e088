"""Notices on their way to a person."""

from __future__ import annotations

import pytest
import trio
from attrs import define, field
from trio.testing import wait_all_tasks_blocked

from shunt.desktop.announcer import WAITING, Announcer, sender_of
from shunt.desktop.freedesktop import Freedesktop
from shunt.desktop.notification import NoDesktop, Notification
from shunt.desktop.programs import SystemProgram
from shunt.watchers.notices import Category, Notice

SPENT = Notice(Category.COOLDOWN_STARTED, "a", "Account a is spent.")


@define
class Screen:
    """A desktop that works or not, and a terminal beside it."""

    broken: bool = False
    gone: bool = False
    shown: list[Notification] = field(factory=list)
    printed: list[str] = field(factory=list)

    async def send(self, notification: Notification) -> None:
        await trio.lowlevel.checkpoint()
        if self.broken:
            raise NoDesktop("no session bus")
        self.shown.append(notification)

    def write(self, line: str) -> None:
        if self.gone:
            raise BrokenPipeError
        self.printed.append(line)


async def test_a_notice_reaches_the_desktop_and_not_the_terminal(nursery: trio.Nursery) -> None:
    """Nobody needs to read it twice."""
    screen = Screen()
    announcer = Announcer(screen.send, screen.write)
    nursery.start_soon(announcer.run, lambda: True)
    announcer.offer(SPENT)
    await wait_all_tasks_blocked()
    assert screen.shown == [Notification("shunt: long cooldown started", "Account a is spent.")]
    assert screen.printed == []


@pytest.mark.parametrize("wanted", [True, False])
async def test_without_a_desktop_it_is_a_line(
    nursery: trio.Nursery, wanted: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Whether none is there or none is wanted; why is logged once."""
    caplog.set_level("INFO")
    screen = Screen(broken=True)
    announcer = Announcer(screen.send, screen.write)
    nursery.start_soon(announcer.run, lambda: wanted)
    for _ in range(2):
        announcer.offer(SPENT)
    await wait_all_tasks_blocked()
    assert screen.printed == ["shunt: Account a is spent."] * 2
    assert caplog.text.count("no session bus") == (1 if wanted else 0)


async def test_a_terminal_that_is_gone_stops_nothing(nursery: trio.Nursery) -> None:
    """The log still has every notice, and the desktop may come back."""
    screen = Screen(broken=True, gone=True)
    announcer = Announcer(screen.send, screen.write)
    nursery.start_soon(announcer.run, lambda: True)
    announcer.offer(SPENT)
    await wait_all_tasks_blocked()
    screen.broken = False
    announcer.offer(SPENT)
    await wait_all_tasks_blocked()
    assert len(screen.shown) == 1


def test_notices_do_not_pile_up() -> None:
    """A desktop that hangs holds up nobody and costs no memory."""
    announcer = Announcer(Screen().send, print)
    for _ in range(WAITING):
        announcer.offer(SPENT)
    with pytest.raises(trio.WouldBlock):
        announcer.offer(SPENT)


@pytest.mark.parametrize(
    ("platform", "kind"), [("linux", Freedesktop), ("darwin", SystemProgram), ("win32", SystemProgram)]
)
def test_every_system_has_its_sender(platform: str, kind: type) -> None:
    """D-Bus where that is spoken, the system's own program elsewhere."""
    assert isinstance(sender_of({}, platform), kind)
