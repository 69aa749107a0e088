"""Notifications on Linux and the BSDs: the desktop's own service on the session's D-Bus.

The interface is org.freedesktop.Notifications, version 1.2 of the Desktop Notifications Specification.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import trio

from shunt.desktop.notification import PROGRAM, WITHIN, NoDesktop, Notification


class Freedesktop:
    """Sends over the session bus of an environment. One connection per notification: they are rare."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    async def __call__(self, notification: Notification) -> None:
        """Show a notification; raises NoDesktop."""
        address = bus_address(self._environ)
        try:
            with trio.fail_after(WITHIN):
                await _notify(address, notification)
        except trio.TooSlowError as error:
            raise NoDesktop("the session bus does not answer") from error
        except (
            OSError,
            RuntimeError,
            ValueError,
            trio.BrokenResourceError,
            trio.EndOfChannel,
            ExceptionGroup,
        ) as error:
            raise NoDesktop(f"the session bus cannot be used ({type(error).__name__})") from error


def bus_address(environ: Mapping[str, str]) -> str:
    """Where the session bus listens. Raises NoDesktop when there is no session."""
    address = environ.get("DBUS_SESSION_BUS_ADDRESS", "")
    if address:
        return address
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    if runtime and ("DISPLAY" in environ or "WAYLAND_DISPLAY" in environ):
        return f"unix:path={runtime}/bus"
    raise NoDesktop("no session bus")


async def _notify(address: str, notification: Notification) -> None:
    # Only this platform has the library, and only a notification needs it.
    from jeepney import DBusAddress, MessageType, new_method_call  # noqa: PLC0415
    from jeepney.io.trio import open_dbus_connection  # noqa: PLC0415

    service = DBusAddress(
        "/org/freedesktop/Notifications", "org.freedesktop.Notifications", "org.freedesktop.Notifications"
    )
    # Servers that know markup would read it out of the text; the others show plain text as it is.
    hints: dict[str, tuple[str, Any]] = {"urgency": ("y", 1), "desktop-entry": ("s", PROGRAM)}
    body: tuple[Any, ...] = (
        PROGRAM,
        0,
        "",
        notification.title,
        escape(notification.text, quote=False),
        [],
        hints,
        -1,
    )
    connection = await open_dbus_connection(address)
    try:
        async with connection.router() as router:
            reply = await router.send_and_get_reply(new_method_call(service, "Notify", "susssasa{sv}i", body))
    finally:
        await connection.aclose()
    if reply.header.message_type is MessageType.error:
        raise NoDesktop("nobody on the session bus shows notifications")
