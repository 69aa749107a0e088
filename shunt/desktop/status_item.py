"""An icon with a menu in Linux panels: `org.kde.StatusNotifierItem` over D-Bus, on Trio.

No toolkit is loaded: the panel draws icon and menu, we answer its questions.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import trio
from attrs import define, field
from jeepney import (
    DBusAddress,
    HeaderFields,
    MatchRule,
    Message,
    MessageType,
    message_bus,
    new_error,
    new_method_call,
    new_method_return,
    new_signal,
)
from jeepney.io.trio import DBusConnection, open_dbus_connection

from shunt.desktop import dbus_menu
from shunt.desktop.dbus_menu import LAYOUT, Numbered, Variant
from shunt.desktop.icon import SIZES, pixels
from shunt.desktop.menu import Action, Menu, Mood

ITEM: Final = "org.kde.StatusNotifierItem"
ITEM_PATH: Final = "/StatusNotifierItem"
WATCHER: Final = "org.kde.StatusNotifierWatcher"
PROPERTIES: Final = "org.freedesktop.DBus.Properties"
PIXMAPS: Final = "a(iiay)"


class NoDesktop(Exception):
    """There is no session bus to be found on."""


@define(eq=False)
class StatusItem:
    """The icon. `run` serves it; `show` changes it."""

    clicked: Callable[[Action], None]
    """Called for what is chosen; must not wait."""
    _menu: Menu
    announced: trio.Event = field(factory=trio.Event)
    """A panel has taken the icon."""
    _numbered: Numbered = field(factory=Numbered)
    _connection: DBusConnection | None = None
    _serials: dict[int, None] = field(factory=dict)
    """Of our registrations that wait for an answer."""

    async def run(self) -> None:
        """Serve panels for ever. Raises NoDesktop without a session bus."""
        try:
            connection = await open_dbus_connection("SESSION")
        except (OSError, KeyError, ValueError, RuntimeError) as error:
            raise NoDesktop(str(error) or type(error).__name__) from error
        async with connection:
            self._connection = connection
            self._numbered.take(self._menu)
            await self._introduce()
            while True:
                try:
                    message = await connection.receive()
                except trio.EndOfChannel:
                    raise NoDesktop("the session bus has gone") from None
                await self._take(message)

    async def show(self, menu: Menu) -> None:
        """Show this from now on."""
        before, self._menu = self._menu, menu
        if self._connection is None:
            return
        if self._numbered.take(menu):
            emitter = DBusAddress(dbus_menu.PATH, interface=dbus_menu.INTERFACE)
            changed = (self._numbered.revision, dbus_menu.ROOT)
            await self._send(new_signal(emitter, "LayoutUpdated", "ui", changed))
        item = DBusAddress(ITEM_PATH, interface=ITEM)
        if menu.mood is not before.mood:
            await self._send(new_signal(item, "NewIcon"))
            await self._send(new_signal(item, "NewStatus", "s", (_status(menu),)))
        if menu.title != before.title:
            await self._send(new_signal(item, "NewToolTip"))
            await self._send(new_signal(item, "NewTitle"))

    # ── the bus ───────────────────────────────────────────────────────────────────────────────

    async def _introduce(self) -> None:
        bus = message_bus
        rule = MatchRule(
            type="signal",
            sender="org.freedesktop.DBus",
            interface="org.freedesktop.DBus",
            member="NameOwnerChanged",
        )
        rule.add_arg_condition(0, WATCHER)
        await self._send(bus.AddMatch(rule))
        await self._send(bus.RequestName(self.name))
        await self._register()

    @property
    def name(self) -> str:
        """Our name on the bus, as the protocol has it."""
        return f"{ITEM}-{os.getpid()}-1"

    async def _register(self) -> None:
        """Tell the watcher of us; one that is not there yet will be told when it comes."""
        watcher = DBusAddress("/StatusNotifierWatcher", bus_name=WATCHER, interface=WATCHER)
        call = new_method_call(watcher, "RegisterStatusNotifierItem", "s", (self.name,))
        assert self._connection is not None  # noqa: S101 - introduced
        serial = next(self._connection.outgoing_serial)
        self._serials[serial] = None
        await self._connection.send(call, serial=serial)

    async def _send(self, message: Message) -> None:
        if self._connection is not None:
            await self._connection.send(message)

    async def _take(self, message: Message) -> None:
        header = message.header
        if header.message_type is MessageType.method_return:
            if header.fields.get(HeaderFields.reply_serial) in self._serials:
                self._serials.clear()
                self.announced.set()
        elif header.message_type is MessageType.signal:
            if header.fields.get(HeaderFields.member) == "NameOwnerChanged" and message.body[2]:
                await self._register()
        elif header.message_type is MessageType.method_call:
            await self._send(self._answer(message))

    def _answer(self, message: Message) -> Message:
        fields = message.header.fields
        interface = str(fields.get(HeaderFields.interface, ""))
        member = str(fields.get(HeaderFields.member, ""))
        path = str(fields.get(HeaderFields.path, ""))
        with suppress(LookupError, TypeError, ValueError):
            if interface == PROPERTIES:
                return self._property(message, member, self._properties(path))
            if interface == "org.freedesktop.DBus.Introspectable":
                return new_method_return(message, "s", (INTROSPECTION,))
            if interface == dbus_menu.INTERFACE:
                return self._menu_call(message, member)
            if interface == ITEM and member in ("Activate", "SecondaryActivate", "ContextMenu", "Scroll"):
                return new_method_return(message)
        return new_error(message, "org.freedesktop.DBus.Error.UnknownMethod")

    # ── properties ────────────────────────────────────────────────────────────────────────────

    @staticmethod
    def _property(message: Message, member: str, properties: Mapping[str, Variant]) -> Message:
        if member == "GetAll":
            return new_method_return(message, "a{sv}", (dict(properties),))
        if member == "Get":
            return new_method_return(message, "v", (properties[message.body[1]],))
        raise LookupError(member)

    def _properties(self, path: str) -> dict[str, Variant]:
        if path == dbus_menu.PATH:
            return {
                "Version": ("u", 3),
                "TextDirection": ("s", "ltr"),
                "Status": ("s", "normal"),
                "IconThemePath": ("as", []),
            }
        icons = [(size, size, pixels(self._menu.mood, size)) for size in SIZES]
        return {
            "Category": ("s", "ApplicationStatus"),
            "Id": ("s", "shunt"),
            "Title": ("s", self._menu.title),
            "Status": ("s", _status(self._menu)),
            "WindowId": ("i", 0),
            "IconName": ("s", ""),
            "IconPixmap": (PIXMAPS, icons),
            "OverlayIconName": ("s", ""),
            "AttentionIconName": ("s", ""),
            "AttentionIconPixmap": (PIXMAPS, icons),
            "ToolTip": ("(sa(iiay)ss)", ("", [], self._menu.title, "")),
            "ItemIsMenu": ("b", True),
            "Menu": ("o", dbus_menu.PATH),
        }

    # ── the menu ──────────────────────────────────────────────────────────────────────────────

    def _menu_call(self, message: Message, member: str) -> Message:
        body = message.body
        menu = self._numbered
        if member == "GetLayout":
            return new_method_return(message, f"u{LAYOUT}", (menu.revision, menu.layout(body[0], body[1])))
        if member == "GetGroupProperties":
            return new_method_return(message, "a(ia{sv})", (menu.group(body[0]),))
        if member == "GetProperty":
            return new_method_return(message, "v", (menu.properties(body[0])[body[1]],))
        if member == "Event":
            self._event(body[0], body[1])
            return new_method_return(message)
        if member == "EventGroup":
            for event in body[0]:
                self._event(event[0], event[1])
            return new_method_return(message, "ai", ([],))
        if member == "AboutToShow":
            return new_method_return(message, "b", (False,))
        if member == "AboutToShowGroup":
            return new_method_return(message, "aiai", ([], []))
        raise LookupError(member)

    def _event(self, number: int, kind: str) -> None:
        action = self._numbered.action(number)
        if kind == "clicked" and action is not None:
            self.clicked(action)


def _status(menu: Menu) -> str:
    return "NeedsAttention" if menu.mood is Mood.NEEDED else "Active"


INTROSPECTION: Final = f"""<node>
<interface name="{ITEM}">
<property name="Category" type="s" access="read"/><property name="Id" type="s" access="read"/>
<property name="Title" type="s" access="read"/><property name="Status" type="s" access="read"/>
<property name="WindowId" type="i" access="read"/><property name="IconName" type="s" access="read"/>
<property name="IconPixmap" type="{PIXMAPS}" access="read"/>
<property name="OverlayIconName" type="s" access="read"/>
<property name="AttentionIconName" type="s" access="read"/>
<property name="AttentionIconPixmap" type="{PIXMAPS}" access="read"/>
<property name="ToolTip" type="(sa(iiay)ss)" access="read"/>
<property name="ItemIsMenu" type="b" access="read"/><property name="Menu" type="o" access="read"/>
<method name="Activate"><arg type="i" direction="in"/><arg type="i" direction="in"/></method>
<method name="ContextMenu"><arg type="i" direction="in"/><arg type="i" direction="in"/></method>
<signal name="NewIcon"/><signal name="NewTitle"/><signal name="NewToolTip"/>
<signal name="NewStatus"><arg type="s"/></signal>
</interface>
</node>"""


def supported(environ: Mapping[str, Any]) -> bool:
    """Whether there may be a session bus."""
    runtime = environ.get("XDG_RUNTIME_DIR")
    return bool(environ.get("DBUS_SESSION_BUS_ADDRESS")) or bool(runtime and Path(runtime, "bus").exists())
