"""`shunt tray` and `shunt menubar` as people call them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from shunt.cli import tray as trays
from shunt.cli.exits import Failed
from shunt.cli.files import open_files
from shunt.cli.invocation import Invocation
from shunt.cli.private_server import free_port
from shunt.cli.tray import Desk as Server
from shunt.desktop.tray import Trouble
from tests.cli.desk import T0, Desk, never
from tests.cli.scripted_control import ScriptedControl, scripted_control

STATUS: dict[str, Any] = {"accounts": [{"name": "a", "status": "available"}], "pinned_account": None}
ANSWERS: dict[str, tuple[int, Any]] = {
    "GET /status": (200, STATUS),
    "POST /use": (200, {}),
    "POST /accounts/a/pause": (200, {}),
    "POST /accounts/a/resume": (200, {}),
}


@pytest.fixture
def control(desk: Desk) -> Iterator[ScriptedControl]:
    with scripted_control(ANSWERS) as server:
        desk.serve(server)
        yield server


def server(desk: Desk) -> Server:
    environ = {
        **os.environ,
        "HOME": str(desk.user),
        "SHUNT_HOME": str(desk.home),
        "SHUNT_PORT": str(desk.port),
    }
    return Server(open_files(Invocation(environ, lambda: T0, never)), None)


@pytest.mark.parametrize("form", ["xbar", "swiftbar", "waybar"])
def test_text_for_bars(desk: Desk, control: ScriptedControl, form: str) -> None:
    """One call, one picture."""
    result = desk.run("menubar", "--format", form)
    assert result.exit_code == 0
    assert "1/1" in result.stdout
    if form == "waybar":
        assert json.loads(result.stdout)["class"] == "good"


def test_a_bar_without_a_server(desk: Desk) -> None:
    """Shows that, and does not fail: bars show failures as garbage."""
    result = desk.run("menubar")
    assert result.exit_code == 0
    assert "not running" in result.stdout


def test_what_its_menu_calls_back(desk: Desk, control: ScriptedControl) -> None:
    """Pause and resume; what the server refuses is said."""
    assert desk.run("menubar", "--pause", "a").exit_code == 0
    assert desk.run("menubar", "--resume", "a").exit_code == 0
    assert desk.run("menubar", "--pause", "b").exit_code == 1
    assert [call for call, _ in control.calls][:2] == ["POST /accounts/a/pause", "POST /accounts/a/resume"]


def test_how_to_set_a_bar_up(desk: Desk) -> None:
    """What to put where."""
    assert "menubar --format waybar" in desk.run("menubar", "--format", "waybar", "--setup").stdout


def test_verbs_reach_the_server(desk: Desk, control: ScriptedControl) -> None:
    """By its control routes."""
    tray = server(desk)
    assert tray.status()["accounts"]
    tray.use("a")
    tray.use(None)
    tray.pause("a")
    tray.resume("a")
    assert ("POST /use", {"account": "a"}) in control.calls
    with pytest.raises(Trouble, match="no such route"):
        tray.pause("b")


def test_troubles_are_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """No server, no browser, no terminal: each with what to do."""
    tray = server(desk)
    with pytest.raises(Trouble, match="not running"):
        tray.status()
    monkeypatch.setattr("webbrowser.open", lambda _: False)
    with pytest.raises(Trouble, match="in a browser"):
        tray.dashboard()

    def no_terminal(*_: Any) -> None:
        raise FileNotFoundError

    monkeypatch.setattr(trays, "started_aside", no_terminal)
    with pytest.raises(Trouble, match="add-account a --login"):
        tray.login("a")


def test_a_server_is_started_and_ended(desk: Desk) -> None:
    """For as long as the tray lives."""
    desk.port = free_port()
    tray = server(desk)
    with tray.stack:
        tray.start()
        assert tray.status()["accounts"] == []
    with pytest.raises(Trouble):
        tray.status()


def test_without_any_way_to_show_it(
    desk: Desk, control: ScriptedControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What to install, and the way that always works."""
    monkeypatch.setitem(sys.modules, "pystray", None)
    tray = server(desk)
    with pytest.raises(Failed, match="menubar"):
        trays._by_toolkit(tray)


@pytest.mark.skipif(shutil.which("dbus-daemon") is None, reason="dbus-daemon is not installed")
def test_the_tray_lives_without_a_panel(desk: Desk, control: ScriptedControl) -> None:
    """It waits for one, says so, and goes at a signal."""
    words = [str(shutil.which("dbus-daemon")), "--session", "--nofork", "--nopidfile", "--print-address=1"]
    bus = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert bus.stdout is not None
        environ = {
            **os.environ,
            "DBUS_SESSION_BUS_ADDRESS": bus.stdout.readline().strip(),
            "HOME": str(desk.user),
            "SHUNT_HOME": str(desk.home),
            "SHUNT_PORT": str(desk.port),
        }
        words = [sys.executable, "-m", "shunt", "tray"]
        with subprocess.Popen(words, env=environ, stderr=subprocess.PIPE, text=True) as process:
            try:
                assert process.stderr is not None
                assert "No panel has taken the icon yet" in process.stderr.readline()
                process.send_signal(signal.SIGINT)
                assert process.wait(20) == 130
                assert process.stderr.read() == "Stopped.\n"
            finally:
                process.kill()
        assert "GET /status" in [call for call, _ in control.calls]
    finally:
        bus.kill()
        bus.wait()
        assert bus.stdout is not None
        bus.stdout.close()
