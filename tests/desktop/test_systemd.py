from __future__ import annotations

from pathlib import Path

import pytest

from shunt.desktop import systemd
from shunt.desktop.service import Done, Service, Standing
from shunt.desktop.systemd import UNIT, SystemSystemd, UserSystemd
from shunt.errors import ServiceError
from tests.desktop.scripted_run import ScriptedRun

SERVICE = Service(("/opt/shunt/shunt", "run"), "/var/logs")


@pytest.fixture
def units(tmp_path: Path) -> Path:
    return tmp_path / "systemd" / "user"


def test_a_user_installs_and_uninstalls(units: Path) -> None:
    """The unit is written, enabled and started; afterwards no file and no folder of it is left."""
    run = ScriptedRun()
    manager = UserSystemd(run, units)
    assert any("enable-linger" in line for line in manager.install(SERVICE))
    assert "ExecStart=/opt/shunt/shunt run" in (units / UNIT).read_text()
    assert run.commands[1:] == [
        "systemctl --user daemon-reload",
        "systemctl --user enable --quiet shunt.service",
        "systemctl --user restart shunt.service",
    ]
    (units / "default.target.wants").mkdir()  # systemctl makes it, and leaves it behind empty
    run.commands.clear()
    assert manager.uninstall()
    assert not units.parent.exists()
    assert run.commands[1:3] == [
        "systemctl --user disable --now --quiet shunt.service",
        "systemctl --user daemon-reload",
    ]
    assert not manager.uninstall()


def test_what_belongs_to_others_stays(units: Path) -> None:
    """A folder with other units in it is not touched."""
    manager = UserSystemd(ScriptedRun(), units)
    manager.install(SERVICE)
    (units / "other.service").write_text("")
    manager.uninstall()
    assert [path.name for path in units.iterdir()] == ["other.service"]


def test_no_session_names_the_ways_out(units: Path) -> None:
    """Over su, in a container: what is missing, and what to do instead."""
    run = ScriptedRun(
        {"systemctl --user show-environment": Done(1, "", "Failed to connect to bus: No medium")}
    )
    with pytest.raises(ServiceError, match=r"No medium.*enable-linger.*--system"):
        UserSystemd(run, units).install(SERVICE)
    assert not (units / UNIT).exists()


def test_a_start_that_fails_says_why(units: Path) -> None:
    """systemctl knows only that it failed; the program's own last word is fetched."""
    run = ScriptedRun()
    manager = UserSystemd(run, units)
    manager.install(SERVICE)
    run.answers = {
        "systemctl --user start": Done(1, "", "Job failed."),
        "journalctl": Done(0, "noise\nError: cannot listen on 127.0.0.1:8082: the port is in use\n"),
    }
    with pytest.raises(ServiceError, match="the port is in use"):
        manager.start()
    run.answers = {"systemctl --user start": Done(1, "", "Job failed.")}
    with pytest.raises(ServiceError, match="journalctl --user -u shunt"):
        manager.start()
    run.answers = {"systemctl --user stop": Done(5, "", "no\nNot loaded.\n")}
    with pytest.raises(ServiceError, match="Not loaded"):
        manager.stop()


def test_nothing_installed(units: Path) -> None:
    """Start and stop say what to do first; the standing is no error."""
    manager = UserSystemd(ScriptedRun(), units)
    assert manager.standing() == Standing(installed=False)
    for act in (manager.start, manager.stop):
        with pytest.raises(ServiceError, match="service install"):
            act()


@pytest.mark.parametrize(
    ("shown", "standing"),
    [
        (
            "ActiveState=active\nSubState=running\nMainPID=57\nUnitFileState=enabled\nResult=success\n",
            Standing(installed=True, enabled=True, running=True, pid=57, detail="active (running)"),
        ),
        (
            "ActiveState=failed\nSubState=failed\nMainPID=0\nUnitFileState=disabled\nResult=exit-code\n",
            Standing(installed=True, detail="failed (failed), ended with: exit-code"),
        ),
    ],
)
def test_the_standing_is_systemds(units: Path, shown: str, standing: Standing) -> None:
    """What `systemctl show` says, in our terms."""
    run = ScriptedRun({"systemctl --user show shunt.service": Done(0, shown)})
    manager = UserSystemd(run, units)
    manager.install(SERVICE)
    assert manager.standing() == standing


def test_the_machines_service_gets_a_user_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made once; removed with the service unless its files are still there."""
    monkeypatch.setattr(systemd, "STATE", str(tmp_path / "state"))
    run = ScriptedRun({"getent": Done(2, "")})
    manager = SystemSystemd(run, is_root=True, units=tmp_path)
    lines = manager.install(SERVICE)
    assert any(line.startswith("useradd --system") for line in run.commands)
    assert (tmp_path / UNIT).stat().st_mode & 0o777 == 0o644
    assert any("sudo -u shunt" in line for line in lines)
    run.answers = {"systemctl show": Done(0, "ActiveState=active\nSubState=running\nMainPID=5\n")}
    assert manager.standing().pid == 5
    manager.stop()
    manager.start()
    (tmp_path / "state").mkdir()
    assert manager.uninstall()
    assert not (tmp_path / UNIT).exists()
    assert not any(line.startswith("userdel") for line in run.commands)
    (tmp_path / "state").rmdir()
    manager.install(SERVICE)
    manager.uninstall()
    assert run.commands[-1] == "userdel shunt"
    assert manager.standing() == Standing(installed=False)


def test_only_root_changes_the_machine(tmp_path: Path) -> None:
    """Everybody may look; the cure for the rest is named."""
    manager = SystemSystemd(ScriptedRun(), is_root=False, units=tmp_path)
    for act in (lambda: manager.install(SERVICE), manager.uninstall, manager.start, manager.stop):
        with pytest.raises(ServiceError, match="sudo"):
            act()
    assert not manager.standing().installed


def test_a_user_that_cannot_be_made(tmp_path: Path) -> None:
    """Nothing is written before it exists."""
    run = ScriptedRun({"getent": Done(2, ""), "useradd": Done(1, "", "useradd: cannot lock /etc/passwd")})
    with pytest.raises(ServiceError, match="cannot lock"):
        SystemSystemd(run, is_root=True, units=tmp_path).install(SERVICE)
    assert not (tmp_path / UNIT).exists()
