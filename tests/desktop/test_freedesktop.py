"""Notifications over a D-Bus of the test's own, to a service that stands in for the desktop's."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from shunt.desktop.freedesktop import Freedesktop, bus_address
from shunt.desktop.notification import NoDesktop, Notification

NOTICE = Notification("shunt: login needed", "Account <b> & c needs a new login.")

needs_bus = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("dbus-daemon") is None, reason="dbus-daemon is not installed"
)


@asynccontextmanager
async def session_bus(folder: Path) -> AsyncIterator[str]:
    """The address of a private bus."""
    process = await trio.lowlevel.open_process(
        [
            "dbus-daemon",
            "--session",
            "--nofork",
            "--nopidfile",
            "--print-address",
            f"--address=unix:dir={folder}",
        ],
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        with trio.fail_after(20):
            address = (await process.stdout.receive_some(4096)).decode().strip()
        yield address
    finally:
        process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()


async def desktop(address: str, shown: list[Any], ready: trio.Event) -> None:
    """Be the desktop's notification service."""
    from jeepney import new_method_return  # noqa: PLC0415 - Linux only
    from jeepney.bus_messages import message_bus  # noqa: PLC0415
    from jeepney.io.trio import open_dbus_connection  # noqa: PLC0415

    connection = await open_dbus_connection(address)
    try:
        await connection.send(message_bus.RequestName("org.freedesktop.Notifications"))
        await connection.receive()
        ready.set()
        while True:
            call = await connection.receive()
            if call.header.fields.get(3) == "Notify":  # the member's name
                shown.append(call.body)
                await connection.send(new_method_return(call, "u", (len(shown),)))
    finally:
        await connection.aclose()


@needs_bus
async def test_a_notification_reaches_the_desktop(tmp_path: Path) -> None:
    """With its words as plain text: what looks like markup is not taken for it."""
    shown: list[Any] = []
    async with session_bus(tmp_path) as address, trio.open_nursery() as nursery:
        ready = trio.Event()
        nursery.start_soon(desktop, address, shown, ready)
        await ready.wait()
        await Freedesktop({"DBUS_SESSION_BUS_ADDRESS": address})(NOTICE)
        nursery.cancel_scope.cancel()
    program, replaces, _, title, text, actions, _, _ = shown[0]
    assert (program, replaces, actions) == ("shunt", 0, [])
    assert title == "shunt: login needed"
    assert text == "Account &lt;b&gt; &amp; c needs a new login."


@needs_bus
async def test_a_bus_without_a_desktop_is_no_desktop(tmp_path: Path) -> None:
    """As on a server that people log in to: the bus is there, and nobody shows anything."""
    async with session_bus(tmp_path) as address:
        with pytest.raises(NoDesktop, match="nobody"):
            await Freedesktop({"DBUS_SESSION_BUS_ADDRESS": address})(NOTICE)


@pytest.mark.skipif(sys.platform != "linux", reason="D-Bus is Linux's")
@pytest.mark.parametrize("address", ["unix:path=/nowhere/bus", "tcp:host=127.0.0.1,port=1", "nonsense"])
async def test_a_bus_that_cannot_be_used_is_no_desktop(address: str) -> None:
    """Whatever is wrong with its address."""
    with pytest.raises(NoDesktop):
        await Freedesktop({"DBUS_SESSION_BUS_ADDRESS": address})(NOTICE)


def test_the_session_is_found_as_the_desktop_leaves_it() -> None:
    """By its variable, or at the usual place of a graphical session."""
    assert bus_address({"DBUS_SESSION_BUS_ADDRESS": "unix:path=/a"}) == "unix:path=/a"
    assert bus_address({"XDG_RUNTIME_DIR": "/run/user/1", "DISPLAY": ":0"}) == "unix:path=/run/user/1/bus"
    for environ in ({}, {"XDG_RUNTIME_DIR": "/run/user/1"}, {"DISPLAY": ":0"}):
        with pytest.raises(NoDesktop):
            bus_address(environ)
