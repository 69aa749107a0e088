from __future__ import annotations

import plistlib
import shutil
import subprocess
from pathlib import Path

import pytest

from shunt.desktop.launchd import Launchd, agent
from shunt.desktop.service import Done, Service, Standing
from shunt.errors import ServiceError
from tests.desktop.scripted_run import ScriptedRun

SERVICE = Service(("/Applications/sh & unt/shunt", "run"), "/var/logs", {"PATH": "/opt/homebrew/bin"}, 20)
NOT_LOADED = {"launchctl print": Done(113, "", "Could not find service")}


def test_the_agent_says_what_is_meant(tmp_path: Path) -> None:
    """Read back it is what went in: started at log-in, kept alive unless it was asked to end."""
    data = agent(SERVICE)
    found = plistlib.loads(data)
    assert found["ProgramArguments"] == ["/Applications/sh & unt/shunt", "run"]
    assert found["EnvironmentVariables"] == {"PATH": "/opt/homebrew/bin"}
    assert found["RunAtLoad"] is True
    assert found["KeepAlive"] == {"SuccessfulExit": False}
    assert found["ExitTimeOut"] == 35
    assert found["Umask"] == 63
    plutil = shutil.which("plutil")
    if plutil:
        (tmp_path / "a.plist").write_bytes(data)
        assert subprocess.run([plutil, "-lint", tmp_path / "a.plist"], check=False).returncode == 0


@pytest.fixture
def agents(tmp_path: Path) -> Path:
    return tmp_path / "LaunchAgents"


def test_install_and_uninstall(agents: Path, tmp_path: Path) -> None:
    """The file is written and loaded; afterwards it is unloaded and gone."""
    run = ScriptedRun(NOT_LOADED)
    manager = Launchd(run, agents, 501)
    manager.install(Service(SERVICE.command, str(tmp_path / "logs")))
    assert run.commands == [
        "launchctl print gui/501/local.shunt",
        f"launchctl bootstrap gui/501 {agents}/local.shunt.plist",
    ]
    assert (tmp_path / "logs").is_dir()
    run.answers = {}
    assert manager.uninstall()
    assert run.commands[-1] == "launchctl bootout gui/501/local.shunt"
    assert list(agents.iterdir()) == []
    assert not manager.uninstall()


def test_stop_unloads_and_start_loads(agents: Path, tmp_path: Path) -> None:
    """What is not loaded is not started again by launchd: stopped stays stopped."""
    run = ScriptedRun(NOT_LOADED)
    manager = Launchd(run, agents, 501)
    for act in (manager.start, manager.stop):
        with pytest.raises(ServiceError, match="service install"):
            act()
    manager.install(Service(SERVICE.command, str(tmp_path)))
    run.commands.clear()
    manager.start()
    assert [line.split()[1] for line in run.commands] == ["print", "bootstrap", "kickstart"]
    run.answers = {"launchctl bootout": Done(36, "", "Operation now in progress")}
    manager.stop()
    run.answers = {"launchctl bootout": Done(5, "", "Input/output error")}
    with pytest.raises(ServiceError, match="Input/output"):
        manager.stop()
    run.answers = {"launchctl kickstart": Done(1, "", "no such process")}
    with pytest.raises(ServiceError, match="no such process"):
        manager.start()


def test_the_standing_is_launchds(agents: Path, tmp_path: Path) -> None:
    """Process and state out of `launchctl print`."""
    run = ScriptedRun(NOT_LOADED)
    manager = Launchd(run, agents, 501)
    assert manager.standing() == Standing(installed=False)
    manager.install(Service(SERVICE.command, str(tmp_path)))
    assert manager.standing() == Standing(installed=True, enabled=True, detail="not loaded")
    run.answers = {"launchctl print": Done(0, "gui/501/local.shunt = {\n\tstate = running\n\tpid = 77\n}\n")}
    assert manager.standing() == Standing(
        installed=True, enabled=True, running=True, pid=77, detail="running"
    )
