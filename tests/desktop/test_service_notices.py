from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest
import trio

from shunt.desktop.service_notices import ServiceNotices

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Unix sockets")


def listening(address: str) -> socket.socket:
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    channel.bind(address)
    channel.settimeout(5)
    return channel


def test_ready_and_stopping_reach_the_manager(tmp_path: Path) -> None:
    """One datagram each, at the address it gave."""
    address = str(tmp_path / "notify")
    with listening(address) as manager:
        notices = ServiceNotices.from_environment({"NOTIFY_SOCKET": address})
        notices.serving()
        assert manager.recv(100).startswith(b"READY=1")
        notices.handing_over()
        assert manager.recv(100).startswith(b"STATUS=")
        notices.stopping()
        assert manager.recv(100).startswith(b"STOPPING=1")


@pytest.mark.skipif(sys.platform != "linux", reason="abstract sockets")
def test_abstract_addresses(tmp_path: Path) -> None:
    """An @ stands for the zero byte."""
    name = f"shunt-test-{os.getpid()}-{tmp_path.name}"
    with listening(f"\0{name}") as manager:
        ServiceNotices.from_environment({"NOTIFY_SOCKET": f"@{name}"}).serving()
        assert manager.recv(100).startswith(b"READY=1")


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "vsock:1"}])
async def test_nobody_listens(environ: dict[str, str]) -> None:
    """Started by hand nothing is sent, and nothing fails."""
    notices = ServiceNotices.from_environment({**environ, "WATCHDOG_USEC": "1000000"})
    notices.serving()
    await notices.show_life()
    assert notices == ServiceNotices()


def test_a_manager_that_has_gone_is_no_error(tmp_path: Path) -> None:
    """The server serves on."""
    ServiceNotices(str(tmp_path / "gone")).serving()


async def test_signs_of_life(tmp_path: Path, autojump_clock: trio.testing.MockClock) -> None:
    """Three within each span of the watchdog; none where it is meant for another process."""
    address = str(tmp_path / "notify")
    with listening(address) as manager:
        environ = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "60000000"}
        with trio.move_on_after(59):
            await ServiceNotices.from_environment({**environ, "WATCHDOG_PID": str(os.getpid())}).show_life()
        manager.settimeout(0)
        for _ in range(3):
            assert manager.recv(100) == b"WATCHDOG=1"
        with pytest.raises(BlockingIOError):
            manager.recv(100)
    assert ServiceNotices.from_environment({**environ, "WATCHDOG_PID": "1"}).watchdog == 0
