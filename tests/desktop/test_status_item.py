"""The icon on a real session bus, with a panel that a test plays."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from attrs import define, field

jeepney = pytest.importorskip("jeepney", reason="D-Bus is for Linux")

from jeepney import (  # noqa: E402
    DBusAddress,
    HeaderFields,
    MessageType,
    Properties,
    message_bus,
    new_method_call,
    new_method_return,
)
from jeepney.io.trio import DBusConnection, DBusRouter, open_dbus_connection  # noqa: E402

from shunt.desktop import dbus_menu  # noqa: E402
from shunt.desktop.menu import Action, Mood, Verb, menu_of  # noqa: E402
from shunt.desktop.status_item import ITEM, ITEM_PATH, WATCHER, NoDesktop, StatusItem, supported  # noqa: E402

STATUS = {"accounts": [{"name": "a", "status": "available"}]}
MENU = menu_of(STATUS, 0.0)


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A session bus of its own."""
    daemon = shutil.which("dbus-daemon")
    if daemon is None:
        pytest.skip("dbus-daemon is not installed")
    words = [daemon, "--session", "--nofork", "--nopidfile", "--print-address=1"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        yield address
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


@define(eq=False)
class Panel:
    """The watcher that every panel with a status tray has."""

    router: DBusRouter
    item: str
    registered: list[str] = field(factory=list)

    async def ask(self, path: str, interface: str, method: str, signature: str, *body: Any) -> Any:
        address = DBusAddress(path, bus_name=self.item, interface=interface)
        reply = await self.router.send_and_get_reply(
            new_method_call(address, method, signature or None, body)
        )
        assert reply.header.message_type is MessageType.method_return, reply.body
        return reply.body

    async def properties(self, path: str, interface: str) -> dict[str, Any]:
        address = DBusAddress(path, bus_name=self.item, interface=interface)
        reply = await self.router.send_and_get_reply(Properties(address).get_all())
        return {name: value for name, (_, value) in reply.body[0].items()}


async def watch(connection: DBusConnection, registered: list[str], arrived: trio.Event) -> None:
    """Take registrations."""
    await connection.send(message_bus.RequestName(WATCHER))
    while True:
        message = await connection.receive()
        if message.header.message_type is MessageType.method_call:
            registered.append(message.body[0])
            await connection.send(new_method_return(message))
            arrived.set()
        elif HeaderFields.member in message.header.fields:
            continue


@asynccontextmanager
async def panel(item: StatusItem) -> AsyncIterator[Panel]:
    """A panel that has taken the icon."""
    registered: list[str] = []
    arrived = trio.Event()
    async with (
        await open_dbus_connection("SESSION") as watcher,
        await open_dbus_connection("SESSION") as asking,
        asking.router() as router,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(watch, watcher, registered, arrived)
        with trio.fail_after(40):
            await arrived.wait()
            await item.announced.wait()
        yield Panel(router, registered[0], registered)
        nursery.cancel_scope.cancel()


async def test_a_panel_takes_the_icon_and_its_menu(bus: str) -> None:
    """Registered when the panel comes, drawn from its properties, clicked through its menu."""
    clicked: list[Action] = []
    item = StatusItem(clicked.append, MENU)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(item.run)
        async with panel(item) as shown:
            assert shown.item == item.name
            found = await shown.properties(ITEM_PATH, ITEM)
            assert (found["Id"], found["Title"], found["Status"]) == ("shunt", MENU.title, "Active")
            assert [(w, h, len(data)) for w, h, data in found["IconPixmap"]] == [
                (22, 22, 1936),
                (44, 44, 7744),
            ]
            assert found["Menu"] == dbus_menu.PATH
            revision, layout = await shown.ask(
                dbus_menu.PATH, dbus_menu.INTERFACE, "GetLayout", "iias", 0, -1, []
            )
            assert revision == 1
            labels = {child[1]["label"][1]: child[0] for _, child in layout[2] if "label" in child[1]}
            event = (labels["Quit"], "clicked", ("i", 0), 0)
            await shown.ask(dbus_menu.PATH, dbus_menu.INTERFACE, "Event", "isvu", *event)
            assert clicked == [Action(Verb.QUIT)]
            await shown.ask(dbus_menu.PATH, dbus_menu.INTERFACE, "EventGroup", "a(isvu)", [event])
            assert (await shown.ask(dbus_menu.PATH, dbus_menu.INTERFACE, "AboutToShow", "i", 0)) == (False,)
            (group,) = await shown.ask(
                dbus_menu.PATH, dbus_menu.INTERFACE, "GetGroupProperties", "aias", [], []
            )
            assert len(group) > len(labels)
            (text,) = await shown.ask(ITEM_PATH, "org.freedesktop.DBus.Introspectable", "Introspect", "")
            assert ITEM in text
        nursery.cancel_scope.cancel()


async def test_changes_are_told(bus: str) -> None:
    """A login that is needed makes the icon ask for attention, and the menu is drawn anew."""
    item = StatusItem(lambda _: None, MENU)
    needed = menu_of({"accounts": [{"name": "a", "status": "reauth_required"}]}, 0.0)
    assert needed.mood is Mood.NEEDED
    async with trio.open_nursery() as nursery:
        nursery.start_soon(item.run)
        async with panel(item) as shown:
            await item.show(needed)
            assert (await shown.properties(ITEM_PATH, ITEM))["Status"] == "NeedsAttention"
            revision, _ = await shown.ask(dbus_menu.PATH, dbus_menu.INTERFACE, "GetLayout", "iias", 0, 1, [])
            assert revision == 2
        nursery.cancel_scope.cancel()


async def test_questions_that_nobody_foresaw(bus: str) -> None:
    """Get an error of D-Bus, and the icon stays."""
    item = StatusItem(lambda _: None, MENU)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(item.run)
        async with panel(item) as shown:
            for path, interface, method in (
                (ITEM_PATH, ITEM, "Explode"),
                (dbus_menu.PATH, dbus_menu.INTERFACE, "GetLayout"),
                (ITEM_PATH, "org.freedesktop.DBus.Properties", "Get"),
            ):
                with pytest.raises(AssertionError):
                    await shown.ask(path, interface, method, "")
            assert (await shown.properties(dbus_menu.PATH, dbus_menu.INTERFACE))["Version"] == 3
        nursery.cancel_scope.cancel()


async def test_without_a_bus(monkeypatch: pytest.MonkeyPatch) -> None:
    """Said so that another way can be tried."""
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
    with pytest.raises(NoDesktop):
        await StatusItem(lambda _: None, MENU).run()
    assert supported({"DBUS_SESSION_BUS_ADDRESS": "x"})
    assert not supported({})
