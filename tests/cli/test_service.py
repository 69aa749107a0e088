from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from shunt import __version__
from shunt.cli import service
from shunt.cli.invocation import Invocation
from shunt.desktop.form import INSIDE, Interpreter
from shunt.desktop.launchd import Launchd
from shunt.desktop.scheduled_task import TaskScheduler
from shunt.desktop.service import Done
from shunt.desktop.systemd import UNIT, SystemSystemd, UserSystemd
from shunt.errors import ServiceError
from tests.cli.desk import Desk
from tests.desktop.scripted_run import ScriptedRun

SHOWN = "ActiveState=active\nSubState=running\nMainPID=57\nUnitFileState=enabled\nResult=success\n"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> ScriptedRun:
    """A machine with systemd whose programs answer as written down."""
    scripted = ScriptedRun({"systemctl --user show shunt.service": Done(0, SHOWN)})
    monkeypatch.setattr(service, "runner", lambda _: scripted)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(shutil, "which", lambda name, **_: f"/usr/bin/{name}")
    return scripted


def unit(desk: Desk) -> Path:
    return desk.user / ".config" / "systemd" / "user" / UNIT


def test_from_install_to_uninstall(desk: Desk, run: ScriptedRun) -> None:
    """Installed it runs this very program with these very files; uninstalled nothing is left."""
    done = desk.run("service", "install", environ={"CODEX_HOME": "/c"})
    assert done.exit_code == 0, done.output
    assert f"scripts/shunt run --home {desk.home}" in unit(desk).read_text()
    assert "Environment=CODEX_HOME=/c" in unit(desk).read_text()
    assert "SHUNT_PORT" in done.stderr
    assert desk.document("service", "status")["pid"] == 57
    assert "running, process 57, starts by itself" in desk.run("service", "status").stdout
    assert desk.run("service", "stop").stdout == "stopped\n"
    assert desk.run("service", "start").stdout == "started\n"
    assert "removed" in desk.run("service", "uninstall").stdout
    assert not unit(desk).exists()
    assert desk.run("service", "uninstall").stdout == "there was no service\n"
    assert desk.run("service", "status").exit_code == 3


def test_a_stopped_service_is_code_3(desk: Desk, run: ScriptedRun) -> None:
    """Scripts can tell; the reason is shown."""
    desk.run("service", "install")
    run.answers = {"systemctl --user show shunt.service": Done(0, "ActiveState=inactive\nSubState=dead\n")}
    done = desk.run("service", "status")
    assert done.exit_code == 3
    assert "stopped, does not start by itself: inactive (dead)" in done.stdout


def test_a_bad_configuration_is_not_installed(desk: Desk, run: ScriptedRun) -> None:
    """It would not start: said now, and nothing is written."""
    desk.write_config("[sever]\n")
    assert desk.run("service", "install").exit_code == 1
    assert not unit(desk).exists()


def test_sudo_is_not_wanted(desk: Desk, run: ScriptedRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service of root would have root's accounts."""
    monkeypatch.setattr(service, "borrowed_root", lambda _: True)
    done = desk.run("service", "install")
    assert done.exit_code == 1
    assert "--system" in done.stderr


def test_the_one_file_program_unpacks_itself(
    desk: Desk, run: ScriptedRun, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The service runs a folder that nobody cleans away, through a link that survives updates."""
    bundle = tmp_path / "_MEI"
    (bundle / INSIDE).mkdir(parents=True)
    (bundle / INSIDE / "shunt").touch()
    found = Interpreter(tmp_path / "Downloads" / "shunt", bundle, tmp_path, tmp_path)
    monkeypatch.setattr(service, "this", lambda: found)
    assert desk.run("service", "install").exit_code == 0
    current = desk.home / "versions" / "current"
    assert current.readlink() == Path(__version__)
    assert f"ExecStart={current}/shunt run" in unit(desk).read_text()
    desk.run("service", "uninstall")
    assert not (desk.home / "versions").exists()


def test_each_system_has_its_manager(
    run: ScriptedRun, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """systemd, launchd or the task scheduler; where there is none, what to do instead."""
    call = Invocation(
        {"HOME": str(tmp_path), "USERNAME": "me", "USERDOMAIN": "HOST"}, lambda: 0, lambda _: None
    )
    assert isinstance(service.manager_of(call, system=False), UserSystemd)
    assert isinstance(service.manager_of(call, system=True), SystemSystemd)
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    with pytest.raises(ServiceError, match="no systemd"):
        service.manager_of(call, system=False)
    for platform, kind in (("darwin", Launchd), ("win32", TaskScheduler)):
        monkeypatch.setattr(sys, "platform", platform)
        assert isinstance(service.manager_of(call, system=False), kind)
        with pytest.raises(ServiceError, match="leave it out"):
            service.manager_of(call, system=True)


def test_the_managers_programs_are_run_plainly() -> None:
    """Status and both outputs come back; a missing program is named."""
    call = Invocation({"PATH": "/usr/bin:/bin"}, lambda: 0, lambda _: None)
    run = service.runner(call)
    assert run(("sh", "-c", "echo out; echo err >&2; exit 3")) == Done(3, "out\n", "err\n")
    with pytest.raises(ServiceError, match="no program nonsense-here"):
        run(("nonsense-here",))
